"""The ranking loss is its formula, pair by pair."""

from __future__ import annotations

import importlib

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sayso.losses import max_margin


def naive(video, text, group, margin, intra):
    B = len(video)
    total = 0.0
    for i in range(B):
        same = [j for j in range(B) if j != i and group[j] == group[i]]
        apart = [j for j in range(B) if group[j] != group[i]]
        share = intra
        if not apart:
            share = 1.0 if intra > 0 else 0.0
        if not same:
            share = 0.0
        for others, weight in ((same, share), (apart, 1 - share)):
            for j in others:
                right = float(video[i] @ text[i])
                total += weight / len(others) * max(0.0, margin + float(video[i] @ text[j]) - right)
                total += weight / len(others) * max(0.0, margin + float(video[j] @ text[i]) - right)
    return total / B


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=9),
    st.sampled_from([0.0, 0.3, 0.5, 1.0]),
    st.floats(0, 2),
    st.integers(0, 99),
)
def test_is_the_formula_pair_by_pair(group, intra, margin, seed):
    generator = torch.Generator().manual_seed(seed)
    video, text = (torch.randn(len(group), 4, generator=generator, dtype=torch.float64) for _ in range(2))
    value = max_margin(video, text, torch.tensor(group), margin=margin, intra=intra)
    assert value.item() == pytest.approx(naive(video, text, group, margin, intra), abs=1e-12)


def test_without_groups_all_clips_are_of_different_videos():
    generator = torch.Generator().manual_seed(0)
    video, text = (torch.randn(6, 4, generator=generator, dtype=torch.float64) for _ in range(2))
    assert max_margin(video, text).item() == pytest.approx(naive(video, text, range(6), 0.1, 0.5))


@pytest.mark.parametrize("count_own", [False, True])
def test_the_pair_itself_counts_among_its_video_as_the_authors_have_it(count_own):
    generator = torch.Generator().manual_seed(1)
    video, text = (torch.randn(6, 4, generator=generator, dtype=torch.float64) for _ in range(2))
    groups, total = [0, 0, 1, 1, 1, 2], 0.0
    for i in range(6):
        right = float(video[i] @ text[i])
        hinge = [
            max(0.0, 0.1 + float(video[i] @ text[j]) - right)
            + max(0.0, 0.1 + float(video[j] @ text[i]) - right)
            for j in range(6)
        ]
        same = [j for j in range(6) if groups[j] == groups[i] and (count_own or j != i)]
        apart = [j for j in range(6) if groups[j] != groups[i]]
        if groups.count(groups[i]) == 1:  # alone: all weight is that of the others, and its own place
            same, apart = [], apart + [i] * count_own
        shares = [(same, 0.3), (apart, 0.7)] if same else [(apart, 1.0)]
        total += sum(share * sum(hinge[j] for j in others) / len(others) for others, share in shares)
    value = max_margin(video, text, torch.tensor(groups), intra=0.3, count_own=count_own)
    assert value.item() == pytest.approx(total / 6)


@pytest.mark.parametrize("count_own", [False, True])
def test_three_processes_of_two_rows_have_the_loss_of_six(monkeypatch, count_own):
    module = importlib.import_module("sayso.losses.max_margin")  # the package's name is the function
    generator = torch.Generator().manual_seed(2)
    video, text = (torch.randn(6, 4, generator=generator, dtype=torch.float64) for _ in range(2))
    group, losses = torch.tensor([0, 1, 1, 0, 0, 2]), []
    whole = max_margin(video, text, group, intra=0.3, count_own=count_own)
    for rank in range(3):
        own = slice(2 * rank, 2 * rank + 2)
        every = {tuple(part[own].flatten().tolist()): part for part in (video, text, group)}
        monkeypatch.setattr(module, "rank", lambda rank=rank: rank)
        monkeypatch.setattr(module, "gather", lambda part, every=every: every[tuple(part.flatten().tolist())])
        losses.append(max_margin(video[own], text[own], group[own], intra=0.3, count_own=count_own))
    assert torch.stack(losses).mean().item() == pytest.approx(whole.item())


def test_gradients_match_finite_differences():
    generator = torch.Generator().manual_seed(0)
    video, text = (
        torch.randn(5, 3, generator=generator, dtype=torch.float64).requires_grad_() for _ in range(2)
    )
    group = torch.tensor([0, 0, 1, 1, 1])
    assert torch.autograd.gradcheck(lambda v, t: max_margin(v, t, group), (video, text))


def test_is_zero_where_the_margin_is_kept():
    video = torch.eye(4)
    assert max_margin(video, video, margin=1.0).item() == 0
    assert max_margin(video, video, margin=1.25).item() == pytest.approx(0.5)


def test_refuses_what_makes_no_sense():
    with pytest.raises(ValueError, match=r"max_margin needs .* got \[\(3, 4\), \(2, 4\)\]"):
        max_margin(torch.zeros(3, 4), torch.zeros(2, 4))
    with pytest.raises(ValueError, match=r"got \[\(3, 4\), \(3, 4\), \(2,\)\]"):
        max_margin(torch.zeros(3, 4), torch.zeros(3, 4), torch.zeros(2))
    with pytest.raises(ValueError, match=r"intra must be between 0 and 1; got 1\.5"):
        max_margin(torch.zeros(3, 4), torch.zeros(3, 4), intra=1.5)
    with pytest.raises(ValueError, match=r"got -0\.1"):
        max_margin(torch.zeros(3, 4), torch.zeros(3, 4), intra=-0.1)
    with pytest.raises(ValueError, match=r"got \[\(3,\), \(3,\)\]"):
        max_margin(torch.zeros(3), torch.zeros(3))
