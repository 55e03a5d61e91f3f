from __future__ import annotations

import numpy as np
import pytest

from sayso.metrics.roc import roc_auc


def test_it_is_the_share_of_pairs_in_the_right_order():
    rng = np.random.default_rng(0)
    for _ in range(20):
        scores, positive = rng.integers(0, 6, 30), rng.random(30) < 0.4
        pairs = [(a > b) + 0.5 * (a == b) for a in scores[positive] for b in scores[~positive]]
        assert roc_auc(scores, positive) == pytest.approx(np.mean(pairs))


def test_what_has_no_area_is_said():
    with pytest.raises(ValueError, match="positives and negatives"):
        roc_auc([0.1, 0.2], [True, True])
    for scores, positive in (([0.1, 0.2], [True]), ([[0.1, 0.2]], [[True, False]])):
        with pytest.raises(ValueError, match="expected N finite scores"):
            roc_auc(scores, positive)
    with pytest.raises(ValueError, match="finite"):
        roc_auc([np.nan, 0.2], [True, False])
