"""What was interrupted is no result: a benchmark that trains ends there, and the same command goes on."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

from sayso.cli.exit_codes import INTERRUPTED

if TYPE_CHECKING:
    from sayso.engine.train import Trained


def whole(trained: Trained) -> Trained:
    """Return what was trained to its last step; end the program if it was interrupted before."""
    if trained.interrupted:
        _end(f"interrupted at step {trained.step:,} of {trained.folder.parent}")
    return trained


def run(main: Callable[[], None]) -> None:
    """Run a benchmark; one that is interrupted says so in a sentence."""
    try:
        main()
    except KeyboardInterrupt:
        _end("interrupted")


def _end(what: str) -> NoReturn:
    print(f"{what}: nothing was kept of it as a result; the same command goes on", file=sys.stderr)
    raise SystemExit(INTERRUPTED)
