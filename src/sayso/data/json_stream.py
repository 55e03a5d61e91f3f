"""Reading a JSON object that is larger than memory, one entry at a time.

HowTo100M's captions are one object of many gigabytes, one entry a video.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from sayso.core.errors import SaysoError

_CHUNK = 1 << 22
_LARGEST = 1 << 28
_BETWEEN = re.compile(r"[\s,]*")
_COLON = re.compile(r"\s*:\s*")


def json_entries(path: Path, chunk: int = _CHUNK) -> Iterator[tuple[str, Any]]:
    """Yield the keys and values of the object in a file, in order; values are anything but numbers.

    Args:
        path: the file, UTF-8.
        chunk: characters that are read at once.

    Raises:
        SaysoError: if it cannot be read or is no JSON object of such values.
    """
    try:
        with path.open(encoding="utf-8-sig") as file:
            yield from _Entries(file, chunk)
    except (OSError, ValueError, RecursionError) as error:
        raise SaysoError(f"{path} cannot be read: {error}") from error


class _Entries:
    """The entries of one open file; ``text`` is what was read of it and not yet given out."""

    def __init__(self, file: TextIO, chunk: int) -> None:
        self.file, self.chunk = file, chunk
        self.text, self.at = "", 0
        self.decode = json.JSONDecoder().raw_decode

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        while not self.text.strip() and self._more():
            pass
        self.text = self.text.lstrip()
        if not self.text.startswith("{"):
            raise ValueError("expected one JSON object, with an entry for each video")
        self.at = 1
        while (entry := self._entry()) is not None:
            yield entry

    def _entry(self) -> tuple[str, Any] | None:
        """Return the next entry, reading on until it is whole; None at the end of the object."""
        while True:
            start = _end(_BETWEEN.match(self.text, self.at), self.at)
            if self.text[start : start + 1] == "}":
                return None
            try:
                return self._parse(start)
            except ValueError:
                if len(self.text) - start > _LARGEST or not self._more():
                    raise

    def _parse(self, start: int) -> tuple[str, Any]:
        key, at = self.decode(self.text, start)
        colon = _COLON.match(self.text, at)
        if colon is None or not isinstance(key, str):
            raise ValueError(f"expected a key and a colon, found {self.text[start : start + 40]!r}")
        value, end = self.decode(self.text, colon.end())
        if isinstance(value, int | float) and not isinstance(value, bool):  # might go on in the next chunk
            raise ValueError(f"the entry {key!r} is a number")  # noqa: TRY004  as bad JSON is
        self.at = end
        return key, value

    def _more(self) -> bool:
        """Read on, at least as much as there is, so that a long entry is not parsed too often."""
        rest = self.text[self.at :]
        read = self.file.read(max(self.chunk, len(rest)))
        self.text, self.at = rest + read, 0
        return bool(read)


def _end(match: re.Match[str] | None, at: int) -> int:
    return match.end() if match else at
