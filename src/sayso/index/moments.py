"""Merging neighbouring clips of a video into the moment they show."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sayso.index.search import Candidate

TOUCHING_S = 0.5
"""Clips this close, in seconds, are neighbours."""


def merge_neighbours(clips: list[Candidate]) -> list[Candidate]:
    """Merge clips that touch into one moment, from each best clip outwards; best first.

    A neighbour joins while its score is nearer to the best clip's than to the
    ordinary (the median of all candidates), so that a moment ends where the
    match does, also when every clip of a video was found.
    """
    if not clips:
        return []
    ordinary = float(np.median([clip.score for clip in clips]))
    place = _places(clips)
    taken: set[str] = set()
    moments = []
    for best in clips:
        if best.id in taken:
            continue
        line, k = place[best.id]
        floor = (best.score + ordinary) / 2
        first, last = (_reach(line, k, step, floor, taken) for step in (-1, +1))
        members = line[first : last + 1]
        taken.update(clip.id for clip in members)
        moments.append(_moment(best, members))
    return moments


def _places(clips: list[Candidate]) -> dict[str, tuple[list[Candidate], int]]:
    """Return, for each clip, the found clips of its file in time order, and its place among them."""
    lines: dict[str, list[Candidate]] = {}
    for clip in clips:
        lines.setdefault(clip.media_id, []).append(clip)
    for line in lines.values():
        line.sort(key=lambda clip: (clip.start_s, clip.end_s))
    return {clip.id: (line, k) for line in lines.values() for k, clip in enumerate(line)}


def _reach(line: list[Candidate], k: int, step: int, floor: float, taken: set[str]) -> int:
    """Walk from clip ``k`` while the next one touches, is free and scores at least ``floor``."""
    while 0 <= k + step < len(line):
        here, there = line[k], line[k + step]
        gap = there.start_s - here.end_s if step > 0 else here.start_s - there.end_s
        if gap > TOUCHING_S or there.id in taken or there.score < floor:
            break
        k += step
    return k


def _moment(best: Candidate, members: list[Candidate]) -> Candidate:
    return replace(
        best,
        members=tuple(member for clip in members for member in clip.members),
        start_s=min(clip.start_s for clip in members),
        end_s=max(clip.end_s for clip in members),
    )
