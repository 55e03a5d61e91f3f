"""What people do, from the film and its script: features of motion, and which bags the descriptions make.

The features of a track are an encoder's embedding of the head and shoulders from the track's first
moment to its last. A description tells of whoever is named first in it: "Rick hands Ilsa a glass".
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sayso.core.errors import MediaError
from sayso.core.progress import Progress, Silent
from sayso.core.types import Span
from sayso.people.tracks import Track
from sayso.systems.name_actors.actions import Told
from sayso.systems.name_actors.bags import SHARED_S, mentions

if TYPE_CHECKING:
    from sayso.encoders.interface import Encoder

Floats = NDArray[np.float64]
FRAMES = 8  # of a track, at most: more tell an encoder of pictures nothing new


@dataclass(frozen=True, slots=True)
class Described:
    """A description of the script: when, in what words, how sure its time is, and the actions it tells of."""

    span: Span
    text: str
    confidence: float
    actions: tuple[int, ...] = ()


def motion_features(
    film: str | os.PathLike[str],
    tracks: Sequence[Track],
    encoder: Encoder,
    *,
    progress: Progress | None = None,
    problems: list[MediaError] | None = None,
) -> Floats:
    """Return features of what is done in each track, (N, D).

    A track that cannot be read gets the mean of the others, which says nothing.

    Args:
        film: the video.
        tracks: N of them, boxes in the video's own pixels.
        encoder: of clips.
        progress: what is told of each track.
        problems: where given, what cannot be read is added to it instead of raised.

    Raises:
        MediaError: if the film cannot be read.
    """
    from sayso.people.crops import person_clip

    X = np.full((len(tracks), encoder.dim), np.nan)
    for n, track in enumerate(tracks):
        try:
            shown = person_clip(film, track, min(FRAMES, encoder.clip.frames))
            X[n] = encoder.encode_video(shown[None])[0]
        except MediaError as error:
            if problems is None:
                raise
            problems.append(error)
        (progress or Silent()).update(n + 1, len(tracks), "motion")
    read = ~np.isnan(X).any(1)
    X[~read] = X[read].mean(0) if read.any() else 0.0
    return X


def told_of(tracks: Sequence[Track], described: Sequence[Described], names: Sequence[str]) -> list[Told]:
    """Return the bags that descriptions make: which tracks, which action, and by whom.

    Args:
        tracks: all of the film.
        described: descriptions; those whose time is less sure than not are left out.
        names: of the columns of ``Naming.probabilities``.
    """
    found: list[Told] = []
    for one in described:
        rows = [n for n, track in enumerate(tracks) if track.span.overlap(one.span) > SHARED_S]
        if not rows or one.confidence < 0.5:
            continue
        person = _first_named(one.text, names)
        found += [Told(np.array(rows), action, person) for action in one.actions]
    return found


def _first_named(text: str, names: Sequence[str]) -> int | None:
    """Return the one of the names whose word comes first in a text."""
    words = re.findall(r"\w+", text.casefold())
    named = {said.name for said in mentions([(Span(0.0, 1.0), text, 1.0)], names)}
    at = {
        k: min(words.index(word) for word in re.findall(r"\w+", names[k].casefold()) if word in words)
        for k in named
        if k is not None
    }
    return min(at, key=lambda k: at[k]) if at else None
