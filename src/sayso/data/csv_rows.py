"""Rows of a CSV as spreadsheets save it: UTF-8, UTF-16 or an old code page; commas, semicolons or tabs.

What separates the columns is told by the header: it is what parts the names that are asked for. These count
in any case ("Path"); other columns keep their names. An apostrophe before = + - or @ says that a cell is
text, and is no part of it.
"""

from __future__ import annotations

import codecs
import csv
import io
import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import BinaryIO

from sayso.core.harmless import without_guard
from sayso.media.files import open_descriptor
from sayso.text import guess_code_page

SAMPLE = 1 << 20
SEPARATORS = ",;\t|"


def csv_rows(path: Path, columns: Collection[str]) -> Iterator[tuple[int, dict[str, str | None]]]:
    """Yield each row with its line (from 1): column -> cell, None where the row ends before it.

    Args:
        path: the file.
        columns: names in lower case that some columns are expected to have.

    Raises:
        OSError: or MediaError, if it cannot be read.
        ValueError: or csv.Error, if it is no CSV.
    """
    with (
        _regular(path) as content,
        io.TextIOWrapper(content, encoding=_encoding(content), newline="") as file,
    ):
        header = file.readline()
        file.seek(0)
        reader = csv.DictReader(file, delimiter=_separator(header, columns))
        reader.fieldnames = [_known(name, columns) for name in reader.fieldnames or ()]
        for row in reader:
            cells = ((name, cell) for name, cell in row.items() if name)
            yield reader.line_num, {name: cell and without_guard(cell) for name, cell in cells}


def _regular(path: Path) -> BinaryIO:
    return os.fdopen(open_descriptor(path, may_be_empty=True), "rb")


def _encoding(content: BinaryIO) -> str:
    head = content.read(SAMPLE)
    content.seek(0)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return guess_code_page(head)
    return "utf-8-sig"


def _separator(header: str, columns: Collection[str]) -> str:
    """Return what parts most of the names that are asked for; of equals the first."""

    def named(separator: str) -> int:
        return sum(
            _known(name, columns) in columns for name in next(csv.reader([header], delimiter=separator), ())
        )

    return max(SEPARATORS, key=named)


def _known(name: str | None, columns: Collection[str]) -> str:
    """Return the name of a column as it is asked for, or as it stands."""
    plain = (name or "").strip().lower()
    return plain if plain in columns else name or ""
