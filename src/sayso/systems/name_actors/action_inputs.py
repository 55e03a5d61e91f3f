"""Features of what the person of each track does, and the bags of tracks that descriptions make.

The features of a track are an encoder's embedding of the head and shoulders from the track's first
moment to its last. The person of a description is the one named first: "Rick hands Ilsa a glass".
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from sayso.core.arrays import Floats
from sayso.core.errors import MediaError
from sayso.core.progress import Progress, Silent
from sayso.core.types import Span
from sayso.data.manifest import Failure
from sayso.people.tracks import Track
from sayso.systems.name_actors.actions import ActionBag
from sayso.systems.name_actors.constraints import SHARED_S, Description, named_in

if TYPE_CHECKING:
    from sayso.encoders.interface import Encoder

FRAMES = 8  # of a track, at most: more add nothing for an encoder of pictures


def motion_features(
    film: str | os.PathLike[str],
    tracks: Sequence[Track],
    encoder: Encoder,
    *,
    progress: Progress | None = None,
) -> tuple[Floats, list[Failure]]:
    """Return features of what is done in each track, (N, D), and the tracks that could not be read.

    These get the mean of the others, which favours no action.

    Args:
        film: the video.
        tracks: N of them, boxes in the video's own pixels.
        encoder: of clips.
        progress: reports each track.

    Raises:
        MediaError: if not one track can be read.
    """
    from sayso.people.crops import person_clip

    X = np.full((len(tracks), encoder.dim), np.nan)
    failures: list[Failure] = []
    for n, track in enumerate(tracks):
        try:
            shown = person_clip(film, track, min(FRAMES, encoder.clip.frames))
            X[n] = encoder.encode_video(shown[None])[0]
        except MediaError as error:
            failures.append(Failure(os.fspath(film), f"track {n}", str(error)))
        (progress or Silent()).update(n + 1, len(tracks), "motion")
    read = ~np.isnan(X).any(1)
    if failures and not read.any():
        raise MediaError(failures[0].error)
    X[~read] = X[read].mean(0) if read.any() else 0.0
    return X, failures


def action_bags(
    tracks: Sequence[Track], descriptions: Sequence[Description], names: Sequence[str]
) -> list[ActionBag]:
    """Return the bags that descriptions make: which tracks, which action, and by whom.

    Args:
        tracks: all of the film.
        descriptions: of the script; those whose time has a confidence below 0.5 are left out.
        names: of the columns of ``Naming.probabilities``.
    """
    found: list[ActionBag] = []
    for one in descriptions:
        rows = [n for n, track in enumerate(tracks) if track.span.overlap(one.span) > SHARED_S]
        if not rows or one.confidence < 0.5:
            continue
        person = _first_named(one.text, names)
        found += [ActionBag(np.array(rows), action, person) for action in one.actions]
    return found


def _first_named(text: str, names: Sequence[str]) -> int | None:
    """Return the one of the names whose word comes first in a text."""
    words = re.findall(r"\w+", text.casefold())
    named = {one.name for one in named_in([Description(Span(0.0, 1.0), text, 1.0)], names)}
    at = {
        k: min(words.index(word) for word in re.findall(r"\w+", names[k].casefold()) if word in words)
        for k in named
        if k is not None
    }
    return min(at, key=lambda k: at[k]) if at else None
