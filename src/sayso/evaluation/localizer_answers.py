"""What a localizer says of tagged pictures, beside their tags and, for evaluation alone, their boxes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from sayso.core.arrays import Floats
from sayso.core.errors import SaysoError
from sayso.data.manifest import Failure
from sayso.data.tags import TaggedBox, TaggedPictures, Task
from sayso.data.tags_reader import read_boxes, read_tagged
from sayso.evaluation.evaluator import Count

if TYPE_CHECKING:
    from sayso.core.progress import Progress


class Edges(Protocol):
    """A box that was found, in pixels of the original picture."""

    @property
    def x0(self) -> float:
        """Left."""

    @property
    def y0(self) -> float:
        """Top."""

    @property
    def x1(self) -> float:
        """Right."""

    @property
    def y1(self) -> float:
        """Bottom."""


class LocatedPicture(Protocol):
    """What a model says of one picture."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the original, pixels."""

    @property
    def scores(self) -> NDArray[np.floating]:
        """(C,) the score of each class."""

    @property
    def points(self) -> NDArray[np.floating]:
        """(C, 2) x and y of each class, in pixels of the original picture."""

    @property
    def maps(self) -> NDArray[np.floating]:
        """(C, h, w) scores on a grid over the whole picture."""

    def boxes(self, k: int) -> Sequence[Edges]:
        """Return the boxes of class k, best first."""


class PictureLocalizer(Protocol):
    """A model that was trained by tags and says where things are."""

    @property
    def name(self) -> str:
        """What loads it again."""

    @property
    def names(self) -> Sequence[str]:
        """Of its classes."""

    def locate(
        self, paths: Sequence[Path], *, progress: Progress | None = None
    ) -> Iterable[LocatedPicture | None]:
        """Look at pictures; None for one that cannot be read."""


@dataclass(frozen=True, eq=False)
class Answers:
    """What a localizer says of the N pictures of a data set that could be read, with C classes.

    Args:
        tagged: all pictures of the data set.
        read: of each picture, whether it could be read.
        located: N answers.
        columns: where the model has each of the C classes.
        labels: (N, C) +1 there, -1 not there, 0 left out.
        failures: records of the data set that are left out.
    """

    tagged: TaggedPictures
    read: list[bool]
    located: list[LocatedPicture]
    columns: list[int]
    labels: NDArray[np.int64]
    failures: tuple[Failure, ...] = ()

    @property
    def scores(self) -> Floats:
        """(N, C) the score of each class."""
        return np.stack([one.scores for one in self.located])[:, self.columns].astype(np.float64)

    @property
    def points(self) -> Floats:
        """(N, C, 2) x and y of each class, in pixels of the original picture."""
        return np.stack([one.points for one in self.located])[:, self.columns].astype(np.float64)

    @property
    def pictures(self) -> NDArray[np.int64]:
        """(C,) how many pictures have each class."""
        found: NDArray[np.int64] = (self.labels == 1).sum(0)
        return found

    @property
    def counts(self) -> dict[str, Count]:
        """How many pictures were used, of how many listed."""
        listed = len(self.tagged.pictures) + len(self.tagged.missing)
        return {"pictures": Count(len(self.located), listed)}

    @property
    def unreadable(self) -> tuple[str, ...]:
        """The pictures, and the records of the data set, that cannot be used."""
        pairs = zip(self.tagged.pictures, self.read, strict=True)
        pictures = [str(picture.path) for picture, read in pairs if not read]
        return (*pictures, *(failure.error for failure in self.failures))

    def with_boxes(
        self, path: Path, *, split: str | None, task: Task
    ) -> tuple[Answers, list[tuple[TaggedBox, ...]]]:
        """Read the boxes of the N pictures; now, and not before the model has answered.

        Args:
            path: the data set.
            split: which of its lists, if it has any.
            task: whose boxes.

        Returns:
            The answers without pictures of which a box cannot be read, and the boxes of the others.

        Raises:
            SaysoError: if the boxes cannot be read.
        """
        found = read_boxes(path, self.tagged, split=split, task=task)
        certain = [n not in found.unsure for n in range(len(found))]
        kept = list(compress(certain, self.read))
        if not any(kept):
            raise SaysoError(f"{path} has boxes of none of the {len(kept):,} pictures that can be read")
        answered = replace(
            self,
            read=[both and one for both, one in zip(self.read, certain, strict=True)],
            located=list(compress(self.located, kept)),
            labels=self.labels[kept],
            failures=self.failures + found.failures,
        )
        return answered, list(compress(found, answered.read))


def answers(
    localizer: PictureLocalizer,
    path: Path,
    *,
    split: str | None = None,
    task: Task = "objects",
    progress: Progress | None = None,
) -> Answers:
    """Run a localizer on the pictures of a data set; boxes are not read.

    Args:
        localizer: knows every class of the data set.
        path: as of ``read_tagged``.
        split: as of ``read_tagged``.
        task: as of ``read_tagged``.
        progress: updated with how many pictures are done.

    Raises:
        SaysoError: if the data cannot be read, or the model lacks a class.
    """
    tagged = read_tagged(path, split=split, task=task)
    columns = class_columns(localizer, tagged.names)
    found = list(localizer.locate([picture.path for picture in tagged.pictures], progress=progress))
    if len(found) != len(tagged.pictures):
        raise ValueError(f"the model answered {len(found)} times for {len(tagged.pictures)} pictures")
    read = [one is not None for one in found]
    located = [one for one in found if one is not None]
    if not located:
        raise SaysoError(f"none of the {len(found):,} pictures of {path} could be read")
    labels = np.array([picture.labels for picture in compress(tagged.pictures, read)], dtype=np.int64)
    return Answers(tagged, read, located, columns, labels, tagged.failures)


def class_columns(localizer: PictureLocalizer, names: Sequence[str]) -> list[int]:
    """Return where the model has each class of a data set; letters and digits count, not their case.

    Raises:
        SaysoError: if it lacks one.
    """
    known = {_plain(name): k for k, name in enumerate(localizer.names)}
    lacking = [name for name in names if _plain(name) not in known]
    if lacking:
        raise SaysoError(
            f"{localizer.name} knows no {', '.join(lacking[:5])}{' ...' if len(lacking) > 5 else ''};"
            " measure it on classes that it was trained for"
        )
    return [known[_plain(name)] for name in names]


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())
