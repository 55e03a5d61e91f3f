"""Faces that have no name: those of one person together, with a number; and faces that nothing speaks for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sayso.core.arrays import Floats
from sayso.core.lazy import need
from sayso.people.tracks import Track

UNSPOKEN = 6.0  # log odds that a silent face that is far from all that speak is nobody of the names
FAR, FAR_OF = 0.6, 128  # distance of two descriptors of so many numbers that is two people's (dlib, 2017)
Numbers = NDArray[np.int64]


def number_strangers(
    unnamed: NDArray[np.bool_], groups: Numbers, alike: Floats, before: Numbers | None = None
) -> Numbers:
    """Return the number of the stranger that each unnamed track is, from 1, those with most tracks first.

    Groups are taken together as long as they are likelier one person's than two people's on average.

    Args:
        unnamed: (N,) tracks that are nobody of the names.
        groups: (N,) the group of each.
        alike: (M, M) log odds that two groups are one person's.
        before: (N,) numbers of an earlier naming, which are kept where most of a stranger's tracks had one.

    Returns:
        (N,) numbers; 0 for a track that has a name.

    Raises:
        MissingExtra: if scipy is not installed.
    """
    hierarchy: Any = need("scipy.cluster.hierarchy", "solvers")
    numbers = np.zeros(len(unnamed), dtype=np.int64)
    some, unit = np.unique(groups[unnamed], return_inverse=True)
    if not len(some):
        return numbers
    person = np.ones(len(some), dtype=np.int64)
    if len(some) > 1:
        apart = -alike[np.ix_(some, some)]
        top = float(np.abs(apart).max()) + 1
        upper = (apart + apart.T)[np.triu_indices(len(some), 1)] / 2 + top  # distances: none is negative
        person = hierarchy.fcluster(hierarchy.linkage(upper, "average"), top, "distance")
    own = person[unit]
    rows = np.flatnonzero(unnamed)
    order = sorted(set(own.tolist()), key=lambda one: (-int((own == one).sum()), int(rows[own == one][0])))
    taken: set[int] = set()
    for one in order:
        mine = rows[own == one]
        kept = _usual(before[mine], taken) if before is not None else 0
        taken.add(kept)
        numbers[mine] = kept
    free = iter(sorted(set(range(1, len(unnamed) + len(taken) + 2)) - taken - set(_numbers(before))))
    for one in order:
        mine = rows[own == one]
        if not numbers[mine[0]]:
            numbers[mine] = next(free)
    return numbers


def group_near(tracks: Sequence[Track]) -> tuple[Numbers, Floats]:
    """Return the groups (N,) of few tracks by their distances, and (M, M) that they are different people."""
    near = FAR - distances(np.stack([track.descriptor for track in tracks]))
    everybody = np.ones(len(tracks), dtype=np.bool_)
    groups = number_strangers(everybody, np.arange(len(tracks)), near) - 1
    return groups, 2 * np.eye(groups.max() + 1) - 1


def distances(descriptors: Floats) -> Floats:
    """Return the distances of all pairs of descriptors, (N, N)."""
    square = np.square(descriptors).sum(1)
    inner = descriptors @ descriptors.T
    return np.asarray(np.sqrt(np.maximum(0, square[:, None] + square - 2 * inner)))


def unspoken_groups(
    tracks: Sequence[Track], R: Floats, speaking: Collection[int], named: Collection[int] = ()
) -> Numbers:
    """Return the groups that nothing speaks for: watched, silent, and far from all that are seen to speak.

    Where nobody's lips were watched, or nobody was seen to speak, nothing can be said of silence: a name by
    hand alone must not make all others strangers. What is far is known of dlib's descriptors alone.

    Args:
        tracks: N of them, with descriptors.
        R: (N, M) how far each is of each group.
        speaking: numbers of those whose lips moved in a line.
        named: numbers of those who have a name by hand.
    """
    some = sorted({*speaking, *named})
    watched = np.array([bool(np.isfinite(track.lips).any()) for track in tracks])
    if not speaking or not watched.any() or len(tracks[0].descriptor) != FAR_OF:
        return np.zeros(0, dtype=np.int64)
    speaks = R[some].sum(0) > 0.5
    means = (R.T @ np.stack([track.descriptor for track in tracks])) / R.sum(0)[:, None]
    far = distances(means)[:, speaks].min(1, initial=np.inf) > FAR
    return np.flatnonzero(far & ~speaks & (R[watched].sum(0) > 0.5) & speaks.any())


def _usual(numbers: Numbers, taken: set[int]) -> int:
    """Return the number that most have, if it is one and free; else 0."""
    found, counts = np.unique(numbers, return_counts=True)
    best = int(found[counts.argmax()])
    return 0 if best in taken else best


def _numbers(before: Numbers | None) -> list[int]:
    return [] if before is None else before.tolist()
