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
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Protocol, Self

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

Mode = Literal["auto", "bar", "json", "off"]


class Progress(Protocol):
    """What long work reports to."""

    def update(self, done: float, total: float | None = None, note: str = "") -> None:
        """Say how much is done.

        Args:
            done: so much.
            total: of so much, if known.
            note: what is being worked on.
        """


class _Shown(logging.Handler):
    """Shows what is logged through the reporter that is at work, else on stderr."""

    def __init__(self) -> None:
        super().__init__()
        self.reporters: list[_Reporter] = []

    def emit(self, record: logging.LogRecord) -> None:
        (self.reporters[-1] if self.reporters else _Reporter()).message(self.format(record))


_shown = _Shown()


def show_log() -> None:
    """Show what ``sayso`` logs, from INFO on; the command does, a library does not."""
    logger = logging.getLogger("sayso")
    logger.setLevel(logging.INFO)
    if _shown not in logger.handlers:
        logger.addHandler(_shown)


class Silent:
    """Reports nothing."""

    def update(self, done: float, total: float | None = None, note: str = "") -> None:
        """Ignore it.

        Args:
            done: so much.
            total: of so much, if known.
            note: what is being worked on.
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

    def update(self, done: float, total: float | None = None, note: str = "") -> None:
        """Print nothing."""

    def message(self, text: str) -> None:
        """Print the text on stderr."""
        print(text, file=sys.stderr, flush=True)


class _JsonLines(_Reporter):
    """One JSON object a line on stderr, at most a few a second."""

    def __init__(self, what: str, every_s: float = 0.25) -> None:
        self.what, self.every_s, self.last, self.began = what, every_s, 0.0, time.monotonic()

    def update(self, done: float, total: float | None = None, note: str = "") -> None:
        now = time.monotonic()
        if now - self.last < self.every_s and done != total:
            return
        self.last = now
        rate = done / max(now - self.began, 1e-9)
        eta_s = (total - done) / rate if total is not None and rate > 0 else None
        self._print(task=self.what, done=done, total=total, rate=rate, eta_s=eta_s, note=note)

    def message(self, text: str) -> None:
        self._print(task=self.what, message=text)

    def _print(self, **fields: object) -> None:
        print(json.dumps(fields), file=sys.stderr, flush=True)


class _Bar(_Reporter):
    """A bar with rate and remaining time."""

    def __init__(self, what: str, unit: str) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self.bar: RichProgress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:.0f}/{task.total} " + unit),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}", markup=False),
            console=Console(stderr=True),
            transient=True,
        )
        self.task = self.bar.add_task(what, total=None, note="", rate="")
        self.began = time.monotonic()
        self.bar.start()

    def update(self, done: float, total: float | None = None, note: str = "") -> None:
        rate = f"{done / max(time.monotonic() - self.began, 1e-9):.1f}/s"
        self.bar.update(self.task, completed=done, total=total, note=note[-40:], rate=rate)

    def message(self, text: str) -> None:
        self.bar.console.print(text, markup=False, highlight=False)

    def close(self) -> None:
        self.bar.stop()


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
