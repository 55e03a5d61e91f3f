"""Who speaks: the evidence of moving lips for each track's name.

A face whose lips move while a line of p is spoken is p [1]; one whose lips rest is hardly p. The
distribution of lip motion at rest is estimated from the film itself, where no line is spoken; that of
speech from the lines, by expectation maximisation with the distribution at rest held fixed. So no
threshold is tuned to a camera or a tracker.

    evidence[n, k] = sum over lines l that track n overlaps of log p(lips of n in l | n is k)

Lines of somebody who has no name here speak, in the same way, for nobody of the names.

Sources
    [1] Everingham, Sivic, Zisserman, BMVC 2006, section 3.2 (the speaking-face shortcut).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sayso.core.arrays import Floats
from sayso.core.types import Span
from sayso.people.tracks import Track

LEAST_S = 0.25  # a mouth that is seen for less is no evidence
PIECE_S = 1.5  # silence is cut into pieces as long as a short line
OWN, OTHER = 0.9, 0.08  # probability that lips are seen to speak in one's own line, and in another's
ANOTHER = 0.5  # probability that a stranger who is seen in a stranger's line speaks it: they are several
FEWEST = 8  # observations at rest below which that distribution cannot be estimated


@dataclass(frozen=True, slots=True)
class NamedSpan:
    """When a person speaks or is described: the number of the name, or None, and its confidence (0 to 1)."""

    span: Span
    name: int | None
    confidence: float


@dataclass(frozen=True, eq=False)
class LipLikelihoods:
    """Log likelihood ratios of the motion of lips, one row for each track that overlaps a line.

    Attributes:
        track: (L,) number of the track.
        line: (L,) number of the line.
        speaking: (L,) log p(motion | speaks) - log p(motion | rests).
    """

    track: NDArray[np.int64]
    line: NDArray[np.int64]
    speaking: Floats


def lip_evidence(tracks: Sequence[Track], lines: Sequence[NamedSpan], names: int) -> Floats:
    """Return log odds of each name and, last, of nobody of the names, from the lips, (N, C + 1); 0: none.

    Args:
        tracks: N of them.
        lines: of the film, with the numbers of their speakers.
        names: C, how many there are.
    """
    said = [
        replace(line, name=names, confidence=ANOTHER * line.confidence) if line.name is None else line
        for line in lines
    ]
    return name_evidence(lip_likelihoods(tracks, lines), said, len(tracks), names + 1)


def lip_likelihoods(tracks: Sequence[Track], lines: Sequence[NamedSpan]) -> LipLikelihoods:
    """Return the likelihood ratio of speech for each track in each line that it overlaps."""
    spans = np.array([(line.span.start, line.span.end) for line in lines]).reshape(-1, 2)
    found: list[tuple[int, int, float]] = []
    silent: list[float] = []
    for n, track in enumerate(tracks):
        at = _frame_times(track)
        for k in np.flatnonzero((spans[:, 0] < track.span.end) & (spans[:, 1] > track.span.start)):
            motion = _motion(track, (at >= spans[k, 0]) & (at < spans[k, 1]))
            if motion is not None:
                found.append((n, int(k), motion))
        silent += _motions_in_silence(track, at, spans)
    table = np.array(found).reshape(-1, 3)
    ratio = speech_ratio(table[:, 2], np.array(silent))
    return LipLikelihoods(table[:, 0].astype(np.int64), table[:, 1].astype(np.int64), ratio)


def speech_ratio(motion: Floats, silent: Floats) -> Floats:
    """Return log p(motion | speaks) - log p(motion | rests), at most 4 either way.

    Args:
        motion: (L,) log motions, some of speech and some not.
        silent: log motions of mouths that rest; where there are fewer than a handful, the
            third with the least motion of ``motion`` stands for them.
    """
    if not len(motion):
        return np.zeros(0)
    if len(silent) < FEWEST:
        silent = np.sort(motion)[: max(1, len(motion) // 3)]
    rest, rest_width = float(np.median(silent)), max(0.2, 1.4826 * _spread(silent))
    lively = max(float(np.quantile(motion, 0.75)), rest + rest_width)
    width, share = rest_width, 0.5
    for _ in range(50):
        ratio = _normal(motion, lively, width) - _normal(motion, rest, rest_width)
        speaks = 1 / (1 + np.exp(-np.clip(ratio + np.log(share / (1 - share)), -30, 30)))
        total = speaks.sum() + 1e-9
        share = float(np.clip(speaks.mean(), 0.05, 0.95))
        lively = max(float(speaks @ motion / total), rest + 0.25 * rest_width)
        width = max(0.2, float(np.sqrt(speaks @ (motion - lively) ** 2 / total)))
    x = np.clip(motion, rest, lively)  # beyond either middle, more is not more certain
    ratio = np.clip(_normal(x, lively, width) - _normal(x, rest, rest_width), -4.0, 4.0)
    return np.asarray(ratio, dtype=np.float64)


def name_evidence(lips: LipLikelihoods, lines: Sequence[NamedSpan], tracks: int, names: int) -> Floats:
    """Return log odds of each name from the lips, (N, C), against nobody of the names; 0 is no evidence.

    Args:
        lips: likelihoods of speech for tracks in lines.
        lines: of the film, with the numbers of their speakers.
        tracks: N, how many there are.
        names: C, how many there are.
    """
    evidence = np.zeros((tracks, names))
    ratio = np.exp(lips.speaking)
    own, other = np.log1p(OWN * (ratio - 1)), np.log1p(OTHER * (ratio - 1))
    for n, k, mine, theirs in zip(lips.track, lips.line, own, other, strict=True):
        line = lines[k]
        if line.name is not None:
            p = line.confidence
            evidence[n, line.name] += np.logaddexp(np.log(p) + mine, np.log1p(-p) + theirs) - theirs
    return evidence


def _frame_times(track: Track) -> Floats:
    T = len(track.lips)
    middles = (np.arange(T, dtype=np.float64) + 0.5) / max(1, T)
    return np.asarray(track.span.start + middles * track.span.duration, dtype=np.float64)


def _motion(track: Track, chosen: NDArray[np.bool_]) -> float | None:
    """Return the log of how much the lips move over the chosen frames; None if they are hardly seen."""
    seen = track.lips[chosen]
    seen = seen[~np.isnan(seen)]
    if len(seen) < 3 or len(seen) * track.span.duration < LEAST_S * len(track.lips):
        return None
    return float(np.log(np.abs(np.diff(seen)).mean() + seen.std() + 1e-4))


def _motions_in_silence(track: Track, at: Floats, spans: Floats) -> list[float]:
    if not len(at):
        return []
    spoken = np.zeros(len(at), dtype=bool)
    for start, end in spans[(spans[:, 0] < track.span.end + 0.3) & (spans[:, 1] > track.span.start - 0.3)]:
        spoken |= (at >= start - 0.3) & (at < end + 0.3)
    piece = np.floor((at - at[0]) / PIECE_S)
    motions = (_motion(track, ~spoken & (piece == p)) for p in np.unique(piece))
    return [motion for motion in motions if motion is not None]


def _spread(x: Floats) -> float:
    return float(np.median(np.abs(x - np.median(x))))


def _normal(x: Floats, mean: float, width: float) -> Floats:
    return np.asarray(-0.5 * ((x - mean) / width) ** 2 - np.log(width), dtype=np.float64)
