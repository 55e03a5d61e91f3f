"""From ranked clips to moments: neighbours of one shot are merged, and what shows the same is folded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sayso.index.search import Candidate

TOUCHING_S = 0.5
"""Clips this close, in seconds, are neighbours."""

SAID_ALIKE = 0.25
"""Clips that differ more in the relevance of their words are no one moment, and no copies."""

COMPARED = 500
"""Moments that are ranked before another and that it may be a copy of; copies rank close to each other."""

ROUNDED = 1e-4
"""Cosines by two ways of adding up differ by less."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """From which cosine on two clips show the same.

    Args:
        shot: neighbours, the same shot.
        content: clips of different files, the same picture or recording.
    """

    shot: float
    content: float


def merge_neighbours(clips: list[Candidate], likeness: Likeness | None = None) -> list[Candidate]:
    """Merge clips that touch into one moment, from each best clip outwards; best first.

    A neighbour joins if it shows the same shot and its words are no less relevant; or while its score is
    nearer to the best clip's than to the median of all candidates, so that a moment ends where the match
    does, also when every clip of a video was found.

    Args:
        clips: best first.
        likeness: what one shot is; None if looks do not count.
    """
    if not clips:
        return []
    median = float(np.median([clip.score for clip in clips]))
    positions = _timelines(clips)
    taken: set[str] = set()
    moments = []
    for best in clips:
        if best.id in taken:
            continue
        timeline, k = positions[best.id]
        walk = _Walk(best, (best.score + median) / 2, likeness, taken)
        first, last = (walk.reach(timeline, k, step) for step in (-1, +1))
        members = timeline[first : last + 1]
        taken.update(clip.id for clip in members)
        moments.append(_moment(best, members))
    return moments


def _timelines(clips: list[Candidate]) -> dict[str, tuple[list[Candidate], int]]:
    """Return, for each clip, the candidates of its file in time order, and its position among them."""
    by_file: dict[str, list[Candidate]] = {}
    for clip in clips:
        by_file.setdefault(clip.media_id, []).append(clip)
    for timeline in by_file.values():
        timeline.sort(key=lambda clip: (clip.start_s, clip.end_s))
    return {clip.id: (timeline, k) for timeline in by_file.values() for k, clip in enumerate(timeline)}


@dataclass(frozen=True, slots=True)
class _Walk:
    """From a moment's best clip to its ends."""

    best: Candidate
    floor: float
    likeness: Likeness | None
    taken: set[str]

    def reach(self, timeline: list[Candidate], k: int, step: int) -> int:
        """Walk from clip ``k`` while the next one touches, is free and belongs to the moment."""
        while 0 <= k + step < len(timeline):
            clip, other = timeline[k], timeline[k + step]
            gap = other.start_s - clip.end_s if step > 0 else clip.start_s - other.end_s
            if gap > TOUCHING_S or other.id in self.taken or not self._belongs(other):
                break
            k += step
        return k

    def _belongs(self, other: Candidate) -> bool:
        if other.score >= self.floor:
            return True
        if self.likeness is None or not _said_alike(self.best, other):
            return False
        return _cosine(self.best, other) >= self.likeness.shot


def _moment(best: Candidate, members: list[Candidate]) -> Candidate:
    if len(members) == 1:
        return best
    return replace(
        best,
        members=tuple(member for clip in members for member in clip.members),
        start_s=min(clip.start_s for clip in members),
        end_s=max(clip.end_s for clip in members),
    )


def fold_copies(moments: Sequence[Candidate], likeness: Likeness) -> list[Candidate]:
    """Fold moments of other files that show the same into the best of them; best first.

    Args:
        moments: best first; none is folded if one has no vector.
        likeness: what the same content is.
    """
    if not moments or any(moment.vector is None for moment in moments):
        return list(moments)
    kept: list[Candidate] = []
    copies: dict[str, list[Candidate]] = {}
    units = np.stack([_direction(moment) for moment in moments])
    held = np.empty_like(units)  # those of what is kept
    near = _near_earlier(units, likeness.content - ROUNDED)
    for moment, unit, may in zip(moments, units, near, strict=True):
        first = None
        if may:
            start = max(0, len(kept) - COMPARED)
            cosines = np.einsum("nd,d->n", held[start : len(kept)], unit)
            alike = (kept[start + k] for k in np.flatnonzero(cosines >= likeness.content))
            first = next((one for one in alike if _may_be_copies(one, moment)), None)
        if first is not None:
            copies.setdefault(first.id, []).append(moment)
        else:
            held[len(kept)] = unit
            kept.append(moment)
    return [
        replace(moment, folded=tuple(copies[moment.id])) if moment.id in copies else moment for moment in kept
    ]


def _near_earlier(units: NDArray[np.float32], least: float) -> NDArray[np.bool_]:
    """Return which of the directions (N, D) have at least this cosine to one before them."""
    found = np.zeros(len(units), bool)
    for start in range(0, len(units), COMPARED):
        part = slice(start, start + COMPARED)
        found[part] = np.tril(units[part] @ units[: part.stop].T >= least, start - 1).any(axis=1)
    return found


def _may_be_copies(one: Candidate, other: Candidate) -> bool:
    """Return whether they are of different files, of one kind, and have words as relevant."""
    kinds = (one.end_s > 0) == (other.end_s > 0)  # a picture is no copy of a video
    return one.media_id != other.media_id and kinds and _said_alike(one, other)


def group_by_file(moments: Sequence[Candidate]) -> list[Candidate]:
    """Return the best moment of each file, which says how many there are; best first."""
    counts: dict[str, int] = {}
    for moment in moments:
        counts[moment.media_id] = counts.get(moment.media_id, 0) + 1
    best: dict[str, Candidate] = {}
    for moment in moments:
        best.setdefault(moment.media_id, replace(moment, moments=counts[moment.media_id]))
    return list(best.values())


def _said_alike(one: Candidate, other: Candidate) -> bool:
    return abs(_words(one) - _words(other)) <= SAID_ALIKE


def _words(clip: Candidate) -> float:
    return max(clip.spoken or 0.0, clip.described or 0.0)


def _direction(clip: Candidate) -> NDArray[np.float32]:
    if clip.vector is None:
        return np.zeros(1, np.float32)
    return clip.vector / np.float32(max(float(np.linalg.norm(clip.vector)), 1e-9))


def _cosine(one: Candidate, other: Candidate) -> float:
    if one.vector is None or other.vector is None:
        return 0.0
    return float(_direction(one) @ _direction(other))
