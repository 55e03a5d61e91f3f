"""COIN's release: how-to videos, and the interval of each step that is seen in them.

DIR holds ``COIN.json``, or any JSON files of its form, whose videos are joined:

    {"database": {VIDEO: {"duration": s, "class": TASK, "subset": "training" | "testing",
                          "annotation": [{"id": "1" ... "778", "segment": [s, s], "label": STEP}]}}}

and, optionally, ``splits.json``, ``{"training": [VIDEO, ...], "testing": [...]}``, which decides before
``subset`` does: derived copies of the release give some training videos another subset.

Source
    Tang et al., CVPR 2019. https://coin-dataset.github.io
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sayso.core.arrays import Ints
from sayso.core.errors import SaysoError

OUTSIDE = 0  # the class of a second in which no step is seen; steps go from 1
SPLITS = "splits.json"
_TESTING = ("testing", "validation")  # the paper's name and the README's


@dataclass(frozen=True, slots=True)
class StepInterval:
    """A step that is seen: its class, from 1, and the seconds from ``start`` to ``end``."""

    step: int
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class CoinVideo:
    """A video: its ``task``, how long it lasts, and its ``steps`` as they are listed."""

    task: str
    duration_s: float
    steps: tuple[StepInterval, ...]

    @property
    def seconds(self) -> int:
        """How many seconds it has, the last one perhaps not whole."""
        return max(1, math.ceil(self.duration_s))


@dataclass(frozen=True)
class CoinRelease:
    """The videos of both parts by id, the names of the steps by class, and what could not be read."""

    training: dict[str, CoinVideo]
    testing: dict[str, CoinVideo]
    names: dict[int, str]
    problems: tuple[str, ...]


def read_coin(folder: Path) -> CoinRelease:
    """Read a release; a video that is not in its form is listed and left out.

    Raises:
        SaysoError: if a file is no JSON, or no video of the test part is there.
    """
    files = [path for path in sorted(folder.glob("*.json")) if path.name != SPLITS]
    database = {id_: video for path in files for id_, video in _database(path).items()}
    split = _split(folder / SPLITS)
    parts: dict[str, dict[str, CoinVideo]] = {"training": {}, "testing": {}}
    names: dict[int, str] = {}
    problems: list[str] = []
    for id_, entry in database.items():
        try:
            video = _video(entry)
            subset = split.get(id_) or ("testing" if entry["subset"] in _TESTING else entry["subset"])
            parts[subset][id_] = video
            names |= {int(row["id"]): str(row["label"]) for row in entry["annotation"]}
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            problems.append(f"{id_}: no video in COIN's form ({type(error).__name__}: {error})")
    if not parts["testing"]:
        raise SaysoError(f"{folder} holds no test video of COIN: COIN.json of the release must be in it")
    return CoinRelease(parts["training"], parts["testing"], dict(sorted(names.items())), tuple(problems))


def label_seconds(steps: Sequence[StepInterval], seconds: int) -> Ints:
    """Return the class (seconds,) of each second; where intervals overlap, the later one in the list counts.

    A step covers from its start, rounded down, to its end, rounded up.

    Args:
        steps: of a video.
        seconds: T.
    """
    labels = np.full(seconds, OUTSIDE, dtype=np.int64)
    for step in steps:
        labels[math.floor(step.start) : math.ceil(step.end)] = step.step
    return labels


def _video(entry: dict[str, Any]) -> CoinVideo:
    steps = tuple(StepInterval(int(row["id"]), *map(float, row["segment"])) for row in entry["annotation"])
    duration_s = float(entry["duration"])
    wrong = [one for one in steps if not (one.step > OUTSIDE and 0 <= one.start <= one.end < math.inf)]
    if wrong or not 0 < duration_s < math.inf:
        raise ValueError(f"{wrong[0]}" if wrong else f"it lasts {duration_s} s")
    return CoinVideo(str(entry["class"]), duration_s, steps)


def _database(path: Path) -> dict[str, Any]:
    content = _json(path)
    database = content.get("database") if isinstance(content, dict) else None
    return database if isinstance(database, dict) else {}


def _split(path: Path) -> dict[str, str]:
    """Return the part of each video that ``splits.json`` lists; nothing if there is none."""
    if not path.exists():
        return {}
    listed = _json(path)
    try:
        return {str(id_): part for part in ("training", "testing") for id_ in listed[part]}
    except (KeyError, TypeError) as error:
        raise SaysoError(f"{path} must list the ids of the parts training and testing") from error


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SaysoError(f"{path} cannot be read as JSON: {error}") from error
