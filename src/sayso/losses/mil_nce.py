"""MIL-NCE: a clip, and a bag of captions, at least one of which is hoped to describe it.

With s(i, jk) = <video_i, text_jk> the score of clip i and caption k of clip j, and Z_i the sum of
e^s over the pairs that clip i or a caption of its bag takes part in, each counted once,

    L = 1/B sum_i [ log Z_i - log sum_k e^s(i, ik) ],
    Z_i = sum_jk e^s(i, jk) + sum_{j != i, k} e^s(j, ik).

``bag`` gives the ablations of [1]: ``first`` (NCE: the bag is its first caption), ``max`` (its
best one for the clip), ``attention`` (the mean weighted by the softmax of the scores). Cat+NCE,
which joins the captions before they are embedded, is K = 1 here.

Sources
    [1] Miech, Alayrac et al., CVPR 2020, eq. 1 and table 1. https://arxiv.org/abs/1912.06430
    [2] The authors' PyTorch code counts the pairs of clip i with its own bag twice in Z_i
        (``double_count``). https://github.com/antoine77340/MIL-NCE_HowTo100M
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from sayso.core.device import native_bfloat16
from sayso.core.distributed import gather, processes, rank

BagReduction = Literal["sum", "first", "max", "attention"]

_CLIPS = 128  # whose scores are worked on at once: they stay in the cache
_SPREAD = 40.0  # of the rows' largest scores; e^-40 is nothing beside 1 in float32
_HALVED = 30.0  # the same where products are bfloat16: a score of 15 is then rounded by 0.03


def mil_nce(
    video: Tensor,
    text: Tensor,
    *,
    bag: BagReduction = "sum",
    double_count: bool = False,
    bfloat16: bool = False,
) -> Tensor:
    """Return the MIL-NCE loss of this process's clips against those of all processes, a scalar.

    Args:
        video: (B, D) embeddings of clips, floating point; the raw dot product counts.
        text: (B, K, D) embeddings of the K captions in each clip's bag, its own caption first.
        bag: what becomes of a bag: ``sum`` is MIL-NCE, ``first`` NCE, ``max`` Max+NCE,
            ``attention`` Attn+NCE.
        double_count: count positive pairs twice in the denominator, as [2] does.
        bfloat16: multiply float32 matrices in bfloat16, where the device does that by itself, one process has
            all rows, and no two scores can lie further apart than 30; all sums stay in float32. Scores of own
            pairs are float32 too; the gradient's cosine to float32's is above .9999.

    Raises:
        ValueError: if the shapes disagree, or ``bag`` is none of these.
    """
    if text.ndim != 3 or video.shape != (text.shape[0], text.shape[2]):
        raise ValueError(
            f"mil_nce needs video (B, D) and text (B, K, D); got {tuple(video.shape)} and {tuple(text.shape)}"
        )
    dtype = torch.promote_types(video.dtype, torch.float32)  # e^s needs float32's range
    video, text = video.to(dtype), _reduced(video.to(dtype), text.to(dtype), bag)
    spread = _spread(video, text)
    if processes() > 1 or spread > _SPREAD:
        loss: Tensor = _Rows.apply(video, text, gather(video), gather(text), rank(), double_count)  # type: ignore[no-untyped-call]
    elif bfloat16 and dtype == torch.float32 and spread <= _HALVED and native_bfloat16(video.device):
        loss = _Halved.apply(video, text, double_count)  # type: ignore[no-untyped-call]
    else:
        loss = _Lean.apply(video, text, double_count)  # type: ignore[no-untyped-call]
    return loss


def _reduced(video: Tensor, text: Tensor, bag: BagReduction) -> Tensor:
    """Return the bags as the loss sees them: (B, K, D), or (B, 1, D) where one stands for all."""
    if bag == "sum":
        return text
    if bag == "first":
        return text[:, :1]
    score = torch.einsum("id,ikd->ik", video, text)
    if bag == "max":
        return text.take_along_dim(score.argmax(1)[:, None, None], 1)
    if bag == "attention":
        return (score.softmax(1)[..., None] * text).sum(1, keepdim=True)
    raise ValueError(f"bag must be sum, first, max or attention; got {bag!r}")


def _spread(video: Tensor, text: Tensor) -> float:
    """Bound how far the rows' largest scores can lie apart: no score exceeds the product of the norms."""
    with torch.no_grad():
        return float(2 * video.norm(dim=1).max() * text.norm(dim=2).max())


