"""Tagged pictures: which things each shows, without where they are.

What is at a place is told by what is there:

* PASCAL VOC 2007 or 2012 as released (``sayso.data.datasets.voc``);
* a JSON file of instances in COCO's format, or COCO's folder (``sayso.data.datasets.coco_pictures``);
* a CSV with the columns ``path`` and ``tags``, or a folder with a folder of pictures
  for each tag (``sayso.data.datasets.tagged_files``).

``read_tagged`` gives tags and nothing else, so that what learns from them cannot see a box.
Boxes are read by ``read_boxes``, for evaluation.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sayso.core.errors import SaysoError

Task = Literal["objects", "actions"]


@dataclass(frozen=True, slots=True)
class Box:
    """A thing in a picture, in pixels of the original: ``x0 <= x < x1``, ``y0 <= y < y1``.

    Args:
        label: its class, an index of ``TaggedPictures.names``.
        x0: left.
        y0: top.
        x1: right.
        y1: bottom.
        difficult: whether finding it is neither asked for nor wrong (VOC's ``difficult``, COCO's crowds).
    """

    label: int
    x0: float
    y0: float
    x1: float
    y1: float
    difficult: bool = False


@dataclass(frozen=True, slots=True)
class TaggedPicture:
    """A picture and what is said to be in it.

    Args:
        path: the file.
        labels: K numbers: +1 the class is there, -1 it is not, 0 it does not count.
        id: its name in the data set.
    """

    path: Path
    labels: tuple[int, ...]
    id: str


@dataclass(frozen=True, slots=True)
class TaggedPictures:
    """Pictures with tags.

    Args:
        names: of the K classes.
        pictures: those whose file is there.
        missing: paths of those that are listed, but whose file is not there.
    """

    names: tuple[str, ...]
    pictures: tuple[TaggedPicture, ...]
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a data set was asked for, and how.

    Args:
        path: the file or folder.
        images: folder of the pictures, if not where they usually are.
        split: which part, such as ``train``; None: all that is there.
        task: objects, or what people do (VOC 2012).
    """

    path: Path
    images: Path | None = None
    split: str | None = None
    task: Task = "objects"


def read_tagged(
    path: str | os.PathLike[str],
    *,
    images: str | os.PathLike[str] | None = None,
    split: str | None = None,
    task: Task = "objects",
) -> TaggedPictures:
    """Return the tagged pictures that are at a place.

    Args:
        path: a VOC or COCO folder, a COCO instances file, a CSV, or a folder with a folder for each tag.
        images: folder of the pictures, if they are not where the data set has them.
        split: which part of it, such as ``train``, ``val`` or ``test``; all of it unless given.
        task: ``actions``: VOC 2012's ten actions instead of its twenty kinds of objects.

    Raises:
        SaysoError: if there is nothing, it is none of these, or no picture is there.
    """
    place = _place(path, images, split, task)
    read, _ = _readers(place)
    found = read(place)
    if not found.pictures:
        first = f", the first of which is {found.missing[0]}" if found.missing else ""
        raise SaysoError(
            f"none of the {len(found.missing):,} pictures of {place.path} is there{first};"
            " put them there, or name their folder"
        )
    return found


def read_boxes(
    path: str | os.PathLike[str],
    pictures: TaggedPictures,
    *,
    split: str | None = None,
    task: Task = "objects",
) -> tuple[tuple[Box, ...], ...]:
    """Return the boxes of tagged pictures, in their order, to evaluate with; never to learn from.

    Args:
        path: as of ``read_tagged``.
        pictures: what it returned.
        split: as of ``read_tagged``.
        task: as of ``read_tagged``.

    Raises:
        SaysoError: if boxes cannot be read, or the data set has none (a CSV, folders of tags).
    """
    place = _place(path, None, split, task)
    _, read = _readers(place)
    return tuple(read(place, pictures))


def _place(
    path: str | os.PathLike[str], images: str | os.PathLike[str] | None, split: str | None, task: Task
) -> Place:
    pictures = None if images is None else Path(images).expanduser()
    return Place(Path(path).expanduser(), pictures, split, task)


_Read = Callable[[Place], TaggedPictures]
_ReadBoxes = Callable[[Place, TaggedPictures], Sequence[tuple[Box, ...]]]


def _readers(place: Place) -> tuple[_Read, _ReadBoxes]:
    """Return what reads the tags and the boxes of what is at a place.

    Raises:
        SaysoError: if that is no data set.
    """
    from sayso.data.datasets import coco_pictures, tagged_files, voc

    if not place.path.exists():
        raise SaysoError(f"there is nothing at {place.path}; name a VOC or COCO folder, a .json or a .csv")
    if voc.find(place.path) is not None:
        return voc.read, voc.read_boxes
    if place.task != "objects":
        raise SaysoError(f"{place.path} has no actions; give the folder of VOC 2012")
    if coco_pictures.find(place.path, place.split) is not None:
        return coco_pictures.read, coco_pictures.read_boxes
    if place.path.suffix.lower() == ".csv":
        return tagged_files.read_csv, tagged_files.no_boxes
    if place.path.is_dir():
        return tagged_files.read_folders, tagged_files.no_boxes
    raise SaysoError(f"{place.path} is no data set of tagged pictures; name a folder, a .json or a .csv")
