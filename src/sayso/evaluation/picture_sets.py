"""The picture sets of ``zero_shot.toml``: where one lies, and which classes compete for its pictures."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import numpy as np

from sayso.core.arrays import Ints
from sayso.core.errors import SaysoError
from sayso.data.datasets.class_folders import subfolders
from sayso.data.datasets.imagenet import read_imagenet
from sayso.data.datasets.objectnet import read_objectnet
from sayso.encoders.conse import imagenet_classes


@dataclass(frozen=True, kw_only=True)
class PictureSet:
    """A published set of pictures; the fields are those of ``zero_shot.toml``."""

    title: str
    layout: Literal["wnids", "numbers", "objectnet"]
    folders: tuple[str, ...]
    classes: int
    pictures: int
    border: int = 0
    parts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class ClassQuestion:
    """Which of some classes each of N pictures shows.

    Args:
        row: its name in the table.
        names: of the C classes that compete, where they are not ImageNet's.
        columns: which of ImageNet's classes compete, (C,), where they are.
        labels: (N,) the class of each picture, over which recalls are averaged.
        right: (K, C) booleans: which of those that compete are right for a picture of each of K classes.
    """

    row: str
    labels: Ints
    right: np.ndarray[Any, np.dtype[np.bool_]]
    columns: Ints | None = None
    names: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class SetPart:
    """N pictures of a set, and what is asked about them."""

    pictures: list[Path]
    questions: tuple[ClassQuestion, ...]


@cache
def picture_sets() -> dict[str, PictureSet]:
    """Return the published sets, by name."""
    tables = _content()["sets"].items()
    return {name: PictureSet(**{**table, "folders": tuple(table["folders"])}) for name, table in tables}


def published_rows(name: str) -> tuple[dict[str, Any], ...]:
    """Return what others measured on a set: ``model``, ``source``, ``top-1`` and perhaps ``top-5``."""
    rows = []
    for row in _content()["published"]:
        if name in row:
            found = {"model": row["model"], "source": row["source"], "top-1": row[name]}
            top5 = row.get(f"{name}_top-5")
            rows.append(found if top5 is None else {**found, "top-5": top5})
    return tuple(rows)


def find_set(root: Path, how: PictureSet) -> Path | None:
    """Return the folder of a set among those in a folder, by what it is called; None if there is none.

    Raises:
        SaysoError: if the folder cannot be read.
    """
    wanted = {*how.folders, *map(_plain, how.parts.values())}
    inside = [path for path in subfolders(root) if _plain(path.name) in wanted]
    if not inside:
        return None
    return root if how.parts and _plain(inside[0].name) not in how.folders else inside[0]


def read_parts(folder: Path, how: PictureSet) -> tuple[dict[str, SetPart], list[str]]:
    """Return the parts of a set that are there, by name, and which are not.

    Args:
        folder: of the set.
        how: what is published of it.

    Raises:
        SaysoError: if there is none, or its classes are not the published ones.
    """
    if how.layout == "objectnet":
        return {"": _objectnet(folder)}, []
    if not how.parts:
        return {"": _imagenet(folder, how, "zero-shot")}, []
    places = {path.name.lower(): path for path in (folder, *subfolders(folder))}
    there = {part: places[name] for part, name in how.parts.items() if name in places}
    if not there:
        raise SaysoError(f"{folder} holds none of {', '.join(how.parts.values())}")
    missing = [f"{folder / name}" for part, name in how.parts.items() if part not in there]
    return {part: _imagenet(place, how, part) for part, place in there.items()}, missing


def _imagenet(folder: Path, how: PictureSet, row: str) -> SetPart:
    """Return a set with classes of ImageNet.

    Raises:
        SaysoError: if there are not as many class folders as published.
    """
    wnids = [wnid for wnid, _, _ in imagenet_classes()]
    layout: Literal["wnids", "numbers"] = "numbers" if how.layout == "numbers" else "wnids"
    read = read_imagenet(folder, wnids, layout)
    if len(read.classes) != how.classes:
        raise SaysoError(
            f"{folder} holds {len(read.classes):,} class folders, and {how.title.partition(',')[0]} has"
            f" {how.classes:,}; name the folder of the whole set"
        )
    columns = np.array([wnids.index(wnid) for wnid in read.classes])
    right = np.arange(len(wnids))[:, None] == columns
    return SetPart(read.pictures, (ClassQuestion(row, read.labels, right, columns=columns),))


def _objectnet(folder: Path) -> SetPart:
    """Return ObjectNet, asked in both ways that are in use."""
    read = read_objectnet(folder)
    labels, count = read.labelled.labels, len(read.names)
    columns = np.array(sorted({number for numbers in read.imagenet for number in numbers}))
    mapped = np.array([[number in numbers for number in columns] for numbers in read.imagenet])
    return SetPart(
        read.labelled.pictures,
        (
            ClassQuestion("its own names", labels, np.eye(count, dtype=bool), names=tuple(read.names)),
            ClassQuestion("ImageNet's classes", labels, mapped, columns=columns),
        ),
    )


@cache
def _content() -> dict[str, Any]:
    text = (resources.files("sayso.evaluation") / "zero_shot.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
