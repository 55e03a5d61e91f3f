"""The bag of nearest captions: compared with brute force, at the edges above all."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayso.data import bag_of, nearest_captions

seconds = st.integers(0, 400).map(lambda quarter: quarter / 4)
captions = st.lists(st.tuples(seconds, seconds), min_size=1, max_size=12).map(
    lambda found: np.array(sorted((start, start + length) for start, length in found), np.float64)
)


def brute_force(spans, index, k):
    """Take the nearest caption that is not yet taken, k times."""
    taken = [index]
    while len(taken) < min(k, len(spans)):
        rest = [i for i in range(len(spans)) if i not in taken]
        taken.append(min(rest, key=lambda i: (abs(sum(spans[i]) - sum(spans[index])), i)))
    return taken


@settings(deadline=None)
@given(spans=captions, index=st.integers(0, 11), k=st.integers(1, 15))
def test_equals_brute_force(spans, index, k):
    index %= len(spans)
    assert nearest_captions(spans, index, k).tolist() == brute_force(spans, index, k)


@settings(deadline=None)
@given(spans=captions, index=st.integers(0, 11), k=st.integers(2, 15))
def test_a_bag_is_the_smaller_bag_and_one_more_and_repeats_only_when_all_are_in(spans, index, k):
    index %= len(spans)
    bag, distinct = bag_of(spans, index, k)
    assert len(bag) == k
    assert bag[0] == index
    assert distinct == min(k, len(spans)) == len(set(bag.tolist()))
    assert bag.tolist() == [bag[i % distinct] for i in range(k)]
    assert bag_of(spans, index, k - 1)[0].tolist() == bag[:-1].tolist()


def test_at_both_ends_of_a_video_the_neighbours_lie_on_one_side():
    spans = np.array([[4.0 * i, 4.0 * i + 3] for i in range(10)])
    assert sorted(nearest_captions(spans, 0, 4)) == [0, 1, 2, 3]
    assert sorted(nearest_captions(spans, 9, 4)) == [6, 7, 8, 9]
    assert nearest_captions(spans, 5, 3).tolist() == [5, 4, 6]


def test_captions_of_a_whole_video_are_all_equally_near():
    spans = np.array([[0.0, np.inf]] * 4)
    assert nearest_captions(spans, 2, 3).tolist() == [2, 0, 1]


@pytest.mark.parametrize(("index", "k"), [(-1, 2), (3, 2), (0, 0)])
def test_a_bag_that_cannot_be_is_refused(index, k):
    with pytest.raises(ValueError, match=f"caption {index} of 3 in a bag of {k}"):
        nearest_captions(np.zeros((3, 2)), index, k)
