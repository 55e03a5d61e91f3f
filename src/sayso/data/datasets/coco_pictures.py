"""COCO's instances: a JSON file of pictures, categories and boxes.

DIR may be the file, or a folder with ``instances.json`` or ``annotations/instances_<split>*.json``
in it. A picture that shows only crowds of a category neither has it nor lacks it (label 0).

Source
    Lin et al. 2014, Microsoft COCO. https://arxiv.org/abs/1405.0312
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sayso.core.errors import SaysoError
from sayso.data.datasets.coco_boxes import box_of
from sayso.data.datasets.coco_json import (
    CocoFile,
    Row,
    annotation_name,
    category_of,
    find_picture,
    read_coco_file,
)
from sayso.data.manifest import Failure
from sayso.data.tags import DataRequest, PictureBoxes, TaggedBox, TaggedPicture, TaggedPictures

_FORM = (
    "COCO's instances format ('images' with id and file_name, 'annotations' with image_id and category_id, "
    "'categories' with id and name)"
)


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
    instances = _read(request)
    index = {id_: k for k, id_ in enumerate(instances.categories)}
    shown = _by_picture(instances)
    folders = _folders(instances.path, request)
    pictures, missing, failures = [], [], list(instances.failures)
    owners: dict[Path, str] = {}
    for id_, name in instances.pictures.items():
        path = find_picture(name, folders)
        if path is None:
            missing.append(name)
        elif owners.setdefault(path, name) != name:
            why = f"picture {id_}, {name}, is found as {path}, which is {owners[path]} already"
            failures.append(Failure(str(instances.path), "annotations", why))
        else:
            pictures.append(TaggedPicture(path, _labels([row for _, row in shown[id_]], index), id_))
    return TaggedPictures(
        tuple(instances.categories.values()), tuple(pictures), tuple(missing), tuple(failures)
    )


def read_coco_boxes(request: DataRequest, pictures: TaggedPictures) -> PictureBoxes:
    """Return the boxes of each picture; crowds are difficult, and where there is a mask alone, it counts.

    Raises:
        SaysoError: if the file cannot be read.
    """
    instances = _read(request)
    index = {id_: k for k, id_ in enumerate(instances.categories)}
    shown = _by_picture(instances)
    found, unsure, failures = [], [], []
    for n, picture in enumerate(pictures.pictures):
        boxes = []
        for number, row in shown.get(picture.id, ()):
            try:
                boxes.append(TaggedBox(index[category_of(row)], box_of(row), bool(row.get("iscrowd"))))
            except ValueError as error:
                unsure.append(n)
                why = f"{annotation_name(row, number)} {error}"
                failures.append(Failure(str(instances.path), "boxes", why))
        found.append(tuple(boxes))
    return PictureBoxes(found, dict.fromkeys(unsure), failures)


def _read(request: DataRequest) -> CocoFile:
    file = instances_file(request.path, request.split)
    if file is None:
        raise SaysoError(f"{request.path} holds no instances in COCO's format (instances*.json)")
    return read_coco_file(file, _FORM, categories=True)


def _by_picture(instances: CocoFile) -> dict[str, list[tuple[int, Row]]]:
    """Return each picture's annotations, with where they stand."""
    shown: dict[str, list[tuple[int, Row]]] = {id_: [] for id_ in instances.pictures}
    for number, id_, row in instances.annotations:
        shown[id_].append((number, row))
    return shown


def _folders(file: Path, request: DataRequest) -> list[Path]:
    """Return where pictures may be: in the folder that was named, else in COCO's usual ones."""
    if request.images is not None:
        return [request.images]
    part = file.stem.removeprefix("instances_")
    above = file.parent.parent if file.parent.name == "annotations" else file.parent
    return [above / "images", above / part, above / "images" / part, file.parent]


def _labels(rows: Sequence[Row], index: dict[str, int]) -> tuple[int, ...]:
    labels = [-1] * len(index)
    for row in rows:
        k = index[category_of(row)]
        labels[k] = max(labels[k], 0 if row.get("iscrowd") else 1)
    return tuple(labels)
