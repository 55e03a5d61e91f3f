"""What time alone gives: a prior over names from who speaks nearby.

Lines of somebody who has no name here tell, by their confidence, of nobody of the names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sayso.core.arrays import Floats
from sayso.people.tracks import Track
from sayso.systems.name_actors.lips import NamedSpan

NEARBY_S = (4.0,)  # a speaker is seen around the line, within a shot or two
ELSEWHERE = 0.2  # probability that a face is of somebody who does not speak nearby
SCALES_S = (2.0, 8.0, 32.0, 128.0)  # the same, from the shot to the part, where times are all that is known
ANYWHERE = 0.02
NOBODY = 0.05  # probability that a face is of none of the names, where nothing tells their share
USUAL = 20.0  # lines that this share is worth
SILENT = 0.02  # share of the faces of strangers who never speak, and are anywhere
FAINT = 1e-3  # what the shares in the film count beside one line


def speaker_prior(
    tracks: Sequence[Track],
    lines: Sequence[NamedSpan],
    names: int,
    scales_s: Sequence[float] = NEARBY_S,
    elsewhere: float = ELSEWHERE,
) -> Floats:
    """Return the log prior of each name for each track, (N, C + 1); the last column is nobody.

    Who speaks during the track or around it is likelier: the mean over the scales of the shares of the
    lines, each by its confidence and exp(-distance / scale), and the shares in the film.

    Args:
        tracks: N of them.
        lines: of the film, with the numbers of their speakers.
        names: C, how many there are.
        scales_s: seconds in which what a line counts falls by a factor of e.
        elsewhere: probability that a face is of somebody who does not speak nearby.
    """
    said = _by_speaker(lines, names)
    start, end = (np.array([getattr(line.span, side) for line in lines]) for side in ("start", "end"))
    overall = open_shares(lines, names)
    share = np.zeros((len(tracks), names + 1))
    for n, track in enumerate(tracks):
        away = np.maximum(0, np.maximum(track.span.start - end, start - track.span.end))
        near = np.exp(-away / np.array(scales_s)[:, None]) @ said + FAINT * overall
        share[n] = (near / near.sum(1, keepdims=True)).mean(0)
    return np.asarray(np.log((1 - elsewhere) * share + elsewhere * overall))


def name_context(
    tracks: Sequence[Track], lines: Sequence[NamedSpan], mentions: Sequence[NamedSpan], names: int
) -> Floats:
    """Return the log of how much likelier each name, and nobody, is here than anywhere, (N, C + 1).

    Args:
        tracks: N of them.
        lines: of the film, with the numbers of their speakers.
        mentions: who is named in descriptions; they count by half.
        names: C, how many there are.
    """
    said = [*lines, *(replace(one, confidence=0.5 * one.confidence) for one in mentions)]
    here, anywhere = np.exp(speaker_prior(tracks, said, names)), open_shares(said, names)
    here[:, -1] += SILENT
    anywhere[-1] += SILENT
    heard = _by_speaker(said, names).any(0)
    return np.where(heard, np.log(here / anywhere), 0.0)  # who never speaks may be anywhere


def speaker_shares(lines: Sequence[NamedSpan], names: int) -> Floats:
    """Return the share of the lines that each name speaks, (C,), each name once more than it does."""
    who = [line.name for line in lines if line.name is not None]
    return np.asarray(
        (np.bincount(np.array(who, dtype=np.int64), minlength=names) + 1.0) / (len(who) + names)
    )


def open_shares(lines: Sequence[NamedSpan], names: int) -> Floats:
    """Return the share of each name and, last, of nobody in the lines, (C + 1,), near ``NOBODY`` for few."""
    said = _by_speaker(lines, names)
    nobody = (float(said[:, -1].sum()) + USUAL * NOBODY) / (float(said.sum()) + USUAL)
    return np.append((1 - nobody) * speaker_shares(lines, names), nobody)


def softmax(logits: Floats) -> Floats:
    """Return probabilities, each row summing to 1."""
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(powers / powers.sum(1, keepdims=True))


def _by_speaker(lines: Sequence[NamedSpan], names: int) -> Floats:
    """Return the confidence of each line at its speaker, (L, C + 1); the last column is nobody."""
    who = np.array([names if line.name is None else line.name for line in lines], dtype=np.int64)
    return np.asarray(np.eye(names + 1)[who] * np.array([line.confidence for line in lines])[:, None])
