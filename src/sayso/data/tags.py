"""Tagged pictures: which things each shows, without where they are; and boxes, for evaluation alone.

``sayso.data.tags_reader`` reads them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from sayso.core.types import Box
from sayso.data.manifest import Failure

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
        failures: records that cannot be used and are left out.
    """

    names: tuple[str, ...]
    pictures: tuple[TaggedPicture, ...]
    missing: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()


class PictureBoxes(tuple[tuple[TaggedBox, ...], ...]):  # noqa: SLOT001  a tuple takes no slots
    """The boxes of each of N pictures, and what of them cannot be read.

    Args:
        boxes: of each picture.
        unsure: the pictures, from 0, of which some box cannot be read.
        failures: the records that hold these.
    """

    unsure: tuple[int, ...]
    failures: tuple[Failure, ...]

    def __new__(
        cls,
        boxes: Iterable[tuple[TaggedBox, ...]],
        unsure: Iterable[int] = (),
        failures: Iterable[Failure] = (),
    ) -> Self:
        """Return the boxes as a tuple that knows its failures."""
        made = super().__new__(cls, boxes)
        made.unsure, made.failures = tuple(unsure), tuple(failures)
        return made


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
