"""Captioned pictures in COCO's format: what each picture shows, in a few sentences of different people.

Source: Chen et al. 2015, Microsoft COCO Captions. https://arxiv.org/abs/1504.00325
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from sayso.core.errors import SaysoError
from sayso.data.datasets.coco_json import annotation_name, find_picture, read_coco_file
from sayso.data.manifest import Failure

log = logging.getLogger(__name__)
_FORM = "COCO caption format ('images' with id and file_name, 'annotations' with image_id and caption)"


@dataclass(frozen=True, slots=True)
class CaptionedPictures:
    """Pictures, each with captions of its own.

    Args:
        pictures: N paths; the files need not exist.
        texts: the captions.
        owners: for each caption, the index of its picture.
        source: the file they were read from.
        failures: the records that are left out.
        listed: how many captions the file lists.
    """

    pictures: list[Path]
    texts: list[str]
    owners: list[int]
    source: Path
    failures: tuple[Failure, ...] = ()
    listed: int = 0


def read_captioned(path: Path, images: Path | None = None) -> CaptionedPictures:
    """Read captions in COCO format.

    That is ``images`` with id and file_name, and ``annotations`` with image_id and caption.

    Args:
        path: the .json file.
        images: folder of the pictures; default ``images`` beside the file.

    Raises:
        SaysoError: if the file is not in that format or holds no captions.
    """
    folder = images or path.parent / "images"
    content = read_coco_file(path, _FORM, categories=False)
    number = {id_: n for n, id_ in enumerate(content.pictures)}
    pictures = [find_picture(name, [folder]) or folder / name for name in content.pictures.values()]
    texts: list[str] = []
    owners: list[int] = []
    failures = list(content.failures)
    for position, id_, row in content.annotations:
        caption = row.get("caption")
        text = str(caption) if isinstance(caption, str | int | float) else ""
        if text.strip():
            texts.append(text)
            owners.append(number[id_])
        else:
            failures.append(Failure(str(path), "record", f"{annotation_name(row, position)} has no caption"))
    if not texts:
        raise SaysoError(f"{path} holds no captions{f': {failures[0].error}' if failures else ''}")
    if failures:
        log.warning("%s: left out %s, such as: %s", path, f"{len(failures):,}", failures[0].error)
    return CaptionedPictures(pictures, texts, owners, path, tuple(failures), content.listed)
