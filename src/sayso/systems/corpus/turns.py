"""Limits of hosts for workers on several machines: one keeper says whose turn it is, and no call to it waits.

A worker asks until it has the turn of a host, and tells what the host answered. A turn that nobody ends, as
its worker died, is over after some timeouts of a connection; until then the host is left alone.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from sayso.systems.corpus.limits import HostGate, HostLimits, Manners

ASK_AGAIN_S = 0.05
LEASE_TIMEOUTS = 4


class Turns(Protocol):
    """A keeper of turns, as a worker reaches it."""

    def ask(self, host: str, holder: str) -> float:
        """Take the turn of a host; return 0, or after how many seconds to ask again."""

    def end(self, host: str, holder: str) -> None:
        """Give a turn back."""

    def refused(self, host: str, retry_after: str | None) -> None:
        """Note within a turn that a host wants to be left alone."""

    def answered(self, host: str) -> None:
        """Note within a turn that a host answered."""


class TurnKeeper:
    """Keeps the turns of all hosts; see ``HostLimits`` for what holds of each.

    Args:
        manners: how a site is asked, by all workers together.
        record: file in which is written what is to be waited for.
        clock: seconds since 1970.
    """

    def __init__(
        self, manners: Manners, record: Path | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self._limits = HostLimits(manners, record, clock=clock)
        self._held: dict[str, tuple[str, float]] = {}

    def ask(self, host: str, holder: str) -> float:
        """Take the turn of a host; return 0, or after how many seconds to ask again."""
        now, gate = self._limits.clock(), self._limits.gate(host)
        if self._held.get(host, ("", 0.0))[1] > now:
            return ASK_AGAIN_S
        wait = max(gate.next_at, gate.shut_until) - now
        if wait > 0:
            return wait
        manners = self._limits.manners
        gate.next_at = now + 1 / manners.per_host
        self._held[host] = holder, now + LEASE_TIMEOUTS * manners.timeout_s
        return 0.0

    def end(self, host: str, holder: str) -> None:
        """Give a turn back; one that was over already is somebody else's."""
        if self._held.get(host, ("", 0.0))[0] == holder:
            del self._held[host]

    def refused(self, host: str, retry_after: str | None) -> None:
        """Note within a turn that a host wants to be left alone."""
        self._limits.refused(self._limits.gate(host), retry_after)

    def answered(self, host: str) -> None:
        """Note within a turn that a host answered."""
        self._limits.answered(self._limits.gate(host))


class SharedLimits(HostLimits):
    """The limits of a worker that shares hosts with workers elsewhere.

    Args:
        manners: how a site is asked; ``at_once`` is this worker's share.
        turns: the keeper.
    """

    def __init__(self, manners: Manners, turns: Turns) -> None:
        super().__init__(manners)
        self._turns = turns

    @contextmanager
    def turn(self, host: str) -> Iterator[HostGate]:
        """Wait until a host may be asked; nobody else asks it until the block ends, with the answer's head.

        Raises:
            Stopped: if the run is to end.
        """
        holder = uuid.uuid4().hex
        self.wait(0)
        while (seconds := self._turns.ask(host, holder)) > 0:
            self.wait(seconds)
        try:
            yield HostGate(host)
        finally:
            self._turns.end(host, holder)

    def refused(self, gate: HostGate, retry_after: str | None) -> None:
        """Note within a turn that a host wants to be left alone: 429 or 503."""
        self._turns.refused(gate.host, retry_after)

    def answered(self, gate: HostGate) -> None:
        """Note within a turn that a host answered: the next refusal is the first again."""
        self._turns.answered(gate.host)
