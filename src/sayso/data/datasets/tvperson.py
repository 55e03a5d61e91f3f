"""TV person identification (Bauml, Tapaswi, Stiefelhagen, FG 2015): face tracks of episodes, with names.

Of each episode there are ``NAME.subtitles.json`` (each subtitle with the line of a fan
transcript, the speaker it names, and the true one; lists where one subtitle holds two
lines), ``NAME.tracks.json`` (times, box, lip motion, true name) and ``NAME.videvents``
(shot cuts). What a system may know and what is true are kept apart.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sayso.core.errors import SaysoError
from sayso.core.types import Box, Caption, Span
from sayso.people.tracks import Track
from sayso.text.screenplay.elements import Element, Screenplay

UNKNOWN = "unknown"
UNNAMED = "IGNORE"  # what the transcripts write where they do not say who speaks


@dataclass(frozen=True, eq=False)
class Episode:
    """One episode.

    Attributes:
        name: of its files.
        script: the transcript: speeches in order, without times.
        captions: the subtitles, without speakers.
        tracks: the face tracks, without names.
        cuts: seconds at which a shot begins.
        names: the true name of each track; ``unknown`` for the people nobody named.
        speakers: the true speaker of each line of the subtitles.
        published: the speaker that the published alignment gives each line; None where it names nobody.
    """

    name: str
    script: Screenplay
    captions: list[Caption]
    tracks: list[Track]
    cuts: list[float]
    names: list[str]
    speakers: list[str]
    published: list[str | None]


def episode_names(folder: str | Path) -> list[str]:
    """Return the names of the episodes of a folder, sorted.

    Raises:
        SaysoError: if there is none.
    """
    names = sorted(path.name.partition(".")[0] for path in Path(folder).glob("*.subtitles.json"))
    if not names:
        raise SaysoError(f"no *.subtitles.json in {folder}; give the folder of the episodes")
    return names


def read_episodes(folder: str | Path) -> list[Episode]:
    """Return the episodes of a folder, by name.

    Raises:
        SaysoError: if there is none, or a file is not of this form.
    """
    return [read_episode(folder, name) for name in episode_names(folder)]


def readable_episodes(folder: str | Path) -> tuple[list[Episode], tuple[str, ...]]:
    """Return the episodes of a folder that can be read, by name, and of each other one why not.

    Raises:
        SaysoError: if none can be.
    """
    episodes, problems = [], []
    for name in episode_names(folder):
        try:
            episodes.append(read_episode(folder, name))
        except SaysoError as error:
            problems.append(str(error))
    if not episodes:
        raise SaysoError(problems[0])
    return episodes, tuple(problems)


def read_episode(folder: str | Path, name: str) -> Episode:
    """Return one episode.

    Raises:
        SaysoError: if a file is missing or not of this form.
    """
    base = Path(folder) / name
    try:
        lines = json.loads(Path(f"{base}.subtitles.json").read_text(encoding="utf-8"))
        faces = json.loads(Path(f"{base}.tracks.json").read_text(encoding="utf-8"))
        elements: list[Element] = []
        speakers: list[str] = []
        published: list[str | None] = []
        for row in lines:
            truth = _listed(row["true_speaker"])
            given = row["transcript_speaker"] if len(truth) > 1 else [row["transcript_speaker"]]
            speakers += truth
            named = [who if isinstance(who, str) and who != UNNAMED else None for who in given]
            published += named
            for who, text in zip(named, _listed(row["transcript_text"]), strict=True):
                elements.append(Element("dialogue", str(text), len(elements) + 1, who))
        captions = [Caption(Span(row["start"], row["end"]), row["text"]) for row in lines]
        tracks = [_track(row) for row in faces]
        names = [str(row["name"]) for row in faces]
        cuts = _cuts(Path(f"{base}.videvents"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SaysoError(f"the episode {name} of {folder} cannot be read: {error!r}") from error
    return Episode(name, Screenplay(tuple(elements)), captions, tracks, cuts, names, speakers, published)


def _track(row: Mapping[str, Any]) -> Track:
    x, y, width, height = row["box"]
    lips = [np.nan if value is None else value for value in row["lip_motion"]]
    box = Box(x, y, x + width, y + height)
    return Track(Span(row["start"], row["end"]), box, np.array(lips, dtype=np.float64))


def _cuts(path: Path) -> list[float]:
    rows = (line.split() for line in path.read_text(encoding="utf-8").splitlines())
    return [float(row[1]) for row in rows if len(row) > 2 and row[2] == "CUT"]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
