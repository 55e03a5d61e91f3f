"""Ranks as a sort gives them, with ties against the model."""

from __future__ import annotations

import re
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import sayso
from sayso.metrics import both_directions, retrieval, retrieval_from_embeddings


def naive(similarity, targets) -> dict[str, float]:
    """Sort the items of each query, right ones last among equals, and look for the first right one."""
    ranks = []
    for scores, right in zip(np.asarray(similarity).tolist(), targets, strict=True):
        wanted = {right} if isinstance(right, int) else set(right)
        order = sorted(range(len(scores)), key=lambda i: (-scores[i], i in wanted))
        ranks.append(1 + min(order.index(i) for i in wanted))
    recall = {f"R@{k}": sum(rank <= k for rank in ranks) / len(ranks) for k in (1, 5, 10)}
    middle = sorted(ranks)
    median = (middle[(len(middle) - 1) // 2] + middle[len(middle) // 2]) / 2
    return recall | {"median_rank": median, "mean_rank": sum(ranks) / len(ranks)}


@st.composite
def problems(draw, square: bool = False):
    """Scores with many ties, and one right item a query."""
    count = draw(st.integers(1, 12))
    items = count if square else draw(st.integers(1, 15))
    dtype = draw(st.sampled_from([np.float16, np.float32, np.float64, np.int8]))
    scores = draw(arrays.arrays(dtype, (count, items), elements=st.integers(-2, 2)))
    targets = draw(st.lists(st.integers(0, items - 1), min_size=count, max_size=count))
    return scores, targets


@given(problems(), st.none() | st.integers(1, 20))
def test_equals_a_sort(problem, chunk):
    scores, targets = problem
    assert retrieval(scores, targets, chunk=chunk) == pytest.approx(naive(scores, targets), rel=1e-12)


@given(problems(square=True))
def test_without_targets_the_diagonal_is_right(problem):
    scores, _ = problem
    assert retrieval(scores) == retrieval(scores, np.arange(len(scores)))


@given(problems(), st.data(), st.none() | st.integers(1, 20))
def test_of_several_right_items_the_best_counts(problem, data, chunk):
    scores, _ = problem
    right = st.sets(st.integers(0, scores.shape[1] - 1), min_size=1).map(sorted)
    lists = data.draw(st.lists(right, min_size=len(scores), max_size=len(scores)))
    flags = np.zeros(scores.shape, dtype=bool)
    for row, several in enumerate(lists):
        flags[row, several] = True
    wanted = pytest.approx(naive(scores, lists), rel=1e-12)
    assert retrieval(scores, flags, chunk=chunk) == wanted
    assert retrieval(scores, [several * 2 for several in lists], chunk=chunk) == wanted


@pytest.mark.parametrize("items", [1, 7, 500])
def test_the_same_score_for_everything_ranks_last(items):
    found = retrieval(np.full((3, items), 0.25), [0, items // 2, items - 1])
    assert found["median_rank"] == found["mean_rank"] == items
    assert found["R@10"] == float(items <= 10)


def test_the_same_embedding_for_everything_ranks_last_whatever_the_rounding():
    rng = np.random.default_rng(0)
    one = rng.standard_normal(511).astype(np.float32)
    queries = rng.standard_normal((33, 511)).astype(np.float32)
    found = retrieval_from_embeddings(queries, np.tile(one, (1003, 1)), np.arange(33), chunk=7)
    assert found["mean_rank"] == 1003


def test_numbers_by_hand():
    similarity = [[0.9, 0.1, 0.2], [0.8, 0.5, 0.1], [0.3, 0.2, 0.1], [0.1, 0.7, 0.7]]
    assert retrieval(similarity, [0, 1, 2, 2]) == {
        "R@1": 0.25,
        "R@5": 1.0,
        "R@10": 1.0,
        "median_rank": 2.0,
        "mean_rank": 2.0,
    }
    assert all(type(value) is float for value in retrieval(similarity, [0, 1, 2, 2]).values())


@given(st.integers(0, 2**32 - 1), st.none() | st.integers(1, 50))
def test_from_embeddings_equals_the_whole_matrix(seed, chunk):
    rng = np.random.default_rng(seed)
    queries, items = rng.integers(-3, 4, (23, 6)), rng.integers(-3, 4, (31, 6))
    targets = rng.integers(0, 31, 23)
    whole = retrieval(queries @ items.T, targets)
    assert (
        retrieval_from_embeddings(queries.astype(np.float32), items.astype(np.float16), targets, chunk=chunk)
        == whole
    )


def test_the_matrix_is_never_whole(monkeypatch):
    held = []
    count_nonzero = np.count_nonzero
    monkeypatch.setattr(np, "count_nonzero", lambda x, **k: held.append(x.shape) or count_nonzero(x, **k))
    rng = np.random.default_rng(0)
    embeddings = rng.standard_normal((5000, 4))
    retrieval_from_embeddings(embeddings, embeddings)
    assert max(rows * columns for rows, columns in held) <= 2**23 < 5000 * 5000
    assert sum(rows for rows, _ in held) == 5000
    assert len(held) == 3, "no more turns than memory asks for"


def test_both_directions_of_captioned_pictures():
    # texts 0, 1 tell picture 2; text 2 tells picture 0; picture 1 has no text
    similarity = np.array([[0.1, 0.2, 0.9], [0.8, 0.0, 0.3], [0.7, 0.9, 0.1]])
    found = both_directions(similarity, [2, 2, 0])
    assert found["text_to_item"] == retrieval(similarity, [2, 2, 0])
    assert found["item_to_text"] == retrieval(similarity.T[[0, 2]], [[2], [0, 1]])
    assert found["item_to_text"]["mean_rank"] == 1.5


@given(problems(square=True))
def test_both_directions_of_pairs_are_the_matrix_and_its_transpose(problem):
    scores, _ = problem
    assert both_directions(scores) == {"text_to_item": retrieval(scores), "item_to_text": retrieval(scores.T)}


def test_a_query_is_named_whatever_the_queries_at_a_time():
    scores = np.zeros((6, 6))
    scores[4, 2] = np.nan
    for chunk in (1, 2, 3, 4, 6):
        with pytest.raises(ValueError, match="the similarity of query 4 has a NaN"):
            retrieval(scores, chunk=chunk)


NAN = np.array([[0.0, 1.0], [np.nan, 1.0]])


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ((NAN,), "the similarity of query 1 has a NaN; check the embeddings"),
        (
            (np.zeros((2, 3)),),
            "without targets query q wants item q, which needs a square matrix; got (2, 3)",
        ),
        ((np.zeros(3),), "expected similarity (Q, N) of real numbers; got (3,) float64"),
        ((np.zeros((2, 2), complex),), "of real numbers; got (2, 2) complex128"),
        ((np.zeros((0, 2)), []), "expected at least one query and one item; got (0, 2)"),
        ((np.zeros((2, 3)), [0, 3]), "query 1 wants item 3; there are items 0 to 2"),
        ((np.zeros((2, 3)), [-1, 0]), "query 0 wants item -1; there are items 0 to 2"),
        ((np.zeros((2, 3)), [[0], []]), "query 1 has no right item; leave it out or name one"),
        ((np.zeros((2, 3)), np.eye(2, 3, 1, dtype=bool) & False), "query 0 has no right item"),
        (
            (np.zeros((2, 3)), [0]),
            "expected targets (2,) of indices, (2, 3) of booleans, or 2 lists of indices",
        ),
        ((np.zeros((2, 3)), np.zeros((2, 3), int)), "expected targets (2,)"),
        ((np.zeros((2, 3)), [0.5, 1.0]), "expected targets (2,)"),
        ((np.zeros((2, 3)), [["a"], [0, 1]]), "expected targets (2,)"),
        ((np.zeros((2, 3)), [[[0, 1]], [2]]), "expected targets (2,)"),
        ((np.zeros((2, 3)), [[0.0, 1.0], [2]]), "expected targets (2,)"),
        ((np.zeros((2, 0)), []), "expected at least one query and one item; got (2, 0)"),
    ],
)
def test_wrong_input_gets_one_sentence(arguments, why):
    with pytest.raises(ValueError, match=re.escape(why)):
        retrieval(*arguments)


def test_wrong_embeddings_get_one_sentence():
    with pytest.raises(
        ValueError, match=re.escape("expected queries (Q, D) and items (N, D); got (2, 3) and (2, 4)")
    ):
        retrieval_from_embeddings(np.zeros((2, 3)), np.zeros((2, 4)))
    with pytest.raises(ValueError, match="query 0 has a NaN"):
        retrieval_from_embeddings(np.full((2, 3), np.inf), np.array([[1.0, -1.0, 0.0]] * 2))
    with pytest.raises(ValueError, match="chunk must be at least 1; got 0"):
        retrieval(np.eye(2), chunk=0)


def test_the_function_is_the_public_name_and_needs_numpy_alone():
    assert sayso.metrics.retrieval(np.eye(3))["R@1"] == 1.0
    program = "import sys, sayso.metrics; print({'torch', 'scipy', 'lancedb'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
