"""Files of JSON lines, one object a line: what one line holds never costs more than that line may be long."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

from sayso.media.files import open_regular

LONGEST_LINE = 16 << 20
"""Bytes of one row as JSON; a longer one is told, and passed over without being held."""


def json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any] | str]]:
    """Yield the object of each line that is not blank, with the line's number, or why there is none.

    Args:
        path: the file, UTF-8.

    Raises:
        OSError: if it cannot be read.
        MediaError: if it is missing, or no regular file.
        ValueError: if it is UTF-16.
    """
    for number, line in _lines(path):
        if line is None or line.strip():
            yield number, _object(line)


def _lines(path: Path) -> Iterator[tuple[int, bytes | None]]:
    """Yield each line with its number (from 1), None in the place of one that is too long to hold."""
    with open_regular(path, may_be_empty=True) as descriptor, open(descriptor, "rb", closefd=False) as file:
        if file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            raise ValueError("it is UTF-16; save it as UTF-8")
        file.seek(0)
        for number in count(1):
            line = file.readline(LONGEST_LINE)
            if not line:
                return
            whole = len(line) < LONGEST_LINE or line.endswith(b"\n")
            held: bytes | None = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
            while not whole and (rest := file.readline(1 << 20)):
                whole, held = rest.endswith(b"\n"), None
            yield number, held


def _object(line: bytes | None) -> dict[str, Any] | str:
    """Return the object in a line, or why there is none."""
    if line is None:
        return f"it is longer than {LONGEST_LINE >> 20} MiB, which no row may be"
    try:
        row = json.loads(line.decode())
    except (ValueError, RecursionError) as error:
        return f"it is no JSON: {error}"
    return row if isinstance(row, dict) else "it is no object {...}"
