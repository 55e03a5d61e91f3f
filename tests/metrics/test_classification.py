"""Accuracies equal sorting by hand, clip_benchmark's where it is installed, and tell ties apart."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayso.metrics.classification import accuracy_from_ranks, class_ranks, likeliest_scale


def by_sorting(scores, right, strict):
    """Sort the classes by score, then by index; strictly: the right ones last among equals."""
    ranks = []
    for row, true in zip(scores, right, strict=True):
        order = sorted(range(len(row)), key=lambda c: (-row[c], true[c] if strict else 0, c))
        ranks.append(1 + min(order.index(c) for c in range(len(row)) if true[c]))
        if strict:  # several right ones that tie are not in each other's way
            best = max(row[c] for c in range(len(row)) if true[c])
            ranks[-1] = 1 + sum(row[c] >= best and not true[c] for c in range(len(row)))
    return ranks


@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.integers(1, 12), st.integers(1, 4))
@settings(max_examples=60)
def test_ranks_equal_sorting(seed, N, C, values):
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, values, (N, C)) / values
    label = rng.integers(C, size=N)
    single = np.arange(C) == label[:, None]
    several = single | (rng.random((N, C)) < 0.2)
    for right, given_as in ((single, label), (several, several)):
        assert class_ranks(scores, given_as).tolist() == by_sorting(scores, right, False)
        assert class_ranks(scores, given_as, ties="strict").tolist() == by_sorting(scores, right, True)


def test_a_constant_score_is_right_for_the_first_class_alone_and_strictly_for_none():
    scores, labels = np.zeros((4, 4)), np.arange(4)
    assert class_ranks(scores, labels).tolist() == [1, 2, 3, 4]
    assert class_ranks(scores, labels, ties="strict").tolist() == [4, 4, 4, 4]


def test_the_same_numbers_as_clip_benchmark(monkeypatch):
    """Its ``accuracy`` and scikit-learn's balanced accuracy; no ties, which topk may break in any order."""
    reference = pytest.importorskip("clip_benchmark.metrics.zeroshot_classification")
    torch = pytest.importorskip("torch")
    from sklearn.metrics import balanced_accuracy_score

    monkeypatch.setattr(
        reference, "float", lambda array: array.item(), raising=False
    )  # numpy 2.4 took it away
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(300, 40)).astype(np.float32)
    labels = rng.integers(40, size=300)
    scores[np.arange(300), labels] += 1.5
    ours = accuracy_from_ranks(class_ranks(scores, labels), labels, count=40)
    theirs = reference.accuracy(torch.tensor(scores), torch.tensor(labels), topk=(1, 5))
    assert [ours["top-1"], ours["top-5"]] == pytest.approx(theirs, abs=1e-12)
    assert ours["mean_class_recall"] == pytest.approx(balanced_accuracy_score(labels, scores.argmax(1)))


def test_recalls_equal_clip_benchmarks():
    """Both ways, five texts a picture; again no ties."""
    reference = pytest.importorskip("clip_benchmark.metrics.zeroshot_retrieval")
    torch = pytest.importorskip("torch")
    from sayso.metrics.retrieval import both_directions

    rng = np.random.default_rng(1)
    owners = np.repeat(np.arange(60), 5)
    similarity = rng.normal(size=(300, 60))
    similarity[np.arange(300), owners] += 1.2
    ours = both_directions(similarity, owners)
    pairs = torch.zeros(300, 60, dtype=torch.bool)
    pairs[torch.arange(300), torch.tensor(owners)] = True
    S = torch.tensor(similarity)
    for k in (1, 5, 10):
        forth = (reference.recall_at_k(S, pairs, k=k) > 0).double().mean().item()
        back = (reference.recall_at_k(S.T, pairs.T, k=k) > 0).double().mean().item()
        assert ours["text_to_item"][f"R@{k}"] == pytest.approx(forth)
        assert ours["item_to_text"][f"R@{k}"] == pytest.approx(back)


def test_the_mean_is_over_classes_that_occur_and_five_need_five():
    ranks, labels = np.array([1, 1, 2, 6]), np.array([0, 0, 0, 3])
    found = accuracy_from_ranks(ranks, labels, count=7)
    assert found == {"top-1": 0.5, "top-5": 0.75, "mean_class_recall": pytest.approx((2 / 3 + 0) / 2)}
    assert accuracy_from_ranks(ranks, labels, count=4)["top-5"] is None
    assert accuracy_from_ranks([5, 6], [0, 1], count=6)["top-5"] == 0.5
    assert accuracy_from_ranks([5, 5], [0, 1], count=5)["top-5"] == 1


@pytest.mark.parametrize(
    ("scores", "right", "told"),
    [
        ([1.0, 2.0], [0], "expected scores"),
        ([[1.0, float("nan")]], [0], "without NaN"),
        ([[1.0, 2.0]], [2], "indices 0 to 1"),
        ([[1.0, 2.0]], [[False, False]], "example 0 has no right class"),
        ([[1.0, 2.0]], [[0, 1]], "of booleans"),
        ([[1.0, 2.0]], [0.0], "of indices 0 to 1"),
        ([[1.0, 2.0]], [0, 1], "of indices 0 to 1"),
    ],
)
def test_wrong_input_is_told(scores, right, told):
    with pytest.raises(ValueError, match=told):
        class_ranks(scores, right)
    with pytest.raises(ValueError, match="N at least 1"):
        accuracy_from_ranks([], [], count=3)
    with pytest.raises(ValueError, match=r"got \(2,\) and \(1,\)"):
        accuracy_from_ranks([1, 2], [0], count=3)


def test_the_likeliest_scale_is_the_best_of_a_grid():
    rng = np.random.default_rng(3)
    scores = rng.normal(size=(200, 6)) * 0.2
    labels = np.array([rng.choice(6, p=np.exp(7 * row) / np.exp(7 * row).sum()) for row in scores])
    grid = np.exp(np.linspace(np.log(1), np.log(50), 2000))
    likelihood = [
        (s * scores[np.arange(200), labels] - np.log(np.exp(s * scores).sum(1))).mean() for s in grid
    ]
    assert likeliest_scale(scores, labels) == pytest.approx(grid[np.argmax(likelihood)], rel=3e-3)
    assert likeliest_scale(np.eye(3), [0, 1, 2]) > 9999
    for wrong in ((np.empty((0, 3)), []), (np.ones((2, 3)), [0]), (np.ones(3), [0, 1, 2])):
        with pytest.raises(ValueError, match="N at least 1"):
            likeliest_scale(*wrong)
