"""The metrics of a run while it goes: ``log.jsonl``, and TensorBoard where it is installed."""

from __future__ import annotations

import json
import time
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sayso.core.io import write_atomic


class MetricsLog:
    """Appends lines to ``log.jsonl``; lines of steps after ``step``, left by a killed run, are removed.

    Args:
        folder: the run's.
        step: the last step that is kept.
        on: whether to write at all; of several processes one does.
    """

    def __init__(self, folder: Path, step: int, on: bool = True) -> None:
        self.path, self.board = folder / "log.jsonl", None
        self.on = on
        if not on:
            return
        kept = [line for line in self._lines() if _step(line) is not None and (_step(line) or 0) <= step]
        if kept != self._lines() or not kept:
            write_atomic(self.path, "".join(f"{line}\n" for line in kept), guarded=False)
        if find_spec("tensorboard"):
            from torch.utils.tensorboard import SummaryWriter

            self.board = SummaryWriter(str(folder / "tensorboard"), purge_step=step + 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.board is not None:
            self.board.close()

    def write(self, line: dict[str, Any]) -> None:
        """Write numbers under ``line["step"]``."""
        if not self.on:
            return
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({**line, "time": round(time.time(), 3)}) + "\n")
        if self.board is not None:
            for key, value in line.items():
                if key != "step":
                    self.board.add_scalar(key, value, line["step"])

    def _lines(self) -> list[str]:
        return self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []


def _step(line: str) -> int | None:
    """Return a line's step; None if it was cut off."""
    try:
        return int(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return None
