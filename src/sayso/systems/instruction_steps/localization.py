"""Stage 2: when each step happens in each video, and a linear classifier of each step.

    min over Z, W   1/(2T) ||Z - X W||^2 + lam/2 ||W||^2
    subject to      Z in ordered scripts, steps within their narration windows

Discriminative clustering (``sayso.solvers.diffrac``) over the convex hull, by Frank-Wolfe; the result is
rounded by the dynamic program on -2 Z. The relaxation blurs: so the rounded times are then improved by
alternating minimisation, W by ridge regression on the times, the times by the dynamic program on X W.
Neither raises the objective; the paper stops before (``alternations=0``). Its public code rounds the scores
X W + b at every iteration and keeps the best times (``rounding="scores"``).

People do what they say roughly when they say it: a narration window goes from a step's mention on to 10 s
later in the paper; ``lag.py`` estimates it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sayso.core.arrays import Floats, Ints
from sayso.core.errors import SaysoError
from sayso.core.progress import Progress
from sayso.data.narration_windows import span_windows
from sayso.solvers import Diffrac, frank_wolfe
from sayso.solvers.iterate import Iterate
from sayso.solvers.ordered_oracle import OrderedOracle
from sayso.solvers.standardize import standardize_blocks
from sayso.systems.instruction_steps.script import ScriptStep

Rows = NDArray[np.floating]
Rounding = Literal["labels", "scores"]


@dataclass(frozen=True, eq=False)
class StepScorer:
    """Linear classifiers of the steps: scores are (x - mean) scale W.

    Args:
        mean: (D,) of the features.
        scale: of the features.
        W: (D, C).
    """

    mean: Floats
    scale: float
    W: Floats

    def scores(self, X: Rows) -> Floats:
        """Return the score of each step in each row of features (T, D), (T, C)."""
        if X.ndim != 2 or X.shape[1] != len(self.mean):
            raise SaysoError(f"the steps were learned from {len(self.mean)} features a row; got {X.shape}")
        scores: Floats = ((np.asarray(X, dtype=np.float64) - self.mean) * self.scale) @ self.W
        return scores

    def times(self, X: Rows, windows: Ints | None = None) -> Ints:
        """Return the row of each step in a video, (C,), in order; -1 for all where it is too short."""
        scores = self.scores(X)
        if len(scores) < scores.shape[1]:
            return np.full(scores.shape[1], -1, dtype=np.int64)
        return OrderedOracle(len(scores), scores.shape[1], windows).times(-scores)


@dataclass(frozen=True, eq=False)
class StepTimes:
    """The times of the steps in all videos, and their classifiers.

    Args:
        times: for each video the row of each step, (C,).
        scorer: the classifiers.
        relaxed: the objective, without the factor 1/2, of the relaxed labels.
        value: the objective of the times.
        iterations: of Frank-Wolfe.
    """

    times: list[Ints]
    scorer: StepScorer
    relaxed: float
    value: float
    iterations: int


def step_windows(
    script: Sequence[ScriptStep],
    lengths: Sequence[int],
    *,
    rate: float = 1.0,
    before_s: float = 0.0,
    after_s: float = 10.0,
) -> list[Ints]:
    """Return the narration windows of each video: the rows in which each step may happen, (C, 2).

    A step that is not mentioned in a video may happen in all of its rows.

    Args:
        script: the steps.
        lengths: rows T of each video.
        rate: rows a second.
        before_s: seconds before its mention that a step may happen.
        after_s: seconds after that.
    """
    spans = [
        [step.mentions[n].span if n in step.mentions else None for step in script]
        for n in range(len(lengths))
    ]
    return [
        span_windows(own, T, rate=rate, before_s=before_s, after_s=after_s)
        for own, T in zip(spans, lengths, strict=True)
    ]


def localize_steps(
    features: Sequence[Rows],
    windows: Sequence[Ints],
    *,
    lam: float | None = None,
    iterations: int = 650,
    gap: float = 1e-3,
    alternations: int = 20,
    rounding: Rounding = "labels",
    progress: Progress | None = None,
) -> StepTimes:
    """Find the time of every step in every video.

    Args:
        features: (T, D) of each video, T >= C.
        windows: (C, 2) for each video (``step_windows``).
        lam: of the ridge; default 1 / (videos x steps), for features whose mean squared length is 1, to
            which they are centred and scaled.
        iterations: of Frank-Wolfe at most.
        gap: stop when the objective is proved within this share of its start.
        alternations: of regression and rounding (alternating minimisation), at most.
        rounding: of the last ``labels``, or of the ``scores`` at every iteration, the best kept.
        progress: reports each iteration.

    Raises:
        SaysoError: if a video has fewer rows than steps, or features disagree.
    """
    C = len(windows[0])
    oracles = [OrderedOracle(len(X), C, window) for X, window in zip(features, windows, strict=True)]
    X, mean, scale = standardize_blocks(features)
    problem = Diffrac(X, lam or 1 / (len(X) * C))
    limit = gap * C * len(X) / problem.total
    best = _BestRounding(problem, oracles) if rounding == "scores" else None
    found = frank_wolfe(
        problem, oracles, tol=limit, max_iter=iterations, warn=False, progress=progress, callback=best
    )
    times = [o.times(-2 * found.Z[rows]) for o, rows in zip(oracles, problem.slices, strict=True)]
    times = times if best is None else best.times
    times, W, value = _alternate(problem, oracles, times, alternations)
    return StepTimes(times, StepScorer(mean, scale, W), found.value, value, found.iterations)


def step_extent(score: Floats, time: int, low: int, high: int) -> tuple[int, int]:
    """Return the rows around a time whose score is at least half of its: the first, and one past the last.

    Args:
        score: (T,) of a step.
        time: its row.
        low: no row before this one.
        high: nor from this one on.
    """
    enough = score >= max(0.0, 0.5 * float(score[time]))
    first, end = time, time + 1
    while first > low and enough[first - 1]:
        first -= 1
    while end < high and enough[end]:
        end += 1
    return first, end


class _BestRounding:
    """The times of least objective among the rounded scores of all iterates."""

    def __init__(self, problem: Diffrac, oracles: Sequence[OrderedOracle]) -> None:
        self.problem, self.oracles = problem, oracles
        self.times: list[Ints] = []
        self.least = np.inf

    def __call__(self, iterate: Iterate, step: int, gap: float) -> None:  # noqa: ARG002  a callback's
        """Round the scores of an iterate."""
        scores = (self.problem.block_scores(i, iterate.W, iterate.mean) for i in range(len(self.oracles)))
        times = [o.times(-one) for o, one in zip(self.oracles, scores, strict=True)]
        Z = np.concatenate([o.labels(t) for o, t in zip(self.oracles, times, strict=True)])
        S = self.problem.correlation(Z)
        value = (self.problem.scatter(Z) - float(np.vdot(S, self.problem.regress(S)))) / self.problem.total
        if value < self.least:
            self.times, self.least = times, value


def _alternate(
    problem: Diffrac, oracles: Sequence[OrderedOracle], times: list[Ints], alternations: int
) -> tuple[list[Ints], Floats, float]:
    """Return times, W and objective after alternating minimisation, until no time changes."""
    for number in range(alternations + 1):
        Z = np.concatenate([o.labels(t) for o, t in zip(oracles, times, strict=True)])
        S = problem.correlation(Z)
        W = problem.regress(S)
        if number == alternations:
            break
        mean = problem.label_mean(Z)
        better = [o.times(-problem.block_scores(i, W, mean)) for i, o in enumerate(oracles)]
        if all(np.array_equal(a, b) for a, b in zip(times, better, strict=True)):
            break
        times = better
    return times, W, (problem.scatter(Z) - float(np.vdot(S, W))) / problem.total
