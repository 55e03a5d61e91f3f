"""Spans are half-open stretches of time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso import Span

seconds = st.integers(0, 60)


def test_a_span_does_not_end_before_it_starts():
    with pytest.raises(ValueError, match="end after it starts; got 3 to 2 seconds"):
        Span(3, 2)


@given(seconds, seconds, seconds, seconds)
def test_overlap_counts_the_seconds_in_both(a, b, c, d):
    one, other = Span(min(a, b), max(a, b)), Span(min(c, d), max(c, d))
    shared = set(range(one.start, one.end)) & set(range(other.start, other.end))
    assert one.overlap(other) == other.overlap(one) == len(shared)
    assert one.overlap(one) == one.duration
