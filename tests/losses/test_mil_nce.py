"""MIL-NCE is what its formula says, pair by pair, whatever way it is computed."""

from __future__ import annotations

import math
from importlib import import_module

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sayso.losses import mil_nce
from sayso.losses.mil_nce import _Rows

module = import_module("sayso.losses.mil_nce")  # of whose name the package has a function


def naive(video, text, double_count=False):
    """Loop over all pairs, in plain Python floats."""
    B, K, _ = text.shape
    score = [[[float(video[i] @ text[j, k]) for k in range(K)] for j in range(B)] for i in range(B)]
    total = 0.0
    for i in range(B):
        positives = [math.exp(score[i][i][k]) for k in range(K)]
        negatives = [math.exp(score[i][j][k]) for j in range(B) for k in range(K) if j != i]
        negatives += [math.exp(score[j][i][k]) for j in range(B) for k in range(K) if j != i]
        twice = 2 if double_count else 1
        total -= math.log(sum(positives) / (twice * sum(positives) + sum(negatives)))
    return total / B


def plain(video, text, double_count=False):
    """Follow the formula with all pairs at once; autograd does the rest."""
    B = len(video)
    score = torch.einsum("id,jkd->ijk", video, text)
    back = score.transpose(0, 1)
    if not double_count:
        back = back.masked_fill(torch.eye(B, dtype=torch.bool)[..., None], -torch.inf)
    together = torch.cat([score, back], 1).flatten(1).logsumexp(1)
    return (together - score.diagonal().T.logsumexp(1)).mean()


def by_rows(video, text, double_count=False):
    return _Rows.apply(video, text, video, text, 0, double_count)


def draw(B, K, D=6, scale=1.0, seed=0):
    generator = torch.Generator().manual_seed(seed)
    video = torch.randn(B, D, generator=generator, dtype=torch.float64) * scale
    return video, torch.randn(B, K, D, generator=generator, dtype=torch.float64) * scale


@pytest.fixture
def halves(monkeypatch):
    """Every device multiplies in bfloat16; how often the loss took that way."""
    taken = []
    plain_apply = module._Halved.apply
    monkeypatch.setattr(module, "native_bfloat16", lambda device: True)
    monkeypatch.setattr(module._Halved, "apply", lambda *given: taken.append(1) or plain_apply(*given))
    return taken


@pytest.mark.parametrize("double_count", [False, True])
@pytest.mark.parametrize("D", [4, 64])
@pytest.mark.parametrize("near", [0.0, 0.7])
@pytest.mark.parametrize("largest", [0.5, 14.9])
def test_products_in_bfloat16_have_the_gradient_of_float32(halves, D, near, largest, double_count):
    video, text = (one.float() for one in draw(150, 3, D))
    text = (1 - near) * text + near * video[:, None]
    size = (largest / (video.norm(dim=1).max() * text.norm(dim=2).max())).sqrt()
    found = []
    for bfloat16 in (False, True):
        one, other = (size * video).requires_grad_(), (size * text).requires_grad_()
        loss = mil_nce(one, other, double_count=double_count, bfloat16=bfloat16)
        (2 * loss).backward()
        found.append((loss.item(), one.grad, other.grad))
    assert halves == [1]
    (loss, *exact), (lower, *rounded) = found
    assert lower == pytest.approx(loss, rel=2e-3, abs=2e-3)
    for right, rough in zip(exact, rounded, strict=True):
        assert torch.nn.functional.cosine_similarity(right.flatten(), rough.flatten(), 0) > 0.9999
        assert rough.norm().item() == pytest.approx(right.norm().item(), rel=5e-3)


def test_bfloat16_is_for_float32_within_its_range_on_a_device_that_has_it(halves, monkeypatch):
    video, text = (one.float() for one in draw(6, 2))
    mil_nce(video.double(), text.double(), bfloat16=True)
    size = (15.1 / (video.norm(dim=1).max() * text.norm(dim=2).max())).sqrt()
    mil_nce(size * video, size * text, bfloat16=True)
    mil_nce(0.1 * video, 0.1 * text)
    monkeypatch.setattr(module, "native_bfloat16", lambda device: False)
    mil_nce(0.1 * video, 0.1 * text, bfloat16=True)
    assert not halves


