"""Lines, descriptions and corrections as constraints on the names of tracks.

Slack is paid in squared tracks: a constraint of weight 1 gives way where keeping it would make
the regression worse by what one track labelled quite wrongly costs.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sayso.core.types import Span
from sayso.people.tracks import Track
from sayso.solvers.constraints import CountConstraint, bag
from sayso.systems.name_actors.lips import NamedSpan

if TYPE_CHECKING:
    from sayso.alignment import SpokenLine

LIPS, LINE, MENTION = 10.0, 1.0, 0.5  # weights of the constraints by source, in squared tracks
SPEAKING = 0.7  # log odds of the lips from which a track is constrained to be the speaker: 2 to 1
MAX_BAG_SIZE = 30  # larger bags are left out (Bojanowski et al., 2013)
SHARED_S = 0.3  # a track that shares less time with a line is not in its bag
FEWEST = 3  # lines from which a speaker is one of the cast
# Speakers that are no one person: some of the cast at once, and others.
TOGETHER = frozenset(("all", "both", "everybody", "everyone", "together"))
MANY = TOGETHER | {"", "crowd", "everyone else", "unknown"}


@dataclass(frozen=True, slots=True)
class Description:
    """A description of the script: when, in what words, the confidence of its time, and its actions.

    Args:
        span: when it happens.
        text: its words.
        confidence: of the span, 0 to 1.
        actions: numbers of the action classes that it mentions.
    """

    span: Span
    text: str
    confidence: float
    actions: tuple[int, ...] = ()


def cast_of(lines: Sequence[SpokenLine], fewest: int = FEWEST) -> list[str]:
    """Return the people who speak at least ``fewest`` lines, those with the most lines first."""
    counts = Counter(canonical_name(line.speaker) for line in lines if line.confidence >= 0.5)
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0] or ""))
    return [name for name, count in ranked if name is not None and count >= fewest]


def canonical_name(speaker: str | None) -> str | None:
    """Return a speaker's name in one spelling; None where it is no single person."""
    name = " ".join((speaker or "").split())
    if name.isupper():
        name = name.title()
    return None if name.casefold() in MANY else name


def named_lines(lines: Sequence[SpokenLine], names: Sequence[str]) -> list[NamedSpan]:
    """Return lines with their speakers as numbers of ``names``; None: of somebody else, with what confidence.

    Of lines that several of the cast speak together nothing is known.
    """
    number = {name.casefold(): k for k, name in enumerate(names)}
    found: list[NamedSpan] = []
    for line in lines:
        name = number.get((canonical_name(line.speaker) or "").casefold())
        sure = 0.0 if (line.speaker or "").strip().casefold() in TOGETHER else line.confidence
        found.append(NamedSpan(line.span, name, float(np.clip(sure, 0.02, 0.98))))
    return found


def named_in(descriptions: Sequence[Description], names: Sequence[str]) -> list[NamedSpan]:
    """Return who is named in which description.

    Args:
        descriptions: of the script.
        names: of the cast; a first name counts as the whole where only one of the cast has it.
    """
    words = [set(re.findall(r"\w+", name.casefold())) for name in names]
    shared = {word for word, count in Counter(w for ws in words for w in ws).items() if count > 1}
    found: list[NamedSpan] = []
    for one in descriptions:
        inside = set(re.findall(r"\w+", one.text.casefold()))
        named = [k for k, ws in enumerate(words) if ws <= inside or (ws - shared) & inside]
        found += [NamedSpan(one.span, k, float(np.clip(one.confidence, 0.02, 0.98))) for k in named]
    return found


def label_constraints(
    tracks: Sequence[Track],
    lips: NDArray[np.float64],
    lines: Sequence[NamedSpan],
    mentions: Sequence[NamedSpan],
    corrections: Mapping[int, int],
) -> list[CountConstraint]:
    """Return the constraints of the text and of the corrections on the labels.

    Args:
        tracks: N of them.
        lips: (N, C) log odds of each name from lips alone.
        lines: of the film, with their speakers.
        mentions: who is named in descriptions.
        corrections: track -> name, or C for nobody; these allow no slack.
    """
    unit = 1 / max(1, len(tracks))
    fixed = [bag([n], name) for n, name in sorted(corrections.items())]
    speaking = [
        bag([n], int(row.argmax()), kappa=LIPS * unit * float(-np.expm1(-row.max())))
        for n, row in enumerate(lips)
        if n not in corrections and row.size and row.max() > SPEAKING
    ]
    resting = lips < -SPEAKING  # a face whose lips rest in the line of p is hardly p
    bags = [_bag(tracks, one, LINE * unit, resting) for one in lines]
    bags += [_bag(tracks, one, MENTION * unit, resting) for one in mentions]
    return [*fixed, *speaking, *_merged([one for one in bags if one is not None])]


def _bag(
    tracks: Sequence[Track], span: NamedSpan, weight: float, resting: NDArray[np.bool_]
) -> CountConstraint | None:
    """Return the constraint that one of the tracks on screen is the person who is named."""
    if span.name is None or span.confidence < 0.5:
        return None
    rows = [n for n, track in enumerate(tracks) if track.span.overlap(span.span) > SHARED_S]
    likely = [n for n in rows if not resting[n, span.name]]
    return (
        bag(likely, span.name, kappa=weight * span.confidence)
        if likely and len(rows) < MAX_BAG_SIZE
        else None
    )


def _merged(bags: Sequence[CountConstraint]) -> list[CountConstraint]:
    """Return bags of the same tracks and name as one, of their summed weight."""
    merged: dict[tuple[int, ...], CountConstraint] = {}
    for one in bags:
        key = (one.label, *one.rows.tolist())
        have = merged.get(key)
        merged[key] = one if have is None else replace(have, kappa=(have.kappa or 0.0) + (one.kappa or 0.0))
    return list(merged.values())
