"""Progress of long work, and the log: a bar on a terminal, JSON lines for programs, silence otherwise.

Everything goes to stderr; stdout is for results. What a person should know besides (a download, a
fall-back, something left out) is logged by the standard library's ``logging`` under ``sayso``, wherever
it arises; the command shows it, without disturbing the bar; a program does with it what it likes.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Protocol, Self

from sayso.core.harmless import harmless

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

Mode = Literal["auto", "bar", "json", "off"]


@dataclass(frozen=True, slots=True)
class Amount:
    """How much media is done, where files say little of the time that they take.

    Args:
        work: seconds of video that are done, and half a second for each picture.
        total_work: of so much.
        seconds: of video that are done.
        total_seconds: of so many.
        bytes: that are done.
        total_bytes: of so many.
        work_per_s: how fast it goes lately.
        eta_s: in how many seconds it will be done; None while that cannot be told.
    """

    work: float
    total_work: float
    seconds: float
    total_seconds: float
    bytes: int
    total_bytes: int
    work_per_s: float
    eta_s: float | None = None


class Progress(Protocol):
    """What long work reports to."""

    def update(
        self, done: float, total: float | None = None, note: str = "", amount: Amount | None = None
    ) -> None:
        """Say how much is done.

        Args:
            done: so much.
            total: of so much, if known.
            note: what is being worked on.
            amount: how much media that is, if that says more of the time.
        """


class _Shown(logging.Handler):
    """Shows what is logged through the reporter that is at work, else on stderr."""

    def __init__(self) -> None:
        super().__init__()
        self.reporters: list[_Reporter] = []

    def emit(self, record: logging.LogRecord) -> None:
        (self.reporters[-1] if self.reporters else _Reporter()).message(
            harmless(self.format(record), lines=bool(record.exc_info))
        )


_shown = _Shown()


def show_log() -> None:
    """Show what ``sayso`` logs, from INFO on; the command does, a library does not."""
    logger = logging.getLogger("sayso")
    logger.setLevel(logging.INFO)
    if _shown not in logger.handlers:
        logger.addHandler(_shown)


class Silent:
    """Reports nothing."""

    def update(
        self, done: float, total: float | None = None, note: str = "", amount: Amount | None = None
    ) -> None:
        """Ignore it.

        Args:
            done: so much.
            total: of so much, if known.
            note: what is being worked on.
            amount: how much media that is.
        """


class _Reporter:
    """Shared by the reporters that print: they are used in a ``with`` block."""

    def __enter__(self) -> Self:
        _shown.reporters.append(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _shown.reporters.remove(self)
        self.close()

    def close(self) -> None:
        """Release the terminal."""

    def update(
        self, done: float, total: float | None = None, note: str = "", amount: Amount | None = None
    ) -> None:
        """Print nothing."""

    def message(self, text: str) -> None:
        """Print the text on stderr."""
        print(text, file=sys.stderr, flush=True)


class _JsonLines(_Reporter):
    """One JSON object a line on stderr, at most a few a second."""

    def __init__(self, what: str, every_s: float = 0.25) -> None:
        self.what, self.every_s, self.last, self.began = what, every_s, 0.0, time.monotonic()

    def update(
        self, done: float, total: float | None = None, note: str = "", amount: Amount | None = None
    ) -> None:
        now = time.monotonic()
        if now - self.last < self.every_s and done != total:
            return
        self.last = now
        rate = done / max(now - self.began, 1e-9)
        eta_s = (total - done) / rate if total is not None and rate > 0 else None
        fields = {"task": self.what, "done": done, "total": total, "rate": rate, "eta_s": eta_s, "note": note}
        if amount is not None:
            fields |= {"eta_s": amount.eta_s, "real_time": amount.work_per_s}
            fields |= {"seconds": amount.seconds, "total_seconds": amount.total_seconds}
            fields |= {"bytes": amount.bytes, "total_bytes": amount.total_bytes}
        self._print(**fields)

    def message(self, text: str) -> None:
        self._print(task=self.what, message=text)

    def _print(self, **fields: object) -> None:
        print(json.dumps(fields), file=sys.stderr, flush=True)


class _Bar(_Reporter):
    """A bar with rate and remaining time."""

    def __init__(self, what: str, unit: str) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn
        from rich.table import Column

        one_line = Column(no_wrap=True, overflow="ellipsis")
        self.bar: RichProgress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            TextColumn("{task.fields[facts]}", markup=False, table_column=one_line),
            console=Console(stderr=True),
            transient=True,
        )
        self.task = self.bar.add_task(what, total=None, facts="")
        self.unit, self.began = unit, time.monotonic()
        self.bar.start()

    def update(
        self, done: float, total: float | None = None, note: str = "", amount: Amount | None = None
    ) -> None:
        of = f"/{total:,.0f}" if total is not None else ""
        counted = f"{done:,.0f}{of} {self.unit}"
        rate = done / max(time.monotonic() - self.began, 1e-9)
        eta_s = (total - done) / rate if total is not None and rate > 0 else None
        facts = [f"{rate:.1f}/s"]
        if amount is not None:
            facts = _media_facts(amount)
            done, total, eta_s = amount.work, amount.total_work, amount.eta_s
        left = [f"{_clock(eta_s)} left"] if eta_s is not None else []
        shown = "  ".join([counted, *left, *facts, harmless(note[-40:])])
        self.bar.update(self.task, completed=done, total=total, facts=shown)

    def message(self, text: str) -> None:
        self.bar.console.print(text, markup=False, highlight=False)

    def close(self) -> None:
        self.bar.stop()


def _media_facts(amount: Amount) -> list[str]:
    """Return how much media is done, and how fast, for people."""
    facts = []
    if amount.total_seconds:
        facts.append(f"{_clock(amount.seconds)}/{_clock(amount.total_seconds)} of video")
    if amount.seconds and amount.work_per_s:
        fast = f"{amount.work_per_s:.0f}" if amount.work_per_s >= 10 else f"{amount.work_per_s:.1f}"
        facts.append(f"{fast} x real time")
    unit, name = (1e9, "GB") if amount.total_bytes >= 1e9 else (1e6, "MB")
    return [*facts, f"{amount.bytes / unit:.1f}/{amount.total_bytes / unit:.1f} {name}"]


def _clock(seconds: float) -> str:
    minutes, second = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{second:02d}"


def reporter(what: str, unit: str = "files", mode: Mode = "auto") -> _Reporter:
    """Return a progress reporter, used in a ``with`` block.

    Args:
        what: a word or two in front of the bar.
        unit: what is counted.
        mode: ``bar``, ``json``, ``off``; ``auto`` is a bar on a terminal, else off.
    """
    if mode == "json":
        return _JsonLines(what)
    if mode == "bar" or (mode == "auto" and sys.stderr.isatty()):
        return _Bar(what, unit)
    return _Reporter()
