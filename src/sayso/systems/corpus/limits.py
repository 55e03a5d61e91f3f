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
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

from sayso.core.io import write_atomic

log = logging.getLogger(__name__)

HOSTS = "hosts.json"
TOLD_S = 60.0
DAY_S = 86_400.0
LONGEST_ASKED_S = 30 * DAY_S
"""A host that asks for more is left alone for so long."""

AT_ONCE_S = 3600.0
_DOUBLED = 60  # times: more make no number


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
        return min(self.wait_s * 2.0 ** min(failures - 1, _DOUBLED), self.longest_s)


class Stopped(Exception):
    """The run is to end: nothing more is asked for."""


@dataclass(eq=False)
class HostGate:
    """A host: when it may be asked next, seconds since 1970."""

    host: str = ""
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
            self._gates[host] = HostGate(
                host, shut_until=min(until, clock() + LONGEST_ASKED_S), refusals=refusals
            )

    def wait(self, seconds: float) -> None:
        """Wait, an hour at most: whoever waits for longer asks the clock again.

        Raises:
            Stopped: if the run is to end.
        """
        if seconds > 0 and not self.stop.is_set():
            self._sleep(min(seconds, AT_ONCE_S))
        if self.stop.is_set():
            raise Stopped

    def gate(self, host: str) -> HostGate:
        """Return a host's."""
        with self._lock:
            return self._gates.setdefault(host, HostGate(host))

    @contextmanager
    def turn(self, host: str) -> Iterator[HostGate]:
        """Wait until a host may be asked; nobody else asks it until the block ends, with the answer's head.

        Raises:
            Stopped: if the run is to end.
        """
        gate = self.gate(host)
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
        self._save(gate)
        if wait >= TOLD_S:
            until = datetime.fromtimestamp(gate.shut_until)
            told = until.strftime("%H:%M" if wait < DAY_S else "%Y-%m-%d %H:%M")
            log.warning("%s wants to be left alone; asking it again at %s", gate.host, told)

    def answered(self, gate: HostGate) -> None:
        """Note within a turn that a host answered: the next refusal is the first again."""
        if gate.refusals:
            gate.refusals = 0
            self._save(gate)

    def _save(self, gate: HostGate) -> None:
        """Write down what a host said, beside what other processes wrote of it and of others."""
        if self.record is None:
            return
        with self._lock:
            known = _read(self.record)
            written, _ = known.get(gate.host, (0.0, 0))
            known[gate.host] = max(written, gate.shut_until), gate.refusals
            now = self.clock()
            kept = {host: said for host, said in known.items() if said[1] or said[0] > now}
            write_atomic(self.record, json.dumps(kept, indent=1) + "\n", guarded=False)


def retry_after_s(said: str | None, now: float) -> float:
    """Return the seconds that ``Retry-After`` asks for, at most 30 days; 0 if it cannot be understood.

    Args:
        said: the header: seconds, or a date.
        now: seconds since 1970.
    """
    text = (said or "").strip()
    if text.isdecimal():
        return min(float(text), LONGEST_ASKED_S)
    try:
        until = parsedate_to_datetime(text)
        if until.tzinfo is None:
            until = until.replace(tzinfo=UTC)
        return min(max(0.0, until.timestamp() - now), LONGEST_ASKED_S)
    except (ValueError, TypeError, OverflowError):
        return 0.0


def _read(record: Path | None) -> dict[str, tuple[float, int]]:
    try:
        said = json.loads(record.read_bytes()) if record else {}
        return {host: (float(until), int(refusals)) for host, (until, refusals) in said.items()}
    except (OSError, ValueError, TypeError, AttributeError, OverflowError):
        return {}
