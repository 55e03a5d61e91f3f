"""COCO's instances: a JSON file of pictures, categories and boxes.

DIR may be the file, or a folder with ``instances.json`` or ``annotations/instances_<split>*.json``
in it. A picture that shows only crowds of a category neither has it nor lacks it (label 0).

Source
    Lin et al. 2014, Microsoft COCO. https://arxiv.org/abs/1405.0312
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sayso.core.errors import SaysoError
from sayso.core.types import Box
from sayso.data.tags import DataRequest, TaggedBox, TaggedPicture, TaggedPictures

_FORM = "'images' with id and file_name, 'annotations' with image_id and category_id, 'categories'"


@dataclass(frozen=True, slots=True)
class _Instances:
    """What the file holds.

    Args:
        path: the file.
        names: of the categories, in the file's order.
        files: of each picture's id, its file name.
        things: of each picture's id, its annotations with the index of the category.
    """

    path: Path
    names: tuple[str, ...]
    files: dict[int, str]
    things: dict[int, list[tuple[int, dict[str, Any]]]]


def instances_file(path: Path, split: str | None = None) -> Path | None:
    """Return the file of instances that a path means; None if there is none.

    Raises:
        SaysoError: if there are several.
    """
    if path.is_file():
        return path if path.suffix.lower() == ".json" else None
    files = sorted([*path.glob("instances*.json"), *(path / "annotations").glob("instances*.json")])
    if split is not None and len(files) > 1:
        files = [file for file in files if file.stem.removeprefix("instances_").startswith(split)]
    if len(files) > 1:
        raise SaysoError(f"{path} holds {', '.join(file.name for file in files)}; name one of them")
    return files[0] if files else None


def read_coco(request: DataRequest) -> TaggedPictures:
    """Return the pictures and which categories each shows.

    Raises:
        SaysoError: if the file cannot be read or is not in COCO's format.
    """
    instances = _read(_file(request))
    pictures, missing = [], []
    for id_, name in instances.files.items():
        path = _picture(name, instances.path, request)
        if path is None:
            missing.append(name)
        else:
            pictures.append(
                TaggedPicture(path, _labels(instances.things[id_], len(instances.names)), str(id_))
            )
    return TaggedPictures(instances.names, tuple(pictures), tuple(missing))


def read_coco_boxes(request: DataRequest, pictures: TaggedPictures) -> list[tuple[TaggedBox, ...]]:
    """Return the boxes of each picture; crowds are difficult.

    Raises:
        SaysoError: if the file cannot be read, or an annotation has no box.
    """
    instances = _read(_file(request))
    try:
        return [tuple(_box(*thing) for thing in instances.things[int(p.id)]) for p in pictures.pictures]
    except (KeyError, TypeError, ValueError) as error:
        raise SaysoError(f"{instances.path} lacks a picture or its boxes: {error!r}") from error


def _file(request: DataRequest) -> Path:
    file = instances_file(request.path, request.split)
    if file is None:
        raise SaysoError(f"{request.path} holds no instances in COCO's format (instances*.json)")
    return file


def _read(path: Path) -> _Instances:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        categories = {row["id"]: k for k, row in enumerate(content["categories"])}
        names = tuple(str(row["name"]) for row in content["categories"])
        files = {int(image["id"]): str(image["file_name"]) for image in content["images"]}
        things: dict[int, list[tuple[int, dict[str, Any]]]] = {id_: [] for id_ in files}
        for row in content["annotations"]:
            things[row["image_id"]].append((categories[row["category_id"]], row))
    except (OSError, ValueError, KeyError, TypeError) as error:
        what = f"{type(error).__name__}: {error}".splitlines()[0]
        raise SaysoError(f"{path} is not in COCO's instances format ({_FORM}): {what}") from error
    return _Instances(path, names, files, things)


def _picture(name: str, file: Path, request: DataRequest) -> Path | None:
    """Return a picture's path: in the folder that was named, else in one of COCO's usual ones."""
    if request.images is not None:
        folders = [request.images]
    else:
        part = file.stem.removeprefix("instances_")
        above = file.parent.parent if file.parent.name == "annotations" else file.parent
        folders = [above / "images", above / part, above / "images" / part, file.parent]
    return next((folder / name for folder in folders if (folder / name).is_file()), None)


def _labels(things: Sequence[tuple[int, dict[str, Any]]], K: int) -> tuple[int, ...]:
    labels = [-1] * K
    for k, row in things:
        labels[k] = max(labels[k], 0 if row.get("iscrowd") else 1)
    return tuple(labels)


def _box(label: int, row: dict[str, Any]) -> TaggedBox:
    x, y, width, height = (float(value) for value in row["bbox"])
    return TaggedBox(label, Box(x, y, x + width, y + height), bool(row.get("iscrowd")))
