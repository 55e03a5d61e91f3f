"""Pictures that a person names: files, and all those anywhere in folders."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from sayso.core.errors import SaysoError, nothing_at
from sayso.core.ownership import drawn_in
from sayso.media.kinds import kind_of

FilePath = str | os.PathLike[str]


def picture_files(paths: Sequence[FilePath]) -> Iterator[Path]:
    """Yield pictures, and those anywhere in folders.

    Raises:
        SaysoError: if a place is not there, or a folder holds no picture.
    """
    for place in (Path(place).expanduser() for place in paths):
        if not place.exists():
            raise SaysoError(nothing_at(place, "name pictures, or folders of pictures"))
        if not place.is_dir():
            yield place
            continue
        inside = pictures_below(place)
        if not inside:
            raise SaysoError(f"{place} holds no picture")
        yield from inside


def pictures_below(folder: Path) -> list[Path]:
    """Return the pictures anywhere in a folder, but hidden ones and those that sayso drew of others."""
    shown = (path for path in sorted(folder.rglob("*")) if not _is_hidden(path.relative_to(folder)))
    found = [path for path in shown if kind_of(path) == "picture" and path.is_file()]
    drawn = {above: drawn_in(above) for above in {path.parent for path in found}}
    return [path for path in found if path.name not in drawn[path.parent]]


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)