class _Rows(torch.autograd.Function):
    """The loss of some rows, for scores of any size: B of them against G, which hold them too.

    Two tables are held, e^(s - Z_i) for the scores of own clips with all captions and of own captions
    with all clips; one process that has all rows needs but one (``_Lean``).
    """

    @staticmethod
    def forward(
        ctx: Any,
        video: Tensor,
        text: Tensor,
        every_video: Tensor,
        every_text: Tensor,
        rank: int,
        double: bool,
    ) -> Tensor:
        B, K, _ = text.shape
        G = len(every_video)
        own = torch.arange(B, device=video.device)
        forth = video @ every_text.flatten(0, 1).T  # (B, GK)
        back = (text.flatten(0, 1) @ every_video.T).view(B, K * G)
        positive = forth.view(B, G, K)[own, own + rank * B]
        if not double:
            back.view(B, K, G)[own, :, own + rank * B] = -torch.inf
        log_z = torch.empty_like(positive[:, 0])
        for part in _parts(B):
            log_z[part] = torch.logaddexp(forth[part].logsumexp(1), back[part].logsumexp(1))
            for score in (forth, back):
                score[part].sub_(log_z[part, None]).exp_()
        ctx.save_for_backward(video, text, every_video, every_text, forth, back, positive)
        ctx.rank = rank
        return (log_z - positive.logsumexp(1)).mean()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        video, text, every_video, every_text, forth, back, positive = ctx.saved_tensors
        B, K, D = text.shape
        captions, share = text.flatten(0, 1), gradient / B
        back = back.view(B * K, -1)
        right = positive.softmax(1)
        d_video = forth @ every_text.flatten(0, 1) - torch.einsum("ik,ikd->id", right, text)
        d_every_text = (forth.T @ video).view(-1, K, D)
        d_every_text[ctx.rank * B : (ctx.rank + 1) * B] -= right[..., None] * video[:, None]
        d_text, d_every_video = (back @ every_video).view(B, K, D), back.T @ captions
        return *(share * d for d in (d_video, d_text, d_every_video, d_every_text)), None, None


class _Lean(torch.autograd.Function):
    """The loss at the price of its three matrix products, and the memory of one.

    e^(s(i, jk) - r_i), with r_i the largest score of row i, is computed once, in the place of the
    scores. With r the largest of all, both sums of Z and all gradients follow from it by scaling
    rows and columns: e^(s - Z_i) = e^(s - r_i) e^(r_i - Z_i), and e^(s - Z_j) likewise. Since
    r - r_i <= 40, no scale overflows, and what underflows is nothing beside what it is added to.
    """

    @staticmethod
    def forward(ctx: Any, video: Tensor, text: Tensor, double_count: bool) -> Tensor:
        B, K, _ = text.shape
        weight = video @ text.flatten(0, 1).T  # (B, BK): scores, then e^(s - r_i)
        positive = _own(weight, K).clone()  # (B, K)
        row = torch.empty(B, dtype=weight.dtype, device=weight.device)
        total = torch.empty_like(row)
        for part in _parts(B):
            row[part] = weight[part].amax(1)
            weight[part].sub_(row[part, None]).exp_()
            total[part] = weight[part].sum(1)
        most = row.max()
        scale = (row - most).exp()
        column = (scale @ weight).view(B, K).sum(1)  # sum over all clips of e^(s - r)
        if not double_count:
            column -= (positive - most).exp().sum(1)
        log_z = torch.logaddexp(total.log() + row, column.clamp_min(0).log() + most)
        ctx.save_for_backward(video, text, weight, positive, row, log_z)
        ctx.double_count = double_count
        return (log_z - positive.logsumexp(1)).mean()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None]:
        video, text, weight, positive, row, log_z = ctx.saved_tensors
        flat = text.flatten(0, 1)
        d_video, d_text = torch.zeros_like(video), torch.empty_like(flat)
        for columns, slope in _slopes(weight, positive, row, log_z, gradient, ctx.double_count):
            d_video.addmm_(slope, flat[columns])
            d_text[columns] = slope.T @ video
        return d_video, d_text.view_as(text), None


