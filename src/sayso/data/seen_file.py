"""The file of machine-made captions: JSON lines that are only added while a run goes."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sayso.core.errors import SaysoError
from sayso.core.io import write_atomic
from sayso.core.ownership import refuse_foreign
from sayso.core.types import Span
from sayso.data.json_lines import json_lines
from sayso.media.files import open_regular


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
        if not path.exists() or self._read():
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

    def _read(self) -> bool:
        """Take the rows of the file; return whether its last line was cut off."""
        try:
            cut, rows = _is_cut(self.path), list(json_lines(self.path))
        except (OSError, ValueError) as error:
            raise SaysoError(f"{self.path} cannot be read: {error}; give another --out") from error
        if cut and rows and isinstance(rows[-1][1], str):
            rows.pop()
        for number, row in rows:
            if isinstance(row, str) or "seen" not in row or not isinstance(row.get("path"), str):
                raise SaysoError(f"{self.path}, line {number}, is no caption; give another --out")
            self._take(row)
        return cut


def _is_cut(path: Path) -> bool:
    with open_regular(path, may_be_empty=True) as descriptor:
        size = os.fstat(descriptor).st_size
        return size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"


def row_span(row: Mapping[str, Any]) -> Span | None:
    """Return the stretch of a row; None of a picture's."""
    start, end = row.get("start_s"), row.get("end_s")
    if isinstance(start, int | float) and isinstance(end, int | float):
        return Span(float(start), float(end))
    return None


def _line(row: Mapping[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False) + "\n"
