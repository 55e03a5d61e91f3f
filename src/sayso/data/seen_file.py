"""The file of machine-made captions: JSON lines that are only added while a run goes."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from sayso.core.errors import SaysoError
from sayso.core.io import write_atomic
from sayso.core.ownership import refuse_foreign
from sayso.core.types import Span


class SeenFile:
    """Captions of what a model saw, a row each; a line that a kill cut off is dropped.

    Args:
        path: the file.

    Raises:
        SaysoError: if it is another program's, or holds something else.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: list[dict[str, Any]] = []
        self._by_path: dict[str, list[int]] = {}
        refuse_foreign(path, grows=True)
        whole, cut = self._lines()
        for number, line in enumerate(whole, 1):
            row = _json(line)
            if row is None or "seen" not in row or not isinstance(row.get("path"), str):
                raise SaysoError(f"{path}, line {number}, is no caption; give another --out")
            self._take(row)
        if cut or not path.exists():
            self._write()

    def of(self, path: str) -> list[tuple[int, dict[str, Any]]]:
        """Return the rows of a file in time order, each with its number."""
        rows = [(number, self.rows[number]) for number in self._by_path.get(self.spelled(path), ())]
        return sorted(rows, key=lambda row: float(row[1].get("start_s") or 0.0))

    def spelled(self, path: str) -> str:
        """Return a path as rows have it: relative to the file of captions, where it lies below its folder."""
        folder = self.path.absolute().parent
        return os.path.relpath(path, folder) if Path(path).is_relative_to(folder) else path

    def append(self, rows: Sequence[dict[str, Any]]) -> None:
        """Add rows, on disk when this returns.

        Raises:
            SaysoError: if the file cannot be written.
        """
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.writelines(map(_line, rows))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise SaysoError(
                f"{self.path} cannot be written: {error.strerror}; give another --out"
            ) from error
        for row in rows:
            self._take(row)

    def drop(self, numbers: set[int]) -> None:
        """Remove rows, and note the file as this command's."""
        self.rows = [row for number, row in enumerate(self.rows) if number not in numbers]
        kept, self.rows, self._by_path = self.rows, [], {}
        for row in kept:
            self._take(row)
        self._write()

    def _write(self) -> None:
        write_atomic(self.path, "".join(map(_line, self.rows)), grows=True)

    def _take(self, row: dict[str, Any]) -> None:
        self._by_path.setdefault(str(row["path"]), []).append(len(self.rows))
        self.rows.append(row)

    def _lines(self) -> tuple[list[str], bool]:
        """Return the whole lines, and whether another one was cut off."""
        if not self.path.exists():
            return [], False
        try:
            text = self.path.read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            raise SaysoError(f"{self.path} cannot be read: {error.strerror}; give another --out") from error
        *lines, last = text.split("\n")
        return [line for line in lines if line.strip()], bool(last)


def row_span(row: Mapping[str, Any]) -> Span | None:
    """Return the stretch of a row; None of a picture's."""
    start, end = row.get("start_s"), row.get("end_s")
    if isinstance(start, int | float) and isinstance(end, int | float):
        return Span(float(start), float(end))
    return None


def _line(row: Mapping[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False) + "\n"


def _json(line: str) -> dict[str, Any] | None:
    with suppress(ValueError, RecursionError):
        row = json.loads(line)
        return row if isinstance(row, dict) else None
    return None
