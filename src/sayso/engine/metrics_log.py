"""The metrics of a run while it goes: ``log.jsonl``, and TensorBoard where it is installed."""

from __future__ import annotations

import json
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sayso.core.io import write_atomic
from sayso.engine.event_file import EventFile


class MetricsLog:
    """Appends lines to ``log.jsonl``; those of steps after ``step``, left by a killed run, are removed.

    Lines that somebody else wrote stay; a last line that a kill cut off does not.

    Args:
        folder: the run's.
        step: the last step that is kept.
        on: whether to write at all; of several processes one does.
    """

    def __init__(self, folder: Path, step: int, on: bool = True) -> None:
        self.path, self.events = folder / "log.jsonl", None
        self.on = on
        if not on:
            return
        text = self.path.read_text(encoding="utf-8", errors="surrogateescape") if self.path.exists() else ""
        lines = text.splitlines(keepends=True)
        kept = "".join(line for line in lines if _stays(line, step))
        if kept != text or not kept:
            write_atomic(self.path, kept.encode("utf-8", "surrogateescape"), guarded=False)
        if find_spec("tensorboard"):
            self.events = EventFile(folder / "tensorboard", step + 1)

    def write(self, line: dict[str, Any]) -> None:
        """Write numbers under ``line["step"]``."""
        if not self.on:
            return
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({**line, "time": round(time.time(), 3)}) + "\n")
        if self.events is not None:
            self.events.write({key: value for key, value in line.items() if key != "step"}, line["step"])


def _stays(line: str, step: int) -> bool:
    """Return whether a line is somebody else's, or of a step up to the last."""
    found = _step(line)
    return line.endswith("\n") if found is None else found <= step


def _step(line: str) -> int | None:
    """Return a line's step; None if it was cut off, or is none of ours."""
    try:
        return int(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return None
