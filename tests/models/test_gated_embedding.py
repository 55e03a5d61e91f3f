"""Gated units and the feature-level model of HowTo100M against the equations, and the published keys."""

from __future__ import annotations

import numpy as np
import torch

from sayso.models import GatedEmbedding, HowTo100MNet


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def unit_by_hand(w, prefix, x):
    y = w[f"{prefix}fc.weight"] @ x + w[f"{prefix}fc.bias"]
    z = y * sigmoid(w[f"{prefix}cg.fc.weight"] @ y + w[f"{prefix}cg.fc.bias"])
    return z / np.linalg.norm(z)


def numbers(net):
    return {key: value.double().numpy() for key, value in net.state_dict().items()}


def test_gated_unit_equals_the_equation():
    torch.manual_seed(0)
    net, x = GatedEmbedding(6, 4), torch.randn(3, 6)
    for found, row in zip(net(x).detach().numpy(), x.numpy(), strict=True):
        np.testing.assert_allclose(found, unit_by_hand(numbers(net), "", row), rtol=1e-5)


def test_the_unused_batch_norm_stands_there_and_does_not_learn():
    net = GatedEmbedding(3, 2)
    assert set(net.state_dict()) == {
        "fc.weight", "fc.bias", "cg.fc.weight", "cg.fc.bias", "cg.batch_norm.weight", "cg.batch_norm.bias",
        "cg.batch_norm.running_mean", "cg.batch_norm.running_var", "cg.batch_norm.num_batches_tracked",
    }  # fmt: skip
    net(torch.randn(2, 3)).sum().backward()
    assert all((p.grad is not None) == p.requires_grad for p in net.parameters())
    assert not any(p.requires_grad for p in net.cg.batch_norm.parameters())


def test_howto100m_equals_the_equations():
    torch.manual_seed(0)
    net = HowTo100MNet(torch.randn(9, 5), features=7, dim=4, sentence=6)
    features, words = torch.randn(2, 7), torch.randint(0, 9, (2, 3))
    video, text = (x.detach().numpy() for x in net(features, words))
    w = numbers(net)
    for i in range(2):
        np.testing.assert_allclose(video[i], unit_by_hand(w, "GU_video.", features[i].numpy()), rtol=1e-4)
        pooled = np.max(
            [
                np.maximum(
                    w["text_pooling.fc.weight"] @ w["word_vectors.weight"][n] + w["text_pooling.fc.bias"], 0
                )
                for n in words[i].tolist()
            ],
            axis=0,
        )
        np.testing.assert_allclose(text[i], unit_by_hand(w, "GU_text.", pooled), rtol=1e-4, atol=1e-6)
