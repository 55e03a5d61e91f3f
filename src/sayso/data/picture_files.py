"""Pictures that a person names: files, and all those anywhere in folders."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from sayso.core.errors import SaysoError
from sayso.media.kinds import kind_of

FilePath = str | os.PathLike[str]


def picture_files(paths: Sequence[FilePath]) -> Iterator[Path]:
    """Yield pictures, and those anywhere in folders.

    Raises:
        SaysoError: if a place is not there, or a folder holds no picture.
    """
    for place in (Path(place).expanduser() for place in paths):
        if not place.exists():
            raise SaysoError(f"{place} is not there; name pictures, or folders of pictures")
        if not place.is_dir():
            yield place
            continue
        inside = [file for file in sorted(place.rglob("*")) if file.is_file() and kind_of(file) == "picture"]
        if not inside:
            raise SaysoError(f"{place} holds no picture")
        yield from inside
