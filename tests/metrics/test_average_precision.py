"""Average precision equals the definitions, written as loops in exact fractions."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.metrics.average_precision import average_precision

rankings = st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=30)


def curve(scores, right):
    """Precision and number of hits after each item; among equal scores wrong ones come first."""
    order = sorted(range(len(scores)), key=lambda i: (-scores[i], right[i]))
    hits, points = 0, []
    for n, i in enumerate(order, 1):
        hits += right[i]
        points.append((Fraction(hits, n), hits, right[i]))
    return points


def loops(scores, right, positives, rule):
    points = curve(scores, right)
    if rule == "11-point":
        total = Fraction(0)
        for tenth in range(11):
            reached = [p for p, hits, _ in points if Fraction(hits, positives) >= Fraction(tenth, 10)]
            total += max(reached, default=Fraction(0))
        return total / 11
    total = Fraction(0)
    for n, (precision, _, hit) in enumerate(points):
        if hit:
            total += max(p for p, _, _ in points[n:]) if rule == "area" else precision
    return total / positives


@pytest.mark.parametrize("rule", ["steps", "area", "11-point"])
@given(ranking=rankings, lost=st.integers(0, 4))
def test_equals_the_definition(rule, ranking, lost):
    scores, right = map(list, zip(*ranking, strict=True))
    positives = sum(right) + lost
    found = average_precision(scores, right, positives=positives, rule=rule)
    if not positives:
        assert np.isnan(found)
    else:
        assert found == pytest.approx(float(loops(scores, right, positives, rule)), abs=1e-12)


def test_agrees_with_scikit_learn_without_ties():
    metrics = pytest.importorskip("sklearn.metrics")
    draw = np.random.default_rng(0)
    scores, right = draw.permutation(200) / 7, draw.random(200) < 0.3
    assert average_precision(scores, right) == pytest.approx(metrics.average_precision_score(right, scores))


def test_a_worked_example_of_all_three():
    scores, right = [5, 4, 3, 2, 1], [True, False, True, True, False]
    assert average_precision(scores, right) == pytest.approx((1 + 2 / 3 + 3 / 4) / 3)
    assert average_precision(scores, right, rule="area") == pytest.approx((1 + 3 / 4 + 3 / 4) / 3)
    assert average_precision(scores, right, rule="11-point") == pytest.approx((4 * 1 + 7 * 3 / 4) / 11)


def test_says_what_is_wrong():
    with pytest.raises(ValueError, match=r"got \(2,\) and \(1,\)"):
        average_precision([1, 2], [True])
    with pytest.raises(ValueError, match="without NaN"):
        average_precision([float("nan")], [True])
    with pytest.raises(ValueError, match="2 are right, and only 1"):
        average_precision([1, 2], [True, True], positives=1)
    with pytest.raises(ValueError, match="got 'best'"):
        average_precision([1], [True], rule="best")
