"""The weak supervision of the 66 films of Miech et al., ICCV 2017: tracks and the bags a script gives.

One JSON file a film: ``tracks`` (first and last frame of each) and ``bags`` (``action``
from 1, where 1 is the background; ``person``, 0 where none is named; ``tracks``, indices
from 0). Here actions count from 0, so that class 0 is the background.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sayso.core.errors import SaysoError


@dataclass(frozen=True, eq=False)
class Bag:
    """Tracks of which the script says that some show an action.

    Attributes:
        tracks: indices of the film's tracks.
        action: the class, from 0 (background).
        person: the person's number, or None where none is named.
    """

    tracks: NDArray[np.int64]
    action: int
    person: int | None


@dataclass(frozen=True, eq=False)
class Film:
    """One film.

    Attributes:
        number: of the film.
        frames: (N, 2) first and last frame of each track.
        bags: what the script says.
    """

    number: int
    frames: NDArray[np.int64]
    bags: list[Bag]

    def outside(self) -> NDArray[np.int64]:
        """Return the tracks that lie in no bag."""
        inside = [bag.tracks for bag in self.bags]
        return np.setdiff1d(np.arange(len(self.frames)), np.concatenate(inside) if inside else [])


def read_films(folder: str | Path) -> list[Film]:
    """Return the films of a folder, by number.

    Raises:
        SaysoError: if there is none, or a file is not of this form.
    """
    files = sorted(Path(folder).glob("movie*.json"))
    if not files:
        raise SaysoError(f"no movie*.json in {folder}; give the folder of the films' weak supervision")
    return sorted((read_film(file) for file in files), key=lambda film: film.number)


def read_film(file: Path) -> Film:
    """Return one film.

    Raises:
        SaysoError: if the file is not of this form.
    """
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        frames = np.array(data["tracks"], dtype=np.int64).reshape(-1, 2)
        bags = [_bag(entry) for entry in data["bags"]]
        number = int(data["movie"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SaysoError(f"{file} holds no film's tracks and bags: {error!r}") from error
    for index, bag in enumerate(bags):
        if len(bag.tracks) and not 0 <= bag.tracks.min() <= bag.tracks.max() < len(frames):
            raise SaysoError(f"bag {index} of {file} names a track outside 0 to {len(frames) - 1}")
    return Film(number, frames, bags)


def _bag(entry: dict[str, object]) -> Bag:
    tracks = np.array(entry["tracks"], dtype=np.int64).reshape(-1)
    action, person = int(str(entry["action"])), int(str(entry["person"]))
    if action < 1:
        raise ValueError(f"action {action} is below 1")
    return Bag(tracks, action - 1, person or None)
