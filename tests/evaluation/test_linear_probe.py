"""The probe minimises its objective, its penalty is the best of all steps, and no test picture chooses it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import toy
from sayso.core.errors import SaysoError
from sayso.evaluation import EVALUATORS, Count
from sayso.evaluation.linear_probe import PENALTIES, STEPS, best_step, linear_probe, validation_part

COLOURS = ["red", "green", "blue"]


@pytest.mark.parametrize("peak", [0, 1, 7, 16, 40, 47, 63, 64, 95, 96])
def test_halving_finds_the_peak_of_one_peaked_functions(peak):
    asked = []

    def score(step):
        asked.append(step)
        return -abs(step - peak)

    assert best_step(score, STEPS) == (peak, 0)
    assert len(asked) == len(set(asked)) <= 7 + 2 * 5
    assert PENALTIES[[0, 48, 96]] == pytest.approx([1e-6, 1, 1e6])


def test_the_weights_are_the_minimum_of_the_objective():
    """sum log loss + lambda/2 |W|^2 over both parts, solved again by torch in float64."""
    rng = np.random.default_rng(0)
    means = rng.normal(size=(3, 5))
    y = np.repeat([0, 1, 2], 20)
    x = (means[y] + rng.normal(size=(60, 5))).astype(np.float32)
    validation, own = x[::5], y[::5]
    probe = linear_probe(x, y, validation, own, classes=4)
    both, labels = np.concatenate([x, validation]).astype(float), np.concatenate([y, own])
    W = torch.zeros(5, 3, dtype=torch.float64, requires_grad=True)
    b = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    solver = torch.optim.LBFGS([W, b], max_iter=2000, tolerance_grad=1e-9, line_search_fn="strong_wolfe")

    def closure():
        solver.zero_grad()
        logits = torch.tensor(both) @ W + b
        loss = torch.nn.functional.cross_entropy(logits, torch.tensor(labels), reduction="sum")
        total = loss + probe.penalty / 2 * W.square().sum()
        total.backward()
        return total

    solver.step(closure)
    tests = rng.normal(size=(50, 5)).astype(np.float32)
    expected = (torch.tensor(tests.astype(float)) @ W + b).softmax(1).detach().numpy()
    found = probe.scores(tests)
    assert np.isneginf(found[:, 3]).all(), "a class that was never seen is never chosen"
    odds = np.exp(found[:, :3] - found[:, :3].max(1, keepdims=True))
    assert odds / odds.sum(1, keepdims=True) == pytest.approx(expected, abs=2e-3)


def test_a_fifth_of_each_class_is_held_out():
    labels = np.array([0] * 10 + [1] * 3 + [2])
    chosen = validation_part(labels)
    assert [chosen[labels == k].sum() for k in range(3)] == [2, 1, 0]


def write(folder, parts):
    for part, count in parts.items():
        for colour in COLOURS:
            (folder / part / colour).mkdir(parents=True)
            for number in range(count):
                toy.make_picture(folder / part / colour / f"{number}.png", colour)
    return folder


def test_classifies_what_differs_and_says_c(tmp_path):
    data = write(tmp_path, {"train": 7, "test": 2})
    result = EVALUATORS["linear-probe"](toy.ColourEncoder(), data)
    assert result.primary.value == 1
    assert result.counts == {"train pictures": Count(21, 21), "test pictures": Count(6, 6)}
    assert result.definition["C"] == pytest.approx(1 / result.definition["penalty"])
    assert f"C = {result.definition['C']:.3g}" in result.protocol
    assert result.definition["chosen_on"] == "one in 5 of each training class"
    assert result.rows["validation, while choosing"]["pictures"] == 6  # the 2nd and the 7th
    write(tmp_path / "more", {"val": 1})
    (tmp_path / "more" / "val").rename(tmp_path / "val")
    found = EVALUATORS["linear-probe"](toy.ColourEncoder(), data)
    assert found.definition["chosen_on"] == "val"
    assert found.rows["validation, while choosing"]["pictures"] == 3


def test_wrong_labels_of_the_test_part_change_only_the_result(tmp_path):
    data = write(tmp_path, {"train": 6, "test": 2})
    before = EVALUATORS["linear-probe"](toy.ColourEncoder(), data)
    (data / "test" / "red").rename(data / "test" / "x")
    (data / "test" / "green").rename(data / "test" / "red")
    (data / "test" / "x").rename(data / "test" / "green")
    after = EVALUATORS["linear-probe"](toy.ColourEncoder(), data)
    assert after.definition == before.definition
    assert after.primary.value == pytest.approx(1 / 3)
    (data / "test" / "blue").rename(data / "test" / "violet")
    lost = EVALUATORS["linear-probe"](toy.ColourEncoder(), data).missing
    assert lost == (f"{data / 'test' / 'violet'}: there are no such training pictures",)


def test_what_is_needed_is_told(tmp_path):
    with pytest.raises(SaysoError, match="needs the folders train and test"):
        EVALUATORS["linear-probe"](toy.ColourEncoder(), tmp_path)
    write(tmp_path, {"train": 1, "test": 1})
    with pytest.raises(SaysoError, match="pictures to choose the penalty on; there are 3 and 0"):
        EVALUATORS["linear-probe"](toy.ColourEncoder(), tmp_path)
