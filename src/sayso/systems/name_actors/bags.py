"""From what is said and written to demands on the names of tracks.

Slack is paid in squared tracks: a demand of weight 1 gives way where keeping it would make
the regression worse by what one track labelled quite wrongly costs.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sayso.core.types import Span
from sayso.people.tracks import Track
from sayso.solvers.constraints import CountConstraint, bag
from sayso.systems.name_actors.speech import Said

LIPS, LINE, MENTION = 10.0, 1.0, 0.5  # weights of the sources of demands, in squared tracks
SEEN = 0.7  # log odds of lips from which a track is demanded to be the speaker: 2 to 1
CROWD = 30  # bags of so many tracks say nothing (Bojanowski et al., 2013)
SHARED_S = 0.3  # a track that shares less time with a line is not in its bag
FEWEST = 3  # lines from which a speaker is one of the cast
# Speakers that are no one person.
MANY = frozenset(
    ("", "all", "both", "crowd", "everybody", "everyone", "everyone else", "together", "unknown")
)


class Spoken(Protocol):
    """A line of a film and who says it."""

    @property
    def span(self) -> Span:
        """When it is said."""

    @property
    def speaker(self) -> str | None:
        """Who says it, if known."""

    @property
    def confidence(self) -> float:
        """How sure the speaker is, 0 to 1."""


def cast_of(lines: Sequence[Spoken], fewest: int = FEWEST) -> list[str]:
    """Return the people who speak at least ``fewest`` lines, those with the most lines first."""
    counts = Counter(person(line.speaker) for line in lines if line.confidence >= 0.5)
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0] or ""))
    return [name for name, count in ranked if name is not None and count >= fewest]


def person(speaker: str | None) -> str | None:
    """Return a speaker's name in one spelling; None where it is no one person."""
    name = " ".join((speaker or "").split())
    if name.isupper():
        name = name.title()
    return None if name.casefold() in MANY else name


def said_lines(lines: Sequence[Spoken], names: Sequence[str]) -> list[Said]:
    """Return lines with their speakers as numbers of ``names``."""
    number = {name.casefold(): k for k, name in enumerate(names)}
    known = (number.get((person(line.speaker) or "").casefold()) for line in lines)
    return [
        Said(line.span, name, float(np.clip(line.confidence, 0.02, 0.98)))
        for line, name in zip(lines, known, strict=True)
    ]


def mentions(told: Sequence[tuple[Span, str, float]], names: Sequence[str]) -> list[Said]:
    """Return who is named in which description.

    Args:
        told: span, text and confidence of each description of the script.
        names: of the cast; a first name counts as the whole where only one of the cast has it.
    """
    words = [set(re.findall(r"\w+", name.casefold())) for name in names]
    shared = {word for word, count in Counter(w for ws in words for w in ws).items() if count > 1}
    found: list[Said] = []
    for span, text, sure in told:
        there = set(re.findall(r"\w+", text.casefold()))
        named = [k for k, ws in enumerate(words) if ws <= there or (ws - shared) & there]
        found += [Said(span, k, float(np.clip(sure, 0.02, 0.98))) for k in named]
    return found


def demands(
    tracks: Sequence[Track],
    lips: NDArray[np.float64],
    lines: Sequence[Said],
    described: Sequence[Said],
    corrections: Mapping[int, int],
) -> list[CountConstraint]:
    """Return what the text and the corrections ask of the labels.

    Args:
        tracks: N of them.
        lips: (N, K) log odds of each name from lips alone.
        lines: what is said.
        described: who is named in descriptions.
        corrections: track -> name, or K for nobody; these allow no slack.
    """
    unit = 1 / max(1, len(tracks))
    fixed = [bag([n], name) for n, name in sorted(corrections.items())]
    spoke = [
        bag([n], int(row.argmax()), kappa=LIPS * unit * float(-np.expm1(-row.max())))
        for n, row in enumerate(lips)
        if n not in corrections and row.size and row.max() > SEEN
    ]
    resting = lips < -SEEN  # whose lips rest in the line of p is hardly p
    bags = [_bag(tracks, one, LINE * unit, resting) for one in lines]
    bags += [_bag(tracks, one, MENTION * unit, resting) for one in described]
    return [*fixed, *spoke, *_merged([demand for demand in bags if demand is not None])]


def _bag(
    tracks: Sequence[Track], said: Said, weight: float, resting: NDArray[np.bool_]
) -> CountConstraint | None:
    """Return the demand that one of the tracks on screen is the one who is named."""
    if said.name is None or said.confidence < 0.5:
        return None
    rows = [n for n, track in enumerate(tracks) if track.span.overlap(said.span) > SHARED_S]
    likely = [n for n in rows if not resting[n, said.name]]
    return bag(likely, said.name, kappa=weight * said.confidence) if likely and len(rows) < CROWD else None


def _merged(bags: Sequence[CountConstraint]) -> list[CountConstraint]:
    """Return bags of the same tracks and name as one, of their summed weight."""
    merged: dict[tuple[int, ...], CountConstraint] = {}
    for one in bags:
        key = (one.label, *one.rows.tolist())
        have = merged.get(key)
        merged[key] = one if have is None else replace(have, kappa=(have.kappa or 0.0) + (one.kappa or 0.0))
    return list(merged.values())
