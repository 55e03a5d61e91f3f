"""The compiled slopes of the sigmoid loss: the sigmoid and its logarithm in float64, and torch's form."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from sayso.losses import compiled_slopes as module
from sayso.losses import contrastive
from sayso.losses.compiled_slopes import compiled_slopes

pytest.importorskip("numba")


@pytest.fixture(autouse=True)
def worth_it(monkeypatch):
    monkeypatch.setattr(module, "worth_compiling", lambda cells: True)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("bias", [-40.0, -10.0, 0.0, 25.0])
@pytest.mark.parametrize("shape", [(1, 1), (7, 33), (8, 5), (21, 100)])
def test_slopes_and_sums_are_those_of_float64(shape, bias):
    """Also where the last logarithm has fewer than eight scores, and e^z is next to nothing or huge."""
    scores = torch.linspace(-60, 12, math.prod(shape)).view(shape)
    z = scores.double() + bias
    slopes = scores.clone()
    losses, total, weighted = compiled_slopes(slopes, bias)
    want = z.sigmoid()
    torch.testing.assert_close(slopes.double(), want, rtol=4e-6, atol=1e-37)
    torch.testing.assert_close(total.double(), want.sum(), rtol=4e-6, atol=1e-37)
    torch.testing.assert_close(weighted.double(), (want * scores).sum(), rtol=4e-6, atol=1e-36)
    if losses.isfinite():
        torch.testing.assert_close(losses.double(), F.softplus(z, threshold=1e9).sum(), rtol=4e-6, atol=1e-37)
    else:
        assert z.clamp(min=0).sum(0).max() > 88  # a product of eight is too large for a number


@pytest.mark.parametrize("wrong", [math.nan, math.inf, 89.0])
def test_what_is_no_number_or_too_large_is_told_by_the_sum(wrong):
    scores = torch.zeros(20, 40)
    scores[13, 7] = wrong
    losses, *_ = compiled_slopes(scores, 0.0)
    assert not losses.isfinite()


def test_a_score_by_itself_may_be_as_large_as_its_exponential_is_a_number():
    most = float(module._MOST)
    for score, there in ((88.69, True), (most, False)):
        loss, slope, _ = compiled_slopes(torch.full((1, 1), score), 0.0)
        assert bool(loss.isfinite()) == there
        if there:
            assert (loss.item(), slope.item()) == (pytest.approx(score), 1)


@pytest.mark.parametrize("change", [{"dtype": torch.float64}, {"device": "meta"}])
def test_leaves_to_torch_what_it_is_not_made_for(change):
    assert compiled_slopes(torch.zeros(8, 4, **change), 0.0) is None


def test_more_than_two_threads_of_torch_are_faster():
    torch.set_num_threads(3)
    assert compiled_slopes(torch.zeros(8, 4), 0.0) is None
    torch.set_num_threads(2)
    assert compiled_slopes(torch.zeros(8, 4), 0.0) is not None


def test_of_few_scores_nothing_is_compiled(monkeypatch):
    asked = []
    monkeypatch.setattr(module, "worth_compiling", lambda cells: bool(asked.append(cells)))
    assert compiled_slopes(torch.zeros(8, 4), 0.0) is None
    assert asked == [32]


@pytest.mark.parametrize("labels", [None, torch.arange(300) % 70])
@pytest.mark.parametrize(("scale", "bias"), [(14.3, -10.0), (118.0, -16.5), (100.0, 0.0), (5.0, 40.0)])
def test_the_loss_and_its_gradients_are_those_of_torchs_passes(monkeypatch, scale, bias, labels):
    """The last two are too large for it, and are computed again."""
    generator = torch.Generator().manual_seed(3)
    x, y = (F.normalize(torch.randn(300, 16, generator=generator), dim=1).requires_grad_() for _ in "xy")
    found = []
    for own in (True, False):
        monkeypatch.setattr(module, "worth_compiling", lambda cells, own=own: own)
        inputs = x, y, torch.tensor(math.log(scale)).requires_grad_(), torch.tensor(bias).requires_grad_()
        loss = contrastive(*inputs[:3], kind="sigmoid", bias=inputs[3], labels=labels)
        found.append((loss.detach(), *torch.autograd.grad(2 * loss, inputs)))
    for ours, theirs in zip(*found, strict=True):
        assert float((ours - theirs).abs().max()) <= 5e-6 * float(theirs.abs().max())


def test_wrong_embeddings_have_no_loss():
    x = torch.full((20, 4), math.nan)
    assert contrastive(x, x, torch.tensor(0.0), kind="sigmoid").isnan()
