"""Manners: how often a host is asked, by all threads together, and how long it is left alone.

One request of a host waits for its answer at a time (a body that follows does not count), so that what a host
says of waiting is known before it is asked again. ``Retry-After`` is obeyed; after 429 and 503 the wait is
doubled each time until an answer comes. What is to be waited for is written down, so that a new process waits
for it too.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

from sayso.core.io import write_atomic

log = logging.getLogger(__name__)

HOSTS = "hosts.json"
TOLD_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """How a site is asked.

    Args:
        per_host: requests a second to one host, at most.
        at_once: requests at the same time, at most.
        attempts: after which something is given up.
        wait_s: the first wait after a failure, seconds; doubled each time.
        longest_s: the longest such wait; a host may ask for a longer one.
        timeout_s: after which a silent connection has failed.
        slowest: bytes a second, below which a file that takes longer than twice that has failed, too.
    """

    per_host: float = 1.0
    at_once: int = 4
    attempts: int = 5
    wait_s: float = 1.0
    longest_s: float = 900.0
    timeout_s: float = 30.0
    slowest: float = 1000.0

    def too_slow(self, got: int, seconds: float) -> bool:
        """Tell whether a file of which so many bytes came in so many seconds takes too long."""
        return seconds > 2 * self.timeout_s and got < self.slowest * seconds

    def backoff(self, failures: int) -> float:
        """Return the wait after so many failures in a row, seconds."""
        return min(self.wait_s * 2.0 ** (failures - 1), self.longest_s)


class Stopped(Exception):
    """The run is to end: nothing more is asked for."""


@dataclass(eq=False)
class HostGate:
    """A host: when it may be asked next, seconds since 1970."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    next_at: float = 0.0
    shut_until: float = 0.0
    refusals: int = 0


class HostLimits:
    """The limits of all hosts, shared by the threads of a run.

    Args:
        manners: how a site is asked.
        record: file in which is written what is to be waited for; None: nowhere.
        clock: seconds since 1970.
        sleep: waits for so many seconds; by default until ``stop`` is set, at most.
    """

    def __init__(
        self,
        manners: Manners,
        record: Path | None = None,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        self.manners, self.record, self.clock = manners, record, clock
        self.stop = threading.Event()
        self._sleep = sleep or self.stop.wait
        self._lock = threading.Lock()
        self._gates: dict[str, HostGate] = {}
        for host, (until, refusals) in _read(record).items():
            self._gates[host] = HostGate(shut_until=until, refusals=refusals)

    def wait(self, seconds: float) -> None:
        """Wait.

        Raises:
            Stopped: if the run is to end.
        """
        if seconds > 0 and not self.stop.is_set():
            self._sleep(seconds)
        if self.stop.is_set():
            raise Stopped

    @contextmanager
    def turn(self, host: str) -> Iterator[HostGate]:
        """Wait until a host may be asked; nobody else asks it until the block ends, with the answer's head.

        Raises:
            Stopped: if the run is to end.
        """
        with self._lock:
            gate = self._gates.setdefault(host, HostGate())
        with gate.lock:
            while (seconds := max(gate.next_at, gate.shut_until) - self.clock()) > 0:
                self.wait(seconds)
            self.wait(0)
            gate.next_at = self.clock() + 1 / self.manners.per_host
            yield gate

    def refused(self, gate: HostGate, retry_after: str | None) -> None:
        """Note within a turn that a host wants to be left alone: 429 or 503.

        Args:
            gate: the host's.
            retry_after: what it says, seconds or a date.
        """
        gate.refusals += 1
        asked = retry_after_s(retry_after, self.clock())
        wait = max(asked, self.manners.backoff(gate.refusals))
        gate.shut_until = self.clock() + wait
        self._save()
        if wait >= TOLD_S:
            until = datetime.fromtimestamp(gate.shut_until).strftime("%H:%M")
            log.warning("a host wants to be left alone; asking it again at %s", until)

    def answered(self, gate: HostGate) -> None:
        """Note within a turn that a host answered: the next refusal is the first again."""
        if gate.refusals:
            gate.refusals = 0
            self._save()

    def _save(self) -> None:
        with self._lock:
            now = self.clock()
            known = {
                host: [gate.shut_until, gate.refusals]
                for host, gate in self._gates.items()
                if gate.refusals or gate.shut_until > now
            }
            if self.record is not None:
                write_atomic(self.record, json.dumps(known, indent=1) + "\n", guarded=False)


def retry_after_s(said: str | None, now: float) -> float:
    """Return the seconds that ``Retry-After`` asks for; 0 if it says nothing that can be understood.

    Args:
        said: the header: seconds, or a date.
        now: seconds since 1970.
    """
    text = (said or "").strip()
    if text.isdecimal():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except (ValueError, TypeError, OverflowError):
        return 0.0


def _read(record: Path | None) -> dict[str, tuple[float, int]]:
    try:
        said = json.loads(record.read_bytes()) if record else {}
        return {host: (float(until), int(refusals)) for host, (until, refusals) in said.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