@pytest.mark.parametrize("double_count", [False, True])
@pytest.mark.parametrize(("B", "K"), [(1, 1), (1, 4), (2, 1), (5, 3), (7, 5)])
def test_is_the_formula_pair_by_pair(B, K, double_count):
    video, text = draw(B, K)
    expected = naive(video, text, double_count)
    assert mil_nce(video, text, double_count=double_count).item() == pytest.approx(expected, abs=1e-12)
    assert plain(video, text, double_count).item() == pytest.approx(expected, abs=1e-12)
    assert by_rows(video, text, double_count).item() == pytest.approx(expected, abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([mil_nce, by_rows]),
    st.integers(1, 9),
    st.integers(1, 4),
    st.floats(0, 30),
    st.booleans(),
    st.integers(0, 99),
)
def test_both_ways_have_the_gradient_of_the_plain_one(way, B, K, scale, double_count, seed):
    one = [t.requires_grad_() for t in draw(B, K, scale=scale, seed=seed)]
    two = [t.detach().clone().requires_grad_() for t in one]
    ours, formula = way(*one, double_count=double_count), plain(*two, double_count)
    torch.testing.assert_close(ours, formula, rtol=1e-9, atol=1e-9)
    ours.backward()
    formula.backward()
    for a, b in zip(one, two, strict=True):
        torch.testing.assert_close(a.grad, b.grad, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_in_float32_rows_of_very_different_size_lose_nothing(scale):
    """Logits spread over almost all that the lean way takes on; the reference is float64."""
    video, text = draw(300, 3, D=8, scale=0.8)
    video = video / video.norm(dim=1).max() * 19 * scale
    text = text / text.norm(dim=2).max()
    video[::2] *= 0.01
    exact = [t.clone().requires_grad_() for t in (video, text)]
    single = [t.float().requires_grad_() for t in (video, text)]
    want, got = plain(*exact), mil_nce(*single)
    assert got.dtype == torch.float32
    assert got.item() == pytest.approx(want.item(), rel=1e-5)
    want.backward()
    got.backward()
    for a, b in zip(exact, single, strict=True):
        torch.testing.assert_close(b.grad.double(), a.grad, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("bag", ["sum", "first", "max", "attention"])
@pytest.mark.parametrize("double_count", [False, True])
def test_gradients_match_finite_differences(bag, double_count):
    video, text = (t.requires_grad_() for t in draw(4, 3))
    torch.autograd.gradcheck(
        lambda v, t: mil_nce(v, t, bag=bag, double_count=double_count), (video, text), atol=1e-6
    )


@pytest.mark.parametrize(
    ("video", "text", "way"),
    [(20.0, 1.0, "Lean"), (20.1, 1.0, "Rows"), (4.0, 6.0, "Rows"), (2.0, 9.0, "Lean"), (1.0, 21.0, "Rows")],
)
def test_two_tables_are_held_only_where_scores_may_lie_far_apart(video, text, way):
    one = torch.zeros(3, 2, dtype=torch.float64).index_fill_(1, torch.tensor([0]), video).requires_grad_()
    two = torch.zeros(3, 1, 2, dtype=torch.float64).index_fill_(2, torch.tensor([1]), text)
    assert mil_nce(one, two).grad_fn.name() == f"_{way}Backward"


@pytest.mark.parametrize("double_count", [False, True])
@pytest.mark.parametrize("rank", [0, 1, 2])
def test_a_third_of_the_rows_has_its_share_of_the_loss(rank, double_count):
    """As one of three processes has them, against the formula of all."""
    every_video, every_text = (t.requires_grad_() for t in draw(6, 3))
    own = slice(2 * rank, 2 * rank + 2)
    score = torch.einsum("id,jkd->ijk", every_video, every_text)
    mine, back = score[own], score[:, own].transpose(0, 1)
    if not double_count:
        back = back.masked_fill(torch.eye(6, dtype=torch.bool)[own, :, None], -torch.inf)
    positive = torch.stack([score[i, i] for i in range(6)[own]])
    expected = (torch.cat([mine, back], 1).flatten(1).logsumexp(1) - positive.logsumexp(1)).mean()
    theirs = torch.autograd.grad(3 * expected, (every_video, every_text))
    ours = [
        t.detach().clone().requires_grad_()
        for t in (every_video[own], every_text[own], every_video, every_text)
    ]
    loss = _Rows.apply(*ours, rank, double_count)
    torch.testing.assert_close(loss, expected)
    video, text, all_video, all_text = torch.autograd.grad(3 * loss, ours)
    all_video[own] += video
    all_text[own] += text
    torch.testing.assert_close(all_video, theirs[0])
    torch.testing.assert_close(all_text, theirs[1])


def test_the_ablations():
    video, text = draw(5, 4)
    score = torch.einsum("id,ikd->ik", video, text)
    best = torch.stack([text[i, score[i].argmax()] for i in range(5)])[:, None]
    mixed = torch.stack(
        [sum(w * t for w, t in zip(score[i].softmax(0), text[i], strict=True)) for i in range(5)]
    )
    assert mil_nce(video, text, bag="first").item() == pytest.approx(naive(video, text[:, :1]))
    assert mil_nce(video, text, bag="max").item() == pytest.approx(naive(video, best))
    assert mil_nce(video, text, bag="attention").item() == pytest.approx(naive(video, mixed[:, None]))


def test_with_one_caption_it_is_nce_and_with_equal_scores_the_share_of_positives():
    video, text = torch.zeros(6, 3), torch.zeros(6, 4, 3)
    assert mil_nce(video, text).item() == pytest.approx(math.log(11))  # 4 of 4 * (6 + 5)
    assert mil_nce(video, text, double_count=True).item() == pytest.approx(math.log(12))
    assert mil_nce(video[:1], text[:1], double_count=True).item() == pytest.approx(math.log(2))


@pytest.mark.parametrize("scale", [1e2, 1e4])
def test_scores_of_any_size_give_numbers(scale):
    video, text = (t.float().requires_grad_() for t in draw(6, 3, scale=scale))
    loss = mil_nce(video, text)
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(video.grad).all()
    assert torch.isfinite(text.grad).all()


def test_half_precision_is_computed_in_float32():
    video, text = draw(8, 3)
    half = mil_nce(video.bfloat16(), text.bfloat16())
    assert half.dtype == torch.float32
    assert half.item() == pytest.approx(
        mil_nce(video.bfloat16().double(), text.bfloat16().double()).item(), rel=1e-5
    )


def test_refuses_shapes_that_disagree():
    for video, text in [((3, 4), (3, 4)), ((3, 4), (2, 2, 4)), ((3, 4), (3, 2, 5))]:
        with pytest.raises(ValueError, match=r"mil_nce needs video \(B, D\) and text \(B, K, D\); got"):
            mil_nce(torch.zeros(video), torch.zeros(text))
    with pytest.raises(ValueError, match="bag must be"):
        mil_nce(torch.zeros(2, 3), torch.zeros(2, 2, 3), bag="mean")
