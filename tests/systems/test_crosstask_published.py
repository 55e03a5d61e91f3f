"""Zhukov's training as published, against its formulas written out."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch

from planted_steps import batch_of, plant
from sayso.core.errors import SaysoError
from sayso.core.progress import Silent
from sayso.engine.tensor_batch import TensorBatch
from sayso.systems import crosstask
from sayso.systems.crosstask.train import SYSTEM


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return plant(tmp_path_factory.mktemp("published"))


def published(release: Path, **changes: object) -> crosstask.CrossTask:
    recipe = crosstask.Recipe(rule="published", features=str(release / "features"), **changes)
    return SYSTEM.build(
        recipe, SYSTEM.read(release, recipe_without_related(recipe), Silent()), release, Silent()
    )


def recipe_without_related(recipe: crosstask.Recipe) -> crosstask.Recipe:
    """The planted release has no related tasks to read."""
    changed = crosstask.Recipe(features=recipe.features)
    assert not changed.related
    return changed


def tensors(batch: dict[str, np.ndarray]) -> TensorBatch:
    return TensorBatch(batch, torch.device("cpu"))


def test_what_is_not_said_is_as_published() -> None:
    recipe = crosstask.Recipe(rule="published", penalty=3.0)
    assert (recipe.dropout, recipe.optimizer, recipe.lr, recipe.related) == (0.7, "adam", 1e-5, True)
    assert (recipe.uniform_epochs, recipe.batch_size, recipe.warmup, recipe.penalty) == (30, 1, 0, 3.0)
    assert recipe.lr_at(0) == recipe.lr_at(recipe.steps - 1) == 1e-5
    assert crosstask.Recipe().dropout == 0
    with pytest.raises(SaysoError, match="leave out learn=annotations"):
        crosstask.Recipe(rule="published", learn="annotations")


def test_random_assignments_favour_the_windows_and_are_drawn_anew_in_each_epoch(release: Path) -> None:
    method = published(release)
    kept = {}
    for epoch in (0, 1):
        for item in range(2):
            batch = batch_of(method, [item], epoch)
            method.losses(method.model, tensors(batch))
            times = method.model.placed[item].numpy().copy()
            outside = ~batch["allowed"][0]
            cost = np.random.default_rng([0, epoch, item]).random(outside.shape) + outside
            ways = itertools.combinations(range(30), outside.shape[1])
            assert tuple(times) == min(
                ways, key=lambda way, cost=cost: sum(cost[t, c] for c, t in enumerate(way))
            )
            assert (np.diff(times) > 0).all()
            kept[epoch, item] = times
    assert any(not np.array_equal(kept[0, item], kept[1, item]) for item in range(2))
    assert (method.model.placed[2:] == -1).all()
    assert "placed" in method.model.state_dict()


def ahead(
    labels: np.ndarray,
    X: np.ndarray,
    W: np.ndarray,
    b: np.ndarray,
    A: np.ndarray,
    cost: np.ndarray,
    lr: float,
) -> float:
    """Loss of labels (T, C) after a step of size lr on W (M, D) and b (M,), to first order, by hand."""
    scores = X @ (A @ W).T + A @ b
    chance = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    loss = (labels * (cost - np.log(chance))).sum() / len(X)
    slope = (labels.sum(1, keepdims=True) * chance - labels) / len(X)
    squares = ((slope @ A).T @ X) ** 2, (slope @ A).sum(0) ** 2
    return float(loss - lr / 2 * sum(square.sum() for square in squares))


def test_later_assignments_foresee_the_step_of_the_weights(release: Path) -> None:
    method = published(release, lr=40.0, dropout=1e-12, uniform_epochs=1, penalty=0.3)
    net, item = method.model, 0
    rng = np.random.default_rng(3)
    with torch.no_grad():
        net.components.weight.copy_(torch.from_numpy(rng.normal(size=net.components.weight.shape)))
    method.losses(net, tensors(batch_of(method, [item], 0)))
    before = net.placed[item].numpy().copy()
    batch = batch_of(method, [item], 1)
    X, outside = batch["features"][0].astype(float), ~batch["allowed"][0]
    T, C = outside.shape
    W, b = (v.detach().double().numpy() for v in (net.components.weight, net.components.bias))
    A = net.mixed[int(batch["task"][0])].double().numpy()
    labels = np.zeros((T, C))
    labels[before, np.arange(C)] = 1

    def best(lr: float) -> tuple[int, ...]:
        slopes = np.zeros((T, C))
        for t, c in np.ndindex(T, C):  # quadratic in the labels: central differences are exact
            change = np.zeros((T, C))
            change[t, c] = 0.5
            slopes[t, c] = ahead(labels + change, X, W, b, A, 0.3 * outside, lr) - ahead(
                labels - change, X, W, b, A, 0.3 * outside, lr
            )
        ways = itertools.combinations(range(T), C)
        return min(ways, key=lambda way: slopes[list(way), range(C)].sum())

    total, weight = method.losses(net, tensors(batch))["steps"]
    found = tuple(net.placed[item].tolist())
    assert found == best(40.0) != best(0.0)
    labels = np.zeros((T, C))
    labels[list(found), np.arange(C)] = 1
    assert float(total.detach()) == pytest.approx(ahead(labels, X, W, b, A, 0.3 * outside, 0.0), rel=1e-4)
    assert weight == 1


def test_several_processes_are_refused_before_they_lose_assignments(
    release: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    method = published(release)
    monkeypatch.setattr("sayso.systems.crosstask.published.processes", lambda: 2)
    with pytest.raises(SaysoError, match="without accelerate"):
        method.losses(method.model, tensors(batch_of(method, [0], 0)))


@pytest.mark.slow
def test_it_learns(release: Path) -> None:
    method = published(release, lr=3e-3, uniform_epochs=10, dropout=0.3)
    optimizer = torch.optim.Adam(method.model.parameters(), lr=3e-3)
    for epoch in range(20):
        for item in range(len(method.dataset)):
            (total, weight), *_ = method.losses(
                method.model, tensors(batch_of(method, [item], epoch))
            ).values()
            (total / weight).backward()
            optimizer.step()
            optimizer.zero_grad()
    model, right, count = method.export(method.model), 0, 0
    for file in sorted((release / "annotations").glob("*.csv")):
        task, _, video = file.stem.partition("_")
        places = model.place(np.load(release / "features" / f"{video}.npy"), task)
        for t, row in zip(places, file.read_text().split(), strict=True):
            _, start, end = row.split(",")
            right, count = right + (int(start) <= t < int(end)), count + 1
    assert right / count > 0.6
