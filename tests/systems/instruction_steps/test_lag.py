"""The lag between word and deed, estimated from the videos."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sayso.core.types import Caption, Span
from sayso.systems.instruction_steps import NarratedVideo, StepsRecipe, discover_steps
from sayso.systems.instruction_steps.lag import PAPER_S, estimate_window, lag_of
from sayso.systems.instruction_steps.script import ScriptStep
from sayso.text.language.narration import Mention


def planted(lag_s: float, videos: int = 12) -> tuple[list[np.ndarray], list[ScriptStep]]:
    """Return videos of four steps that are seen so long after they are told of; one in seven anywhere."""
    rng = np.random.default_rng(1)
    looks = np.linalg.qr(rng.normal(size=(16, 16)))[0][:4]
    features, told = [], [dict[int, Mention]() for _ in looks]
    for n in range(videos):
        starts = np.sort(rng.choice(8, 4, replace=False)) * 12 + 14
        X = 0.25 * rng.normal(size=(130, 16))
        for k, at in enumerate(starts):
            X[at - 1 : at + 2] += looks[k]
            wrong = rng.random() < 0.15
            said = rng.uniform(5, 120) if wrong else at - lag_s + rng.normal()
            told[k][n] = Mention("do", "it", Span(said, said + 1), "")
        features.append(X)
    return features, [ScriptStep(((f"do {k}", videos),), told[k]) for k in range(4)]


@pytest.mark.parametrize("lag_s", [-6.0, 0.0, 7.0])
def test_the_window_lies_where_steps_are_seen(lag_s):
    before_s, after_s = estimate_window(*planted(lag_s))
    assert (after_s - before_s) / 2 == pytest.approx(lag_s, abs=1.0)
    assert 4 <= before_s + after_s < 10


def test_too_few_mentions_leave_the_window_of_the_paper():
    features, script = planted(5.0, 4)
    assert estimate_window(features, script) == PAPER_S
    assert estimate_window(features[:3], script) == PAPER_S


def test_mentions_beyond_the_features_leave_the_window_of_the_paper():
    features, script = planted(0.0)
    late = [
        replace(
            step,
            mentions={n: replace(m, span=Span(500 + 10 * k, 501 + 10 * k)) for n, m in step.mentions.items()},
        )
        for k, step in enumerate(script)
    ]
    assert estimate_window(features, late) == PAPER_S


def test_a_mixture_is_told_from_what_tells_nothing():
    rng = np.random.default_rng(0)
    lags = np.arange(-20.0, 21.0)
    true = np.where(rng.random(400) < 0.7, rng.normal(4.0, 2.0, 400), rng.uniform(-20, 20, 400))
    gains = -0.5 * (lags - true[:, None]) ** 2  # each seen to within a second
    gains[:40, :10] = -np.inf
    mean, spread = lag_of(gains, lags)
    assert mean == pytest.approx(4.0, abs=0.3)
    assert spread == pytest.approx(2.0, abs=0.4)


def test_what_was_estimated_is_kept_with_the_model_and_what_is_given_stands():
    features, script = planted(7.0, 8)
    videos = [
        NarratedVideo(
            str(n),
            X,
            [
                Caption(step.mentions[n].span, f"now {verb} the nut.")
                for verb, step in zip(("loosen", "paint", "cut", "wash"), script, strict=True)
            ],
        )
        for n, X in enumerate(features)
    ]
    found = discover_steps(videos, StepsRecipe(num_steps=4, iterations=5)).model.recipe
    assert found.window_s == (found.before_s, found.after_s)
    assert found.after_s > 4 > found.before_s
    given = discover_steps(videos, StepsRecipe(num_steps=4, iterations=5, before_s=3)).model.recipe
    assert given.window_s == (3, 10)
