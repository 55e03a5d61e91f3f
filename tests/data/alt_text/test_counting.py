"""Counts of the whole corpus are those of a dictionary, and the score of a share that of a sorted list."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pytest

from sayso.core.errors import SaysoError
from sayso.data.alt_text.counting import KeyCounter
from sayso.data.alt_text.scoring import score_of_share


def test_counts_of_different_values_are_those_of_a_dictionary(tmp_path):
    rng = np.random.default_rng(0)
    counter, known = KeyCounter(tmp_path, "x"), defaultdict(set)
    keys = rng.integers(0, 2**63, 3000).astype(np.uint64)
    asked = {}
    for start in range(0, 5000, 700):
        key, value = rng.choice(keys, 700), rng.integers(0, 6, 700).astype(np.uint64)
        counter.add(key, value, np.arange(start, start + 700))
        for row, k, v in zip(range(start, start + 700), key.tolist(), value.tolist(), strict=True):
            known[k].add(v)
            asked[row] = k
    counts = {}
    for rows, found in counter.counts():
        counts |= dict(zip(rows.tolist(), found.tolist(), strict=True))
    assert counts == {row: len(known[key]) for row, key in asked.items()}
    frequencies = Counter(len(values) for values in known.values())
    histogram = counter.frequencies()
    assert {c: int(histogram[c]) for c in np.flatnonzero(histogram).tolist()} == dict(frequencies)
    counter.close()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("seed", range(60))
def test_the_score_of_a_share_is_that_of_the_sorted_list(seed):
    rng = np.random.default_rng(seed)
    few = [0.0, -0.0, 1e-45, -1e-45, 1.0, -1.0, 2.0**-126]
    count = int(rng.integers(1, 120))
    kinds = [rng.uniform(-1, 1, count), np.round(rng.uniform(-1, 1, count), 1), rng.choice(few, count)]
    values = kinds[seed % 3].astype(np.float32)
    pieces = [values[:50], values[50:51], values[51:]]
    for share in (1.0, 1 / 3, 5e-324, float(rng.uniform(1e-9, 1))):
        wanted = int(np.ceil(share * len(values)))
        assert score_of_share(lambda: pieces, share) == np.sort(values)[::-1][wanted - 1]


def test_the_score_of_a_share_of_nothing_is_an_error():
    with pytest.raises(SaysoError, match="no pair is left to score"):
        score_of_share(list, 0.5)
