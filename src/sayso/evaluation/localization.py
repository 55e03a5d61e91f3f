"""Where in the picture: PASCAL VOC 2007 and 2012 (objects, actions) and COCO, for models that saw tags alone.

Of every class, the pictures are ranked by its score (classification), and once more where a
picture is right only if the model's point lies inside a box of the class grown by 18 pixels
(pointing). Boxes are read here, after the model has answered, and nowhere before.

Source
    Oquab, Bottou, Laptev, Sivic, CVPR 2015, Is object localization for free?
    VOC 2012's test labels are not public; as in the paper, places are measured on its ``val``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sayso.core.errors import SaysoError
from sayso.data.tags import Box, TaggedPictures, Task, read_boxes, read_tagged
from sayso.metrics.average_precision import Rule
from sayso.metrics.localization import TOLERANCE, classification, pointing

if TYPE_CHECKING:
    from sayso.core.progress import Progress


class Located(Protocol):
    """What a model says of one picture."""

    @property
    def scores(self) -> NDArray[np.floating]:
        """(K,) how sure it is of each class."""

    @property
    def points(self) -> NDArray[np.floating]:
        """(K, 2) x and y of each class, in pixels of the original picture."""


class Localizer(Protocol):
    """A model that was trained by tags and says where things are."""

    @property
    def name(self) -> str:
        """What loads it again."""

    @property
    def sha256(self) -> str:
        """Identity of its weights."""

    @property
    def names(self) -> Sequence[str]:
        """Of its K classes."""

    def locate(self, paths: Sequence[Path], *, progress: Progress | None = None) -> Iterable[Located | None]:
        """Look at pictures; None for one that cannot be read."""


@dataclass(frozen=True, slots=True)
class LocalizationProtocol:
    """What is measured on.

    Args:
        title: which data set, which part.
        split: the part's name.
        rule: of the average precision.
        year: VOC's folder, where DIR holds several.
        task: objects, or what people do.
    """

    title: str
    split: str
    rule: Rule
    year: str | None = None
    task: Task = "objects"


LOCALIZATION = {
    "voc2007": LocalizationProtocol("PASCAL VOC 2007 test", "test", "11-point", "VOC2007"),
    "voc2012": LocalizationProtocol("PASCAL VOC 2012 val", "val", "area", "VOC2012"),
    "voc2012-actions": LocalizationProtocol(
        "PASCAL VOC 2012 val, actions", "val", "area", "VOC2012", "actions"
    ),
    "coco-localization": LocalizationProtocol("COCO val", "val", "area"),
}


def localization(
    localizer: Localizer, name: str, data: Path, *, progress: Progress | None = None
) -> dict[str, Any]:
    """Measure how well a model names and points, by a protocol.

    Args:
        localizer: knows every class of the data set.
        name: one of ``LOCALIZATION``.
        data: VOC's folder, or one above it; COCO's folder, or a file of instances.
        progress: told how many pictures are done.

    Returns:
        ``protocol``, ``definition``, ``pictures`` (listed), ``pictures_used``, ``missing`` and ``unreadable``
        paths, ``classes`` (of each: ``pictures`` that have it, ``classification`` and ``pointing`` AP;
        None where no picture has it), their means ``classification`` and ``pointing``, and ``published``:
        empty, as the paper's numbers were not at hand to copy from.

    Raises:
        SaysoError: if the data cannot be read, or the model lacks a class.
    """
    protocol = LOCALIZATION[name]
    place = _year(data, protocol)
    tagged = read_tagged(place, split=protocol.split, task=protocol.task)
    columns = _columns(localizer, tagged)
    answers = list(localizer.locate([picture.path for picture in tagged.pictures], progress=progress))
    if len(answers) != len(tagged.pictures):
        raise ValueError(f"the model answered {len(answers)} times for {len(tagged.pictures)} pictures")
    seen = [answer is not None for answer in answers]
    used = [answer for answer in answers if answer is not None]
    if not used:
        raise SaysoError(f"none of the {len(answers):,} pictures of {place} could be read")
    boxes = read_boxes(place, tagged, split=protocol.split, task=protocol.task)
    labels = np.array([picture.labels for picture in compress(tagged.pictures, seen)])
    return {
        "protocol": f"{protocol.title}, from tags alone",
        "definition": {**asdict(protocol), "tolerance": TOLERANCE},
        "pictures": len(tagged.pictures) + len(tagged.missing),
        "pictures_used": len(used),
        "missing": list(tagged.missing),
        "unreadable": [str(p.path) for p, there in zip(tagged.pictures, seen, strict=True) if not there],
        **_measured(used, columns, labels, list(compress(boxes, seen)), tagged.names, protocol.rule),
        "published": [],
    }


def _measured(
    answers: Sequence[Located],
    columns: Sequence[int],
    labels: NDArray[np.int64],
    boxes: Sequence[Sequence[Box]],
    names: Sequence[str],
    rule: Rule,
) -> dict[str, Any]:
    """Return the average precisions of each class, and their means over classes that some picture has."""
    scores = np.stack([answer.scores for answer in answers])[:, columns]
    points = np.stack([answer.points for answer in answers])[:, columns]
    found = {
        "classification": classification(scores, labels, rule=rule),
        "pointing": pointing(scores, points, labels, boxes, rule=rule),
    }
    count = (labels == 1).sum(0)
    classes = {
        name: {"pictures": int(count[k]), **{what: _number(ap[k]) for what, ap in found.items()}}
        for k, name in enumerate(names)
    }
    means = {what: _number(ap[count > 0].mean()) if count.any() else None for what, ap in found.items()}
    return {"classes": classes, **means}


def _number(value: float) -> float | None:
    """Return a number that JSON can hold; None for NaN."""
    return None if np.isnan(value) else float(value)


def _columns(localizer: Localizer, tagged: TaggedPictures) -> list[int]:
    """Return where the model has each class of the data set; letters and digits count, not their case.

    Raises:
        SaysoError: if it lacks one.
    """
    known = {_plain(name): k for k, name in enumerate(localizer.names)}
    lacking = [name for name in tagged.names if _plain(name) not in known]
    if lacking:
        raise SaysoError(
            f"{localizer.name} knows no {', '.join(lacking[:5])}{' ...' if len(lacking) > 5 else ''};"
            " measure it on classes that it was trained for"
        )
    return [known[_plain(name)] for name in tagged.names]


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _year(data: Path, protocol: LocalizationProtocol) -> Path:
    """Return the protocol's year below DIR, where it is there."""
    if protocol.year is not None:
        for folder in (data / protocol.year, data / "VOCdevkit" / protocol.year):
            if folder.is_dir():
                return folder
    return data
