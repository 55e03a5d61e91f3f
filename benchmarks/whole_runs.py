"""What was interrupted is no result: a benchmark that trains ends there, and the same command goes on."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

from sayso.cli.exit_codes import INTERRUPTED

if TYPE_CHECKING:
    from sayso.engine.train import Trained


def whole(trained: Trained, *, kept: bool = True) -> Trained:
    """Return what was trained to its last step; end the program if it was interrupted before.

    Args:
        trained: what ``sayso.train`` gave.
        kept: whether the run's folder stays, so that the same command goes on with it.
    """
    if trained.interrupted:
        _end(f"interrupted at step {trained.step:,} of {trained.folder.parent}", kept)
    return trained


def run(main: Callable[[], None], *, kept: bool = True) -> None:
    """Run a benchmark; one that is interrupted says so in a sentence."""
    try:
        main()
    except KeyboardInterrupt:
        _end("interrupted", kept)


def _end(what: str, kept: bool) -> NoReturn:
    again = "goes on" if kept else "begins anew"
    print(f"{what}: nothing was kept of it as a result; the same command {again}", file=sys.stderr)
    raise SystemExit(INTERRUPTED)
