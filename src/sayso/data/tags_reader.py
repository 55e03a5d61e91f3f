"""Reading tagged pictures: PASCAL VOC, COCO, a CSV or folders of tags, recognised by what is there.

* PASCAL VOC 2007 or 2012 as released (``sayso.data.datasets.voc``);
* a JSON file of instances in COCO's format, or COCO's folder (``sayso.data.datasets.coco_pictures``);
* a CSV with the columns ``path`` and ``tags``, or a folder with a folder of pictures
  for each tag (``sayso.data.datasets.tagged_files``).

``read_tagged`` gives tags and nothing else, so that what learns from them cannot see a box.
Boxes are read by ``read_boxes``, for evaluation.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from sayso.core.errors import SaysoError, nothing_at
from sayso.data.datasets import coco_pictures, tagged_files, voc
from sayso.data.manifest import Failure
from sayso.data.tags import DataRequest, PictureBoxes, TaggedPictures, Task

log = logging.getLogger(__name__)


def read_tagged(
    path: str | os.PathLike[str],
    *,
    images: str | os.PathLike[str] | None = None,
    split: str | None = None,
    task: Task = "objects",
) -> TaggedPictures:
    """Return the tagged pictures that are at a request.

    Args:
        path: a VOC or COCO folder, a COCO instances file, a CSV, or a folder with a folder for each tag.
        images: folder of the pictures, if they are not where the data set has them.
        split: which part of it, such as ``train``, ``val`` or ``test``; all of it unless given.
        task: ``actions``: VOC 2012's ten actions instead of its twenty kinds of objects.

    Records that cannot be used are left out and listed in ``failures``.

    Raises:
        SaysoError: if there is nothing, it is none of these, or no picture is there.
    """
    request = _request(path, images, split, task)
    read, _ = _readers(request)
    found = read(request)
    _log(path, found.failures)
    if not found.pictures:
        first = f", the first of which is {found.missing[0]}" if found.missing else ""
        if not found.missing and found.failures:
            raise SaysoError(f"{request.path} holds no picture that can be used: {found.failures[0].error}")
        raise SaysoError(
            f"none of the {len(found.missing):,} pictures of {request.path} is there{first};"
            " put them there, or name their folder"
        )
    return found


def read_boxes(
    path: str | os.PathLike[str],
    pictures: TaggedPictures,
    *,
    split: str | None = None,
    task: Task = "objects",
) -> PictureBoxes:
    """Return the boxes of tagged pictures, in their order, to evaluate with; never to learn from.

    A box that cannot be read is a failure, and its picture is ``unsure``.

    Args:
        path: as of ``read_tagged``.
        pictures: what it returned.
        split: as of ``read_tagged``.
        task: as of ``read_tagged``.

    Raises:
        SaysoError: if boxes cannot be read, or the data set has none (a CSV, folders of tags).
    """
    request = _request(path, None, split, task)
    _, read = _readers(request)
    found = read(request, pictures)
    _log(path, found.failures)
    return found


def _request(
    path: str | os.PathLike[str], images: str | os.PathLike[str] | None, split: str | None, task: Task
) -> DataRequest:
    pictures = None if images is None else Path(images).expanduser()
    return DataRequest(Path(path).expanduser(), pictures, split, task)


_Read = Callable[[DataRequest], TaggedPictures]
_ReadBoxes = Callable[[DataRequest, TaggedPictures], PictureBoxes]


def _log(path: str | os.PathLike[str], failures: Sequence[Failure]) -> None:
    """Say once how many records are left out."""
    if failures:
        log.warning("%s: left out %s, such as: %s", path, f"{len(failures):,}", failures[0].error)


def _readers(request: DataRequest) -> tuple[_Read, _ReadBoxes]:
    """Return what reads the tags and the boxes of what is at a request.

    Raises:
        SaysoError: if that is no data set.
    """
    if not request.path.exists():
        raise SaysoError(
            nothing_at(request.path, "name a folder a tag, a VOC or COCO folder, a .json or a .csv")
        )
    if voc.voc_folder(request.path) is not None:
        return voc.read_voc, voc.read_voc_boxes
    if request.task != "objects":
        raise SaysoError(f"{request.path} has no actions; give the folder of VOC 2012")
    if coco_pictures.instances_file(request.path, request.split) is not None:
        return coco_pictures.read_coco, coco_pictures.read_coco_boxes
    if request.path.suffix.lower() == ".csv":
        return tagged_files.read_tag_table, tagged_files.refuse_boxes
    if request.path.is_dir():
        return tagged_files.read_tag_folders, tagged_files.refuse_boxes
    raise SaysoError(f"{request.path} is no data set of tagged pictures; name a folder, a .json or a .csv")
