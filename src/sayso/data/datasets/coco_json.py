"""What COCO's files share: pictures, categories and annotations, each with an id; where pictures lie.

Files of other tools are in this form too, and not always sound: ids are numbers, strings of digits or any
other text, paths are those of Windows, annotations name pictures that were filtered out. A record that
cannot be used is a failure, with its id; the others are read.

Source
    Lin et al. 2014, Microsoft COCO. https://arxiv.org/abs/1405.0312
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from sayso.core.errors import SaysoError
from sayso.data.manifest import Failure

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class CocoFile:
    """What a file holds, by id; ``1``, ``"1"`` and ``1.0`` are one id.

    Args:
        path: the file.
        pictures: the file name of each picture.
        annotations: those of listed pictures: where it stands (from 0), the picture's id, and the row.
        categories: the name of each category, in the file's order; empty if they were not asked for.
        failures: the records that are left out.
        listed: how many annotations there are.
    """

    path: Path
    pictures: dict[str, str]
    annotations: list[tuple[int, str, Row]]
    categories: dict[str, str]
    failures: tuple[Failure, ...]
    listed: int


def read_coco_file(path: Path, form: str, *, categories: bool) -> CocoFile:
    """Read a file in COCO's format.

    Args:
        path: the file.
        form: what it is expected to hold, for the message.
        categories: whether it must have them.

    Raises:
        SaysoError: if it is no such file, or none of its annotations can be used.
    """
    content = _content(path, ("images", "annotations", *(("categories",) if categories else ())), form)
    wrong: list[str] = []
    pictures = dict(_named(content["images"], "picture", "file_name", wrong))
    names = dict(_named(content["categories"], "category", "name", wrong)) if categories else {}
    annotations = []
    for number, row in enumerate(content["annotations"]):
        why = _unusable(row, pictures, names, categories=categories)
        if why:
            wrong.append(f"{annotation_name(row, number)} {why}")
        else:
            annotations.append((number, _id(row["image_id"]) or "", row))
    failures = tuple(Failure(str(path), "annotations", why) for why in wrong)
    if not pictures or (content["annotations"] and not annotations):
        first = f": {wrong[0]}" if wrong else ""
        what = "annotations can be used" if pictures else "pictures is listed as it should be"
        raise SaysoError(f"{path} is not in {form}: none of its {what}{first}")
    return CocoFile(path, pictures, annotations, names, failures, len(content["annotations"]))


def category_of(row: Row) -> str:
    """Return the id of an annotation's category."""
    return _id(row["category_id"]) or ""


def annotation_name(row: object, number: int) -> str:
    """Return what to call an annotation: by its id, else by where it stands, from 1."""
    id_ = _id(row.get("id")) if isinstance(row, dict) else None
    return f"annotation {id_}" if id_ else f"the {number + 1:,}. annotation"


def find_picture(name: str, folders: Sequence[Path]) -> Path | None:
    """Return the file that a record names, in the first folder that has it; None if none has.

    Paths of Windows are understood, and so are those that repeat the folder's name, or were absolute on
    another machine: of these the longest end that is there.
    """
    for spelled in _spellings(name):
        for folder in folders:
            repeats = PurePosixPath(spelled).parts[:1] == (folder.name,)
            for path in (folder / spelled, *([folder.parent / spelled] if repeats else [])):
                if _is_file(path):
                    return path
    return None


def _content(path: Path, keys: Sequence[str], form: str) -> dict[str, list[Any]]:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
        rows = {key: content[key] for key in keys}
    except (OSError, ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
        what = f"{type(error).__name__}: {error}".splitlines()[0]
        raise SaysoError(f"{path} is not in {form}: {what}") from error
    wrong = next((key for key, found in rows.items() if not isinstance(found, list)), None)
    if wrong is not None:
        raise SaysoError(f"{path} is not in {form}: {wrong!r} is no list")
    return rows


def _named(rows: list[Any], what: str, key: str, wrong: list[str]) -> Iterator[tuple[str, str]]:
    """Yield id and name of rows; say of the others what is wrong."""
    seen: set[str] = set()
    for number, row in enumerate(rows, 1):
        id_, name = (_id(row.get("id")), row.get(key)) if isinstance(row, dict) else (None, None)
        if id_ is None or not isinstance(name, str | int | float) or not str(name).strip():
            wrong.append(f"{what} {id_ or number} has no id or no {key}")
        elif id_ in seen:
            wrong.append(f"{what} {id_} is there twice; the first counts")
        else:
            seen.add(id_)
            yield id_, str(name)


def _unusable(row: object, pictures: dict[str, str], names: dict[str, str], *, categories: bool) -> str:
    """Return why an annotation cannot be used; nothing if it can."""
    if not isinstance(row, dict):
        return "is no object"
    for what, key, known in (("picture", "image_id", pictures), ("category", "category_id", names)):
        if key == "category_id" and not categories:
            continue
        id_ = _id(row.get(key))
        if id_ is None:
            return f"has no {key}"
        if id_ not in known:
            return f"is of {what} {id_}, which is not listed"
    return ""


def _id(value: object) -> str | None:
    """Return an id as text, the same for a number and its digits; None if it is none."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip() or None


def _spellings(name: str) -> Iterator[str]:
    """Yield the paths that a name may mean, the likeliest first."""
    yield name
    windows = PureWindowsPath(name)
    parts = windows.parts[1:] if windows.anchor else windows.parts
    if windows.anchor or "\\" in name:
        yield "/".join(parts)
    if windows.anchor:
        yield from ("/".join(parts[k:]) for k in range(1, len(parts)))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
