"""Manifests: files to look at, listed with what is known of them.

A manifest is a CSV, JSONL or Parquet file whose rows name a file (``path``),
and may name a span (``start_s``, ``end_s``), what is said in it (``text``), a
``title`` and a caption file (``captions``); every other column is kept and comes
back with the hits. A row with ``seen`` says what a model saw (``sayso caption``);
where that is empty it says nothing of it. Relative paths are relative to the
manifest. A list of failures that an earlier run wrote is a manifest too, and so
is what ``sayso search`` printed with ``--csv`` or ``--json``.
"""

from __future__ import annotations

import csv
import json
import math
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path, PureWindowsPath
from typing import Any

from sayso.core.errors import SaysoError
from sayso.core.io import write_atomic
from sayso.core.ownership import remove_own
from sayso.core.types import Caption, Span
from sayso.data.csv_rows import csv_rows
from sayso.data.json_lines import json_lines
from sayso.data.plain import as_text, plain
from sayso.media.files import open_regular

MANIFESTS = {".csv", ".jsonl", ".parquet"}
_FAILURE = {"path", "stage", "error"}
_KNOWN = {"path", "start_s", "end_s", "text", "title", "captions"}
_SEEN = "seen"
_CAPTION = {_SEEN, "made_by"}  # of a row of ``sayso caption``, whose model may say nothing
MOST_SECONDS = 1e9
"""Thirty years; a time beyond it is a slip."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a manifest: a span of a file, or all of it if ``span`` is None."""

    span: Span | None
    text: str = ""
    title: str | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)

    def joined(self, other: Row) -> Row:
        """Return what two rows say of the same span; where both name something, the first counts."""
        texts = dict.fromkeys(text for text in (self.text, other.text) if text)
        return Row(self.span, " ".join(texts), self.title or other.title, {**other.meta, **self.meta})


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file, and what is known of it besides its content."""

    path: str
    rows: tuple[Row, ...] = ()
    captions: str | None = None
    named: bool = False
    """Whether somebody named this very file, so that not knowing its kind is an error."""
    seen: tuple[Caption, ...] = ()
    """What a model saw in it, and when; a picture's has no duration."""

    def joined(self, other: ListedFile) -> ListedFile:
        """Return all that two lists say of one file; of one span they say it in one row.

        Args:
            other: names the same file; what can be one thing only (a title, captions) is taken from it last.
        """
        rows: dict[Span | None, Row] = {}
        for row in (*self.rows, *other.rows):
            rows[row.span] = rows[row.span].joined(row) if row.span in rows else row
        return ListedFile(
            self.path,
            tuple(rows.values()) if self.rows and other.rows else self.rows or other.rows,
            self.captions or other.captions,
            self.named or other.named,
            tuple(dict.fromkeys((*self.seen, *other.seen))),
        )


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that could not be used: where, at which stage, and one sentence why."""

    path: str
    stage: str
    error: str

    def to_dict(self) -> dict[str, str]:
        """Return the fields, ready for JSON."""
        return {"path": printable(self.path), "stage": self.stage, "error": printable(self.error)}


def write_failures(failures: Sequence[Failure], path: Path | None) -> None:
    """Write a manifest of what failed, for another try; if nothing did, remove that of an earlier run."""
    if path is None:
        return
    if failures:
        lines = [json.dumps(failure.to_dict(), ensure_ascii=False) for failure in failures]
        write_atomic(path, "\n".join(lines) + "\n", of_input=True)
    else:
        remove_own(path, of_input=True)


def is_failure_list(path: Path) -> bool:
    """Tell whether a manifest is a list of what failed in an earlier run."""
    if path.suffix.lower() != ".jsonl":
        return False
    try:
        first = next((row for _, row in manifest_rows(path)), None)
    except SaysoError:
        return False
    return isinstance(first, dict) and first.keys() == _FAILURE


def printable(text: str) -> str:
    """Return ``text`` with undecodable bytes of a file name written as escapes."""
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # half characters, which no file's name gives
        return text.encode("utf-8", "backslashreplace").decode()


def read_manifest(path: Path) -> Iterator[ListedFile | Failure]:
    """Yield the files a manifest names, the rows of one file together; a row that is wrong is a failure.

    A file keeps its other rows; one of which no row is right is not yielded. Manifests that a list of
    failures names are read again.

    Raises:
        SaysoError: if the manifest cannot be read, or none of its rows names a file.
    """
    grouped: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    wrong: list[Failure] = []
    again: dict[Path, None] = {}
    for number, row in manifest_rows(path):
        name = row.get("path") if isinstance(row, dict) else None
        if not isinstance(row, dict) or not isinstance(name, str) or not name:
            why = row if isinstance(row, str) else "there is no 'path'; every row must name a file"
            wrong.append(Failure(str(path), "manifest", f"{path}, row {number}: {why}"))
            continue
        if "\0" in name:
            wrong.append(Failure(str(path), "manifest", f"{path}, row {number}: the path holds a NUL"))
            continue
        full = _place(path.parent, name)
        if row.keys() == _FAILURE and (listed := Path(full)).suffix.lower() in MANIFESTS:
            again[listed] = None
            continue
        grouped.setdefault(full, []).append((number, {} if row.keys() == _FAILURE else row))
    if wrong and not grouped:
        raise SaysoError(wrong[0].error)
    yield from wrong
    for full, rows in grouped.items():
        yield from _file(path, full, rows)
    for listed in (one for one in again if not is_failure_list(one)):
        try:
            yield from read_manifest(listed)
        except SaysoError as error:
            yield Failure(str(listed), "manifest", str(error))


def _file(
    path: Path, full: str, rows: Sequence[tuple[int, dict[str, Any]]]
) -> Iterator[ListedFile | Failure]:
    """Yield a file, if one of its numbered rows is right, and what is wrong with the others."""
    parsed, seen, wrong, captions = list[Row](), list[Caption](), list[Failure](), None
    for number, row in rows:
        try:
            of_model = as_text(row, _SEEN) is not None or row.keys() >= _CAPTION
            if of_model:
                seen.append(_parse_seen(row))
            if row and (not of_model or as_text(row, "text") or as_text(row, "title")):
                parsed.append(_parse(row))
            captions = captions or as_text(row, "captions")
        except ValueError as error:
            why = f"{path}, row {number}: the row of {full} is wrong: {error}"
            wrong.append(Failure(full, "manifest", why))
    if len(wrong) < len(rows):
        caption_path = os.path.abspath(path.parent / captions) if captions else None  # noqa: PTH100
        yield ListedFile(full, tuple(parsed), caption_path, named=True, seen=tuple(seen))
    yield from wrong


def _place(folder: Path, name: str) -> str:
    """Return the path of a file, also where it was written on Windows relative to the manifest."""
    full = os.path.abspath(folder / os.path.expanduser(name))  # noqa: PTH100, PTH111
    if "\\" in name and not os.path.lexists(full):
        windows = PureWindowsPath(name)
        return full if windows.anchor else os.path.abspath(folder / windows.as_posix())  # noqa: PTH100
    return full


def _parse(row: Mapping[str, Any]) -> Row:
    span = _span(row)
    own = {*_KNOWN, _SEEN}
    meta = {key: value for key, value in row.items() if key not in own and value not in (None, "")}
    return Row(span, as_text(row, "text") or "", as_text(row, "title"), plain(meta))


def _parse_seen(row: Mapping[str, Any]) -> Caption:
    return Caption(_span(row) or Span(0.0, 0.0), as_text(row, _SEEN) or "")


def _span(row: Mapping[str, Any]) -> Span | None:
    start, end = (_seconds(row, key) for key in ("start_s", "end_s"))
    if (start is None) != (end is None):
        raise ValueError("start_s and end_s go together")
    span = Span(start, end) if start is not None and end is not None else None
    if row.get("kind") == "picture" and span == Span(0.0, 0.0):  # as hits say it
        return None
    if span is not None and (span.start < 0 or not span.duration > 0):
        raise ValueError(f"the span {span.start} to {span.end} s is empty or starts before 0")
    return span


def _seconds(row: Mapping[str, Any], key: str) -> float | None:
    value = row.get(key)
    if value in (None, ""):
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise ValueError(f"{key} is {type(value).__name__} where seconds are expected")  # noqa: TRY004
    try:
        seconds = float(value)
    except OverflowError:
        seconds = math.inf
    if not math.isfinite(seconds) or seconds > MOST_SECONDS:
        raise ValueError(f"{key} is {str(value)[:40]}")
    return seconds


def manifest_rows(
    path: Path, columns: Collection[str] = frozenset(_KNOWN)
) -> Iterator[tuple[int, dict[str, Any] | str]]:
    """Yield each row with its number, or why it cannot be read; a few thousand are in memory at once.

    Args:
        path: the file.
        columns: that a CSV is expected to have some of.

    Raises:
        SaysoError: if the file cannot be read.
    """
    try:
        if path.suffix.lower() == ".parquet":
            yield from enumerate(_parquet_rows(path), 1)
        elif path.suffix.lower() == ".csv":
            yield from enumerate((row for _, row in csv_rows(path, columns)), 2)
        else:
            yield from json_lines(path)
    except (OSError, ValueError, ArithmeticError, csv.Error) as error:
        raise SaysoError(f"the manifest {path} cannot be read: {error}") from error


def _parquet_rows(path: Path) -> Iterator[dict[str, Any] | str]:
    """Yield each row, or why it has no value in Python: a date too late, text that is no UTF-8."""
    import pyarrow.parquet as pq

    with open_regular(path), pq.ParquetFile(path) as file:
        for batch in file.iter_batches():
            try:
                yield from batch.to_pylist()
            except (ValueError, ArithmeticError):
                for k in range(batch.num_rows):
                    try:
                        row = batch.slice(k, 1).to_pylist()[0]
                    except (ValueError, ArithmeticError) as error:
                        row = str(error)
                    yield row
