"""Names of all tracks at once beside the sum over every way to name them; the pairs beside plain loops."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayso.core.types import Box, Span
from sayso.people import Track
from sayso.systems.name_actors.context import softmax
from sayso.systems.name_actors.joint import joint_probabilities, overlapping_tracks, same_places

spans = st.tuples(st.integers(0, 40), st.integers(1, 15)).map(lambda s: Span(s[0] / 4, (s[0] + s[1]) / 4))
later = st.tuples(st.integers(0, 60), st.integers(1, 15)).map(lambda s: Span(s[0], s[0] + s[1] / 4))
boxes = st.none() | st.integers(0, 9).map(lambda x: Box(x, 0, x + 5, 5))


@given(st.lists(spans, max_size=12))
def test_together_is_every_pair_that_overlaps(some):
    tracks = [Track(span) for span in some]
    plain = {
        frozenset((a, b))
        for a, b in itertools.combinations(range(len(some)), 2)
        if some[a].overlap(some[b]) > 0.2
    }
    pairs = overlapping_tracks(tracks)
    assert {frozenset(pair) for pair in pairs} == plain and len(pairs) == len(plain)


@given(st.lists(st.tuples(spans | later, boxes), max_size=12))
def test_the_last_in_the_same_place_is_found_of_each_track(some):
    tracks = [Track(span, box) for span, box in some]
    pairs = {n: m for m, n in same_places(tracks)}
    for n, track in enumerate(tracks):
        before = [
            other.span.end
            for other in tracks
            if track.box is not None
            and other.box is not None
            and 0.5 < track.span.start - other.span.end <= 30
            and max(0, 5 - abs(track.box.x0 - other.box.x0)) / (5 + abs(track.box.x0 - other.box.x0)) > 0.4
        ]
        assert (n in pairs) == bool(before)
        if before:
            assert tracks[pairs[n]].span.end == max(before)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_where_pairs_make_no_ring_it_is_the_sum_over_every_way_to_name_the_tracks(seed):
    r = np.random.default_rng(seed)
    logits, shares = r.normal(0, 2, (6, 3)), r.dirichlet([1, 1, 1], 6) + 0.01
    forest = [(int(r.integers(n)), n) for n in range(1, 6) if r.random() < 0.8]
    kind = r.random(len(forest)) < 0.5
    apart = [pair for pair, one in zip(forest, kind, strict=True) if one]
    same = [pair for pair, one in zip(forest, kind, strict=True) if not one]
    plain = np.zeros((6, 3))
    for names in itertools.product(range(3), repeat=6):
        weight = np.exp(sum(logits[n, k] for n, k in enumerate(names)))
        for m, n in apart:
            weight *= np.exp(-3.0) if names[m] == names[n] != 2 else 1
        for m, n in same:
            share = (shares[m, names[n]] + shares[n, names[n]]) / 2
            weight *= 0.4 + 0.6 * (names[m] == names[n]) / share
        plain[range(6), names] += weight
    found = joint_probabilities(logits, apart, same, shares)
    assert found == pytest.approx(plain / plain.sum(1, keepdims=True), abs=1e-6)


def test_pairs_in_one_place_without_other_evidence_leave_what_times_say():
    shares = np.array([[0.7, 0.2, 0.1]] * 4)
    found = joint_probabilities(np.log(shares), [], [(0, 1), (1, 2), (1, 3)], shares)
    assert found == pytest.approx(shares, abs=1e-6)


def test_three_faces_at_once_are_nearly_the_sum_over_every_way():
    logits = np.log(np.array([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2], [0.4, 0.3, 0.3]]))
    pairs = [(0, 1), (0, 2), (1, 2)]
    plain = np.zeros((3, 3))
    for names in itertools.product(range(3), repeat=3):
        twice = sum(names[m] == names[n] != 2 for m, n in pairs)
        plain[range(3), names] += np.exp(sum(logits[n, k] for n, k in enumerate(names)) - 3.0 * twice)
    assert np.abs(joint_probabilities(logits, pairs) - plain / plain.sum(1, keepdims=True)).max() < 0.08


def test_nobody_is_on_screen_twice():
    logits = np.log(np.array([[0.6, 0.35, 0.05], [0.55, 0.4, 0.05], [0.9, 0.05, 0.05]]))
    P = joint_probabilities(logits, [(0, 1)])
    assert sorted(P[:2].argmax(1)) == [0, 1] and P.sum(1) == pytest.approx(1)
    assert P[2] == pytest.approx(softmax(logits)[2])
    nobody = np.log(np.array([[0.1, 0.9], [0.1, 0.9]]))
    assert joint_probabilities(nobody, [(0, 1)]).argmax(1).tolist() == [1, 1]
