"""When solvers stop, and what they tell meanwhile, case by case."""

from __future__ import annotations

import itertools

import pytest

from sayso.solvers.stopping import StoppingRule

PASSES = [0, 9, 10, 11]
GAPS = [0.0, 0.1, 0.11, 5.0]


@pytest.mark.parametrize("told", [None, False, True])
@pytest.mark.parametrize("warn", [False, True])
def test_it_stops_where_the_gap_is_small_enough_or_it_is_told_to_or_it_took_long(caplog, told, warn):
    for done, gap in itertools.product(PASSES, GAPS):
        caplog.clear()
        asked = []
        callback = None if told is None else lambda *a, asked=asked: asked.append(a) or told
        rule = StoppingRule("some", 0.1, 10, callback=callback, warn=warn)
        assert rule.reached("iterate", done, gap, 7.0) == (gap <= 0.1 or told is True or done >= 10)
        assert rule.converged == (gap <= 0.1)
        assert asked == ([] if told is None else [("iterate", done, gap)])
        said = warn and done >= 10 and gap > 0.1 and not told
        assert [record.getMessage() for record in caplog.records] == (
            [
                f"some stopped after {done} iterations with a duality gap of {gap:.2g}, not 0.1; "
                "raise max_iter or tol"
            ]
            if said
            else []
        )


@pytest.mark.parametrize(("gap", "value", "stops"), [(0.7, 7.0, True), (0.8, 7.0, False), (0.7, -7.0, True)])
def test_a_relative_gap_is_a_fraction_of_the_value(gap, value, stops):
    assert StoppingRule("some", 0.1, 10, relative=True).reached(None, 0, gap, value) == stops


def test_progress_is_told_and_never_more_than_all():
    told = []

    class Told:
        def update(self, *what):
            told.append(what)

    rule = StoppingRule("some", 0.1, 10, progress=Told(), warn=False)
    for done in (0, 4, 12):
        rule.reached(None, done, 0.25, 1.0)
    assert told == [(0, 10, "gap 0.25"), (4, 10, "gap 0.25"), (10, 10, "gap 0.25")]
