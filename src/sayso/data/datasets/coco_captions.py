"""Captioned pictures in COCO's format: what each picture shows, in a few sentences of different people.

Source: Chen et al. 2015, Microsoft COCO Captions. https://arxiv.org/abs/1504.00325
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from sayso.core.errors import SaysoError


@dataclass(frozen=True, slots=True)
class CaptionedPictures:
    """Pictures, each with captions of its own.

    Args:
        pictures: N paths; the files need not exist.
        texts: the captions.
        owners: for each caption, the index of its picture.
        source: the file they were read from.
    """

    pictures: list[Path]
    texts: list[str]
    owners: list[int]
    source: Path


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
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        number = {image["id"]: i for i, image in enumerate(content["images"])}
        pictures = [folder / image["file_name"] for image in content["images"]]
        rows = [(str(row["caption"]), number[row["image_id"]]) for row in content["annotations"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        what = f"{type(error).__name__}: {error}".splitlines()[0]
        raise SaysoError(
            f"{path} is not in COCO caption format ('images' with id and file_name,"
            f" 'annotations' with image_id and caption): {what}"
        ) from error
    if not rows:
        raise SaysoError(f"{path} holds no captions")
    return CaptionedPictures(pictures, [text for text, _ in rows], [owner for _, owner in rows], path)
