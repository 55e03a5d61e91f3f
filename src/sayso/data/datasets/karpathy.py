"""Karpathy's splits of captioned pictures: ``dataset_coco.json``, ``dataset_flickr30k.json``.

    {"dataset": "coco", "images": [{"filename": ..., "filepath": "val2014", "split": "test",
                                    "sentences": [{"raw": "A dog ..."}, ...]}, ...]}

The published test sets have five captions a picture (COCO 5,000 x 5, Flickr30k 1,000 x 5); of
pictures with more, the first five count.

Source: Karpathy and Fei-Fei 2015. https://arxiv.org/abs/1412.2306
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sayso.core.errors import SaysoError
from sayso.data.datasets.coco_captions import CaptionedPictures
from sayso.data.datasets.coco_json import find_picture
from sayso.data.manifest import Failure

log = logging.getLogger(__name__)
CAPTIONS = 5
_HEAD = 1 << 16  # the first picture's record is within so many bytes
_BESIDE = ("images", "", "val2014", "flickr30k-images", "flickr30k_images", "Flicker8k_Dataset")


def is_karpathy(path: Path) -> bool:
    """Tell whether a file is in this form, by its beginning: pictures hold their own sentences."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return False
    return b'"sentences"' in head and b'"annotations"' not in head


def read_karpathy(
    path: Path, images: Path | None = None, *, split: str = "test", captions: int = CAPTIONS
) -> CaptionedPictures:
    """Read the captioned pictures of one split.

    Args:
        path: the .json file.
        images: folder of the pictures; default: beside the file, in the folders that they come in.
        split: ``test``, ``val``, ``train`` or ``restval``.
        captions: how many of each picture count; the first ones.

    Raises:
        SaysoError: if the file is not in that form, or has no captioned picture in the split.
    """
    folders = [images] if images else [path.parent / name for name in _BESIDE]
    pictures: list[Path] = []
    texts: list[str] = []
    owners: list[int] = []
    failures: list[Failure] = []
    for number, record in enumerate(_records(path), 1):
        if isinstance(record, dict) and record.get("split") != split:
            continue
        name, found = _usable(record)
        if not name or not found:
            what = "file name" if not name else "caption"
            failures.append(Failure(str(path), "record", f"picture {number} of {path.name} has no {what}"))
            continue
        owners += [len(pictures)] * len(found[:captions])
        texts += found[:captions]
        pictures.append(_place(record, name, folders))
    if not pictures:
        raise SaysoError(f"{path} has no captioned picture in the split {split!r}")
    if failures:
        log.warning("%s: left out %s, such as: %s", path, f"{len(failures):,}", failures[0].error)
    return CaptionedPictures(pictures, texts, owners, path, tuple(failures), len(texts))


def _records(path: Path) -> Iterator[Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
        yield from content["images"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        what = f"{type(error).__name__}: {error}".splitlines()[0]
        raise SaysoError(f"{path} is not in the form of Karpathy's splits: {what}") from error


def _usable(record: object) -> tuple[str, list[str]]:
    """Return the file name and the captions of a record; empty where there are none."""
    if not isinstance(record, dict) or not isinstance(record.get("filename"), str):
        return "", []
    rows = record.get("sentences")
    raw = [row.get("raw") for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return record["filename"], [text.strip() for text in raw if isinstance(text, str) and text.strip()]


def _place(record: dict[str, Any], name: str, folders: list[Path]) -> Path:
    """Return where a picture is, or should be."""
    above = record.get("filepath")
    spelled = [f"{above}/{name}", name] if isinstance(above, str) and above else [name]
    for one in spelled:
        if (found := find_picture(one, folders)) is not None:
            return found
    return folders[0] / spelled[0]