class _Halved(torch.autograd.Function):
    """``_Lean`` with bfloat16 products: e^(s - r_i) is kept in half the memory, all sums are float32.

    Scores come some rows at a time, as float32 while they are worked on; the sums over clips follow the
    largest score so far. Those of own pairs, which a trained network makes large, are multiplied in float32.
    """

    @staticmethod
    def forward(ctx: Any, video: Tensor, text: Tensor, double_count: bool) -> Tensor:
        B, K, _ = text.shape
        low, flat = video.bfloat16(), text.flatten(0, 1).bfloat16()
        weight = torch.empty(B, B * K, dtype=torch.bfloat16, device=video.device)
        positive = torch.einsum("id,ikd->ik", video, text)
        row, total = video.new_empty(B), video.new_empty(B)
        column, most = video.new_zeros(B * K), video.new_tensor(-torch.inf)
        numbers = torch.arange(B, device=video.device)
        for part in _parts(B):
            score = (low[part] @ flat.T).float()
            clips = numbers[part]
            score.view(len(clips), B, K)[clips - part.start, clips] = positive[part]
            row[part] = score.amax(1)
            score.sub_(row[part, None]).exp_()
            total[part] = score.sum(1)
            before, most = most, torch.maximum(most, row[part].max())
            column.mul_((before - most).exp()).add_((row[part] - most).exp() @ score)
            weight[part] = score
        column = column.view(B, K).sum(1)
        if not double_count:
            column -= (positive - most).exp().sum(1)
        log_z = torch.logaddexp(total.log() + row, column.clamp_min(0).log() + most)
        ctx.save_for_backward(low, flat, weight, positive, row, log_z)
        ctx.double_count = double_count
        return (log_z - positive.logsumexp(1)).mean()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None]:
        low, flat, weight, positive, row, log_z = ctx.saved_tensors
        d_video = torch.zeros_like(low, dtype=torch.float32)
        d_text = torch.empty_like(flat, dtype=torch.float32)
        for columns, slope in _slopes(weight, positive, row, log_z, gradient, ctx.double_count):
            half = slope.bfloat16()
            d_video += half @ flat[columns]
            d_text[columns] = (half.T @ low).float()
        return d_video, d_text.view(len(low), -1, low.shape[1]), None


def _slopes(
    weight: Tensor, positive: Tensor, row: Tensor, log_z: Tensor, gradient: Tensor, double_count: bool
) -> Iterator[tuple[slice, Tensor]]:
    """Yield the loss's derivative by the scores, some captions at a time: which, and (B, so many)."""
    B, K = positive.shape
    most = row.max()
    share = gradient / B
    along = share * (row - log_z).exp()  # e^(s - Z_i) = weight * along
    across = (row - most).exp()  # e^(s - Z_j) = weight * across_i * back_j
    back = share * (most - log_z).exp().repeat_interleave(K)
    own = (positive - log_z[:, None]).exp() * (2 if double_count else 1) - positive.softmax(1)
    own *= share
    numbers = torch.arange(B, device=row.device)
    for part in _parts(B):
        columns, clips = slice(part.start * K, part.stop * K), numbers[part]
        slope = torch.addcmul(along[:, None], across[:, None], back[columns]).mul_(weight[:, columns])
        slope.view(B, len(clips), K)[clips, clips - part.start] = own[part]
        yield columns, slope


def _parts(clips: int) -> list[slice]:
    return [slice(start, min(start + _CLIPS, clips)) for start in range(0, clips, _CLIPS)]


def _own(score: Tensor, K: int) -> Tensor:
    """Return the scores of clips with their own bags, (B, K), of (B, BK)."""
    B = len(score)
    return score.view(B, B, K).diagonal().T
