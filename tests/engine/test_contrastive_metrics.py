"""What a contrastive run says about itself: guessing, texts that were cut, a loss that stays at chance."""

from __future__ import annotations

import logging
import math

import numpy as np
import pytest
import torch

from sayso.engine.contrastive_metrics import ContrastiveMetrics


def noted(metrics, loss, updates, cut=()):
    labels = torch.arange(4)
    vectors = torch.eye(4)
    metrics.note((vectors, vectors), labels, np.array([n in cut for n in range(4)]), torch.tensor(loss))
    metrics.updates += updates
    return metrics.read()


def made(**options):
    return ContrastiveMetrics(4, **{"sigmoid": False, "patience": 10, "context": 77, **options})


def test_guessing_is_what_the_best_constant_scores():
    assert made().chance == pytest.approx(math.log(4))
    grid = torch.linspace(-6, 6, 100_001, dtype=torch.float64)
    losses = torch.nn.functional.softplus(-grid) + 3 * torch.nn.functional.softplus(grid)
    assert made(sigmoid=True).chance == pytest.approx(float(losses.min()), abs=1e-6)


def test_a_loss_that_stays_at_chance_is_told_once_and_one_that_leaves_is_not(caplog):
    caplog.set_level(logging.WARNING)
    stuck, leaving = made(), made()
    for _ in range(5):
        noted(stuck, 1.3862, 4)
    told = [record.message for record in caplog.records]
    assert len(told) == 1
    assert told[0].startswith(
        "after 12 updates the loss is 1.386, where guessing has 1.386: nothing is learned"
    )
    for loss in (1.386, 1.37, 1.2, 1.0):
        found = noted(leaving, loss, 4)
    assert len(caplog.records) == 1
    assert found["picture_to_text_r1"] == found["text_to_picture_r1"] == 1.0
    assert found["repeated_captions"] == found["cut_captions"] == 0.0


def test_cut_texts_are_counted_and_told_once(caplog):
    caplog.set_level(logging.WARNING)
    metrics = made()
    assert noted(metrics, 1.0, 1, cut=(1,))["cut_captions"] == 0.25
    assert noted(metrics, 1.0, 1)["cut_captions"] == 0.125
    assert [record.message for record in caplog.records] == [
        "1 of the first 4 captions are longer than 77 tokens and are cut; raise context"
    ]
    assert made().read() == {"chance": pytest.approx(math.log(4))}
