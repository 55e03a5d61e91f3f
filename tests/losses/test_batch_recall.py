"""Recall inside a batch, against loops over scores."""

from __future__ import annotations

import torch

from sayso.losses import batch_recall as module
from sayso.losses.batch_recall import batch_recall


def test_recall_is_that_of_loops_whatever_the_rows_at_a_time(monkeypatch):
    generator = torch.Generator().manual_seed(0)
    image, text = torch.randn(2, 23, 5, generator=generator).unbind()
    text = text + image
    labels = torch.randint(0, 15, (23,), generator=generator)
    scores = image @ text.T
    forth = [labels[i] == labels[max(range(23), key=lambda j: scores[i, j])] for i in range(23)]
    back = [labels[j] == labels[max(range(23), key=lambda i: scores[i, j])] for j in range(23)]
    twice = [sum(labels == label) > 1 for label in labels]
    expected = [sum(map(bool, found)) / 23 for found in (forth, back, twice)]
    assert 0 < expected[0] < 1 and expected[0] != expected[1]
    for rows in (1024, 4):
        monkeypatch.setattr(module, "_ROWS", rows)
        torch.testing.assert_close(list(batch_recall(image, text, labels)), expected)
