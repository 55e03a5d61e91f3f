"""Tagged pictures: which things each shows, without where they are; and boxes, for evaluation alone.

``sayso.data.tags_reader`` reads them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sayso.core.types import Box

Task = Literal["objects", "actions"]


@dataclass(frozen=True, slots=True)
class TaggedBox:
    """A thing in a picture.

    Args:
        label: its class, an index of ``TaggedPictures.names``.
        box: where it is, in pixels of the original.
        difficult: whether finding it is neither asked for nor wrong (VOC's ``difficult``, COCO's crowds).
    """

    label: int
    box: Box
    difficult: bool = False


@dataclass(frozen=True, slots=True)
class TaggedPicture:
    """A picture and its tags.

    Args:
        path: the file.
        labels: C numbers: +1 the class is there, -1 it is not, 0 it does not count.
        id: its name in the data set.
    """

    path: Path
    labels: tuple[int, ...]
    id: str


@dataclass(frozen=True, slots=True)
class TaggedPictures:
    """Pictures with tags.

    Args:
        names: of the C classes.
        pictures: those whose file is there.
        missing: paths of those that are listed, but whose file is not there.
    """

    names: tuple[str, ...]
    pictures: tuple[TaggedPicture, ...]
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DataRequest:
    """Which data set is asked for, and which part of it.

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
