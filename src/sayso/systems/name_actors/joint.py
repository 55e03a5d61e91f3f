"""The names of all tracks at once: nobody is on screen twice; a place of the picture is often one person's.

Each pair of tracks has a factor on their names j and k:

    both on screen at once                  exp(-APART) where j = k, and both are not nobody; else 1
    one where the other was before          (1 - SAME) + SAME [j = k] / share_k

In the second they are one person with probability SAME, else anybody by what times say of each (share_k, the
mean of both): the times of two tracks of a scene, which are the same evidence, so count once. The probability
of each track's name is found by belief propagation [1], exact where the pairs make no ring.

Sources
    [1] Pearl, Probabilistic Reasoning in Intelligent Systems, 1988, chapter 4.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sayso.core.arrays import Floats
from sayso.metrics.localization import iou
from sayso.people.tracks import Track
from sayso.systems.name_actors.context import softmax

TOGETHER_S = 0.2  # faces on screen at once for longer are two people
APART = 3.0  # log odds against one person twice in a picture: mirrors, photographs, broken tracks
ROUNDS = 30
SAME = 0.6  # probability that two faces in one place of the picture, seconds apart, are one person's at once
SHARED = 0.4  # overlap of two boxes, intersection over union, from which they are in one place
AGAIN_S = (0.5, 30.0)  # how long after a track the camera may be back; right after the cut it is elsewhere


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


def same_places(tracks: Sequence[Track]) -> list[tuple[int, int]]:
    """Return each track with the last one that was in its place of the picture some seconds before, if any.

    Dialogues cut between two cameras, each of which shows the same person in the same place. A track has one
    such pair with what was before it, so that these pairs make no ring.

    Args:
        tracks: N of them; those without a box have no place.
    """
    boxed = [n for n, track in enumerate(tracks) if track.box is not None]
    order = np.array(sorted(boxed, key=lambda n: tracks[n].span.end), dtype=np.int64)
    ends = np.array([tracks[n].span.end for n in order])
    boxes = np.array([_corners(tracks[n]) for n in order]).reshape(-1, 4)
    pairs: list[tuple[int, int]] = []
    for n in boxed:
        start = tracks[n].span.start
        low, high = np.searchsorted(ends, [start - AGAIN_S[1], start - AGAIN_S[0]])
        near = np.flatnonzero(iou(_corners(tracks[n])[None], boxes[low:high])[0] > SHARED)
        pairs += [(int(order[low + near[-1]]), n)] if len(near) else []
    return pairs


def joint_probabilities(
    logits: Floats,
    apart: Sequence[tuple[int, int]],
    same: Sequence[tuple[int, int]] = (),
    shares: Floats | None = None,
) -> Floats:
    """Return the probabilities of each track's name, given what each is by itself and the pairs, (N, C + 1).

    Args:
        logits: (N, C + 1) log probabilities of each track by itself; the last column is nobody.
        apart: pairs of tracks that are on screen at once, of which both may be nobody.
        same: pairs of tracks that are likely one person's.
        shares: (N, C + 1) what times alone say of each track, above 0; default the same for all names.
    """
    pairs = np.array([*apart, *same], dtype=np.int64).reshape(-1, 2)
    if not len(pairs):
        return softmax(logits)
    gains = np.zeros((len(pairs), logits.shape[1]))
    gains[: len(apart), :-1] = np.expm1(-APART)
    prior = np.full(logits.shape, 1 / logits.shape[1]) if shares is None else shares
    gains[len(apart) :] = SAME / (1 - SAME) / prior[pairs[len(apart) :]].mean(1)
    gains = np.concatenate([gains, gains])
    source, target = np.concatenate([pairs, pairs[:, ::-1]]).T
    back = np.roll(np.arange(2 * len(pairs)), len(pairs))  # the message that goes the other way
    messages = np.zeros_like(gains)
    for _ in range(ROUNDS):
        beliefs = logits.copy()
        np.add.at(beliefs, target, messages)
        others = softmax(beliefs[source] - messages[back])
        messages = (messages + np.log1p(gains * others)) / 2
    beliefs = logits.copy()
    np.add.at(beliefs, target, messages)
    return softmax(beliefs)


def _corners(track: Track) -> Floats:
    box = track.box
    return np.array([] if box is None else [box.x0, box.y0, box.x1, box.y1])
