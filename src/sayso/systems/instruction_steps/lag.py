"""The narration window that the videos themselves tell of: how long after its word a step is seen.

People say what they will do, or what they have just done, and a task has its own habit. So stage 2 is run
with wide windows on one half of the videos, and its classifiers are asked about the other, which they never
saw: around each mention, at which lag does the step score high? The lags are a mixture, fitted by expectation
maximisation, of a normal distribution and of mentions that tell nothing (uniform). A second round begins with
the window of the first.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sayso.core.arrays import Floats
from sayso.systems.instruction_steps.localization import Rows, localize_steps, step_windows
from sayso.systems.instruction_steps.script import ScriptStep

PAPER_S = 0.0, 10.0  # before and after; where there is too little to learn from
_WIDE_S, _REACH_S = 15.0, 20.0  # of the first windows, to both sides; of the lags that are looked at
_ROUNDS, _ITERATIONS, _FOLDS = 2, 40, 2
_LEARNING, _WITHIN = 1.7, 1.3  # standard deviations to both sides: of a round's windows, of the result's
_LEAST_S, _MENTIONS, _VIDEOS = 2.0, 20, 4


def estimate_window(
    features: Sequence[Rows], script: Sequence[ScriptStep], *, rate: float = 1.0
) -> tuple[float, float]:
    """Return how many seconds before and after its mention a step may happen, as ``StepsRecipe`` has them.

    Args:
        features: (T, D) of each video.
        script: the steps; their mentions count videos as ``features`` does.
        rate: rows a second.
    """
    kept = [n for n, X in enumerate(features) if len(X) >= len(script)]
    told = sum(n in step.mentions for step in script for n in kept)
    if len(kept) < _VIDEOS or told < _MENTIONS:
        return PAPER_S
    before_s = after_s = _WIDE_S
    for _ in range(_ROUNDS):
        windows = step_windows(
            script, [len(X) for X in features], rate=rate, before_s=before_s, after_s=after_s
        )
        folds = [
            _gains(
                features, windows, script, kept[fold::_FOLDS], sorted({*kept} - {*kept[fold::_FOLDS]}), rate
            )
            for fold in range(_FOLDS)
        ]
        gains = np.concatenate(folds)
        if len(gains) < _MENTIONS:  # others lie beyond the features
            return PAPER_S
        mean, spread = lag_of(gains, _offsets(rate) / rate)
        before_s, after_s = _LEARNING * spread - mean, _LEARNING * spread + mean
    half = max(_WITHIN * spread, _LEAST_S)
    return round(half - mean, 1), round(half + mean, 1)


def lag_of(gains: Floats, lags: Floats, rounds: int = 100) -> tuple[float, float]:
    """Return mean and standard deviation of the lags, seconds.

    Args:
        gains: (M, O) how much likelier each lag makes what is seen around each mention, as a logarithm;
            minus infinity for lags outside the video.
        lags: (O,) seconds.
        rounds: of expectation maximisation.
    """
    likely = np.exp(gains - gains.max(1, keepdims=True))
    mean, spread, noise, step = 0.0, 6.0, 0.2, float(lags[1] - lags[0])
    for _ in range(rounds):
        normal = step * np.exp(-0.5 * ((lags - mean) / spread) ** 2) / (spread * np.sqrt(2 * np.pi))
        both = (1 - noise) * normal * likely
        nothing = noise / len(lags) * likely.sum(1, keepdims=True)
        shares = both / (both.sum(1, keepdims=True) + nothing)
        weights, total = shares.sum(0), max(float(shares.sum()), 1e-9)
        mean = float(weights @ lags) / total
        spread = max(1.0, float(np.sqrt(weights @ (lags - mean) ** 2 / total)))
        noise = float(np.clip(1 - shares.sum() / len(gains), 0.01, 0.9))
    return mean, spread


def _gains(
    features: Sequence[Rows],
    windows: Sequence[np.ndarray],
    script: Sequence[ScriptStep],
    learned: Sequence[int],
    asked: Sequence[int],
    rate: float,
) -> Floats:
    """Return what classifiers say of the rows around each mention (M, O) in videos that they did not see.

    A step's scores become gains by linear discriminant analysis: apart / variance times the score.

    Args:
        features: (T, D) of each video.
        windows: (C, 2) of each video.
        script: the C steps.
        learned: the videos that the classifiers learn from.
        asked: the others.
        rate: rows a second.
    """
    found = localize_steps(
        [features[n] for n in learned], [windows[n] for n in learned], iterations=_ITERATIONS
    )
    scores = {n: found.scorer.scores(features[n]) for n in asked}
    every = np.concatenate(list(scores.values()))
    steps = np.arange(len(script))
    placed = np.mean([scores[n][found.scorer.times(features[n], windows[n]), steps] for n in asked], axis=0)
    scale = np.maximum(placed - every.mean(0), 0) / (every.var(0) + 1e-9)
    rows = []
    for k, step in enumerate(script):
        for n in (n for n in asked if n in step.mentions):
            span = step.mentions[n].span
            at = int((span.start + span.end) / 2 * rate) + _offsets(rate)
            inside = (at >= 0) & (at < len(scores[n]))
            if inside.any():
                gain = scale[k] * scores[n][np.clip(at, 0, len(scores[n]) - 1), k]
                rows.append(np.where(inside, gain, -np.inf))
    return np.array(rows).reshape(-1, len(_offsets(rate)))


def _offsets(rate: float) -> np.ndarray:
    reach = max(1, round(_REACH_S * rate))
    return np.arange(-reach, reach + 1)
