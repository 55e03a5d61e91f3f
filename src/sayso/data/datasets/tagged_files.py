"""Tags as people keep them: a CSV with the columns ``path`` and ``tags``, or a folder for each tag.

Several tags of a picture are separated by ``;``, ``|`` or a comma; a tag with a question mark
(``dog?``) neither says that it is there nor that it is not. Tags that a picture does not have
count as absent. A picture's rows, where it has several, are taken together.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Never

from sayso.core.errors import SaysoError
from sayso.data.csv_rows import csv_rows
from sayso.data.datasets.coco_json import find_picture
from sayso.data.manifest import Failure
from sayso.data.picture_files import pictures_below
from sayso.data.tags import DataRequest, TaggedPicture, TaggedPictures

_BETWEEN = re.compile(r"[;,|]")
COLUMNS = frozenset({"path", "tags", "split"})
Tags = dict[str, int]  # +1 there, 0 perhaps


def read_tag_table(request: DataRequest) -> TaggedPictures:
    """Return the pictures of a CSV; paths are relative to it, or to the folder of pictures.

    Raises:
        SaysoError: if it cannot be read, lacks a column, or no row is of the split.
    """
    tagged: dict[str, Tags] = {}
    failures = []
    for number, row in _rows(request.path):
        if request.split is not None and (row.get("split") or "").strip() != request.split:
            continue
        name, tags = (row.get("path") or "").strip(), row.get("tags")
        if not name or tags is None:
            why = f"{request.path}, line {number}: expected the columns path and tags"
            if not {"path", "tags"} <= row.keys():
                raise SaysoError(why)
            failures.append(Failure(str(request.path), "tags", why))
            continue
        _add(tagged.setdefault(name, {}), tags)
    if not tagged:
        if failures:
            raise SaysoError(failures[0].error)
        part = "" if request.split is None else f" whose column split is {request.split!r}"
        raise SaysoError(f"{request.path} has no row{part}")
    folder = request.images or request.path.parent
    found = _together((name, _place(folder, name), tags) for name, tags in tagged.items())
    return replace(found, failures=tuple(failures))


def _place(folder: Path, name: str) -> Path:
    """Return where a picture is, also where its path was written on Windows."""
    here = folder / Path(name).expanduser()
    return here if _there(here) else find_picture(name, [folder]) or here


def read_tag_folders(request: DataRequest) -> TaggedPictures:
    """Return the pictures below each folder, whose tag is the folder's name.

    Raises:
        SaysoError: if there are not two such folders.
    """
    root = request.path / request.split if request.split else request.path
    found = [
        (str(path.relative_to(root)), path, {folder.name: 1})
        for folder in sorted(root.glob("*"))
        if folder.is_dir() and not folder.name.startswith(".")
        for path in pictures_below(folder)
    ]
    if len({tag for _, _, tags in found for tag in tags}) < 2:
        raise SaysoError(
            f"{root if root.is_dir() else request.path} is no data set of tagged pictures;"
            " expected a folder of pictures for each of two tags or more, PASCAL VOC's folder, COCO's,"
            " a .json or a .csv"
        )
    return _together(found)


def refuse_boxes(request: DataRequest, pictures: TaggedPictures) -> Never:
    """Say that there are none.

    Raises:
        SaysoError: always.
    """
    count = len(pictures.pictures)
    raise SaysoError(f"{request.path} tells where none of its {count:,} pictures' things are")


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str | None]]]:
    try:
        yield from csv_rows(path, COLUMNS)
    except (OSError, ValueError, csv.Error) as error:
        raise SaysoError(f"{path} cannot be read: {error}") from error


def _add(tags: Tags, written: str) -> None:
    for part in _BETWEEN.split(written):
        tag = part.strip().removesuffix("?").strip()
        if tag:
            tags[tag] = max(tags.get(tag, 0), 0 if part.strip().endswith("?") else 1)


def _together(found: Iterable[tuple[str, Path, Tags]]) -> TaggedPictures:
    listed = list(found)
    names = tuple(sorted({tag for _, _, tags in listed for tag in tags}))
    pictures = [
        TaggedPicture(path, tuple(tags.get(name, -1) for name in names), id_) for id_, path, tags in listed
    ]
    return TaggedPictures(
        names,
        tuple(picture for picture in pictures if _there(picture.path)),
        tuple(str(picture.path) for picture in pictures if not _there(picture.path)),
    )


def _there(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
