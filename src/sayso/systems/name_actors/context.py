"""What time alone gives: a prior over names from who speaks nearby, and the faces that are two people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sayso.core.arrays import Floats
from sayso.people.tracks import Track
from sayso.systems.name_actors.lips import NamedSpan

NEARBY_S = 4.0  # a speaker is seen around the line, within a shot or two
ELSEWHERE = 0.2  # probability that a face is of somebody who does not speak nearby
BLIND = {"nearby_s": 8.0, "elsewhere": 0.4}  # the same where times are all that is known
NOBODY = 0.05  # probability that a face is of none of the names, where nothing tells their share
TOGETHER_S = 0.2  # faces on screen at once for longer are two people
APART = 3.0  # log odds against one person twice in a picture: mirrors, photographs, broken tracks


def speaker_prior(
    tracks: Sequence[Track],
    lines: Sequence[NamedSpan],
    names: int,
    *,
    nearby_s: float = NEARBY_S,
    elsewhere: float = ELSEWHERE,
) -> Floats:
    """Return the log prior of each name for each track, (N, C + 1); the last column is nobody.

    Who speaks during the track or a few seconds around it is likelier, by exp(-distance / nearby_s).

    Args:
        tracks: N of them.
        lines: of the film, with the numbers of their speakers.
        names: C, how many there are.
        nearby_s: seconds in which that falls by a factor of e.
        elsewhere: probability that a face is of somebody who does not speak nearby.
    """
    named = [line for line in lines if line.name is not None]
    who = np.array([line.name for line in named], dtype=np.int64)
    start, end = (np.array([getattr(line.span, side) for line in named]) for side in ("start", "end"))
    weight = np.array([line.confidence for line in named])
    overall = speaker_shares(lines, names)
    share = np.full((len(tracks), names + 1), NOBODY)
    for n, track in enumerate(tracks):
        away = np.maximum(0, np.maximum(track.span.start - end, start - track.span.end))
        near = np.bincount(who, weight * np.exp(-away / nearby_s), minlength=names)
        total = near.sum()
        nearby = near / total if total > 1e-6 else overall
        share[n, :names] = (1 - NOBODY) * ((1 - elsewhere) * nearby + elsewhere * overall)
    return np.asarray(np.log(share))


def name_context(
    tracks: Sequence[Track], lines: Sequence[NamedSpan], mentions: Sequence[NamedSpan], overall: Floats
) -> Floats:
    """Return the log of how much likelier each name is here than anywhere, (N, C).

    Args:
        tracks: N of them.
        lines: of the film, with the numbers of their speakers.
        mentions: who is named in descriptions; they count by half.
        overall: (C,) the share of each name in the film.
    """
    said = [*lines, *(replace(one, confidence=0.5 * one.confidence) for one in mentions)]
    context = speaker_prior(tracks, said, len(overall))[:, :-1] - np.log1p(-NOBODY) - np.log(overall)
    heard = {one.name for one in said}
    context[:, [k for k in range(len(overall)) if k not in heard]] = 0  # who never speaks may be anywhere
    return np.asarray(context)


def speaker_shares(lines: Sequence[NamedSpan], names: int) -> Floats:
    """Return the share of the lines that each name speaks, (C,), each name once more than it does."""
    who = [line.name for line in lines if line.name is not None]
    return np.asarray(
        (np.bincount(np.array(who, dtype=np.int64), minlength=names) + 1.0) / (len(who) + names)
    )


def overlapping_tracks(tracks: Sequence[Track]) -> list[tuple[int, int]]:
    """Return the pairs of tracks that are on screen at once, in time linear in the tracks and pairs."""
    order = sorted(range(len(tracks)), key=lambda n: tracks[n].span.start)
    pairs: list[tuple[int, int]] = []
    open_: list[int] = []
    for n in order:
        open_ = [m for m in open_ if tracks[m].span.end > tracks[n].span.start + TOGETHER_S]
        pairs += [(m, n) for m in open_ if tracks[m].span.overlap(tracks[n].span) > TOGETHER_S]
        open_.append(n)
    return pairs


def exclusive_probabilities(logits: Floats, pairs: Sequence[tuple[int, int]], rounds: int = 20) -> Floats:
    """Return probabilities (N, C + 1) under which nobody is on screen twice, by mean field.

    Args:
        logits: (N, C + 1) log probabilities of each track by itself; the last column is nobody, which
            several may be.
        pairs: tracks that are on screen at once.
        rounds: of the mean field, half a step each.
    """
    P = softmax(logits)
    if not pairs:
        return P
    left, right = np.array(pairs).T
    for _ in range(rounds):
        taken = np.zeros_like(P)
        np.add.at(taken, left, P[right])
        np.add.at(taken, right, P[left])
        taken[:, -1] = 0
        P = (P + softmax(logits - APART * np.minimum(1, taken))) / 2
    return P


def softmax(logits: Floats) -> Floats:
    """Return probabilities, each row summing to 1."""
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(powers / powers.sum(1, keepdims=True))
