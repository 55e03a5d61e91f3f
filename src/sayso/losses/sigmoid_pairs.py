"""The sigmoid form of the contrastive loss (``losses/contrastive``), with its gradients in the same pass.

With the ``fast`` extra a compiled loop makes the slopes (``losses/compiled_slopes``). Torch's passes are the
reference, and what runs without numba, in float64, on a GPU and with many threads.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from sayso.core.distributed import sum_of_all
from sayso.losses.compiled_slopes import compiled_slopes
from sayso.losses.pair_targets import PairTargets, inner
from sayso.losses.score_tables import add_products, blocks, tables, write_scores

_FOLDED = 30.0  # e^s and e^-b are far from the limits of float32 up to twice, and once, this


def sigmoid_pairs(
    image: Tensor, text: Tensor, log_scale: Tensor, bias: Tensor, targets: PairTargets
) -> Tensor:
    """Return the loss, ().

    Args:
        image: (B, D) this process's pictures, float32 or float64 as all that follows.
        text: (G, D) the texts of all processes.
        log_scale: t, ().
        bias: b, ().
        targets: which texts are right for which pictures.
    """
    loss: Tensor = _SigmoidPairs.apply(image, text, log_scale, bias, targets)  # type: ignore[no-untyped-call]
    return loss


class _SigmoidPairs(torch.autograd.Function):
    """The loss, and at once its gradients: nothing but these is kept."""

    @staticmethod
    def forward(
        ctx: Any, image: Tensor, text: Tensor, log_scale: Tensor, bias: Tensor, targets: PairTargets
    ) -> Tensor:
        scale, pairs, G = log_scale.exp(), targets.pairs(len(image)), len(text)
        learns = any(ctx.needs_input_grad)
        total, slopes, d_scale, ctx.gradients = _pairwise(image, text, scale, bias, targets, learns)
        ctx.targets = targets
        ctx.save_for_backward(image, text, scale, bias, d_scale, (slopes - pairs) / G)
        return sum_of_all(total) / G

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        image, text, scale, bias, d_scale, d_bias = ctx.saved_tensors
        gradients, ctx.gradients = ctx.gradients, None  # they change; another pass computes them again
        if gradients is None:
            with torch.autocast(image.device.type, enabled=False):
                *_, gradients = _pairwise(image, text, scale, bias, ctx.targets)
        everywhere = sum_of_all(gradient)
        d_image, d_text = gradients
        if float(everywhere) != 1:
            for part in gradients:
                part.mul_(everywhere)
        return d_image, d_text, everywhere * d_scale, everywhere * d_bias, None


def _pairwise(
    image: Tensor,
    text: Tensor,
    scale: Tensor,
    bias: Tensor,
    targets: PairTargets,
    learns: bool = True,
    large: bool = False,
) -> tuple[Tensor, Tensor, Tensor, tuple[Tensor, Tensor] | None]:
    """Return G times the loss, the sum of the slopes of log(1 + e^z), and the loss's gradients by t and both.

    z = s + b. Unless it is ``large``, the slope has the exponential of the loss.
    ``learns``: whether gradients are asked for.
    """
    factor, share, shift = float(scale), float(scale) / len(text), float(bias)
    folded = not large and abs(shift) <= _FOLDED and factor <= 2 * _FOLDED
    totals, slopes, by_scale = [], [], []
    gradients = (torch.empty_like(image), torch.empty_like(text)) if learns else None
    for part, table in tables(image, len(text)):
        write_scores(image[part], text, factor, table)
        own = table.diagonal(part.start).sum() if targets.rows is None else 0
        fast = None if large else compiled_slopes(table, shift)
        losses, slope = fast[:2] if fast else _slopes(part, table, shift, folded, large)
        totals.append(losses - own)
        slopes.append(slope)
        if gradients is not None:
            targets.subtract_own(table, part.start, 1.0)
            add_products(table, part, image, text, gradients, share)
            own_scale = (fast[2] - own) / len(text) if fast else inner(image[part], gradients[0][part])
            by_scale.append(own_scale)
    total = torch.stack(totals).sum()
    if not large and not total.isfinite():
        return _pairwise(image, text, scale, bias, targets, learns, large=True)
    total -= bias * targets.pairs(len(image))
    d_scale = torch.stack(by_scale).sum() if by_scale else torch.zeros_like(total)
    if targets.rows is not None:
        score = targets.score(image, text)
        total -= scale * score
        d_scale -= share * score
    if gradients is not None:
        targets.add_gradients(*gradients, image, text, -share)
    return total, torch.stack(slopes).sum(), d_scale, gradients


def _slopes(part: slice, table: Tensor, bias: float, folded: bool, large: bool) -> tuple[Tensor, Tensor]:
    """Replace scores by slopes of log(1 + e^z), z = s + bias; return the sums of both.

    Args:
        part: which rows of all they are.
        table: (N, G) scores s, which change.
        bias: of z.
        folded: whether e^s and e^-b are numbers each: the slope is e^s / (e^s + e^-b), without a pass for b.
        large: whether e^z is none.
    """
    totals, slopes, rest = [], [], bias if folded else 0.0
    for _, block, other in blocks(part, table):
        if bias != rest:
            block.add_(bias)
        if large:
            totals.append(torch.ops.aten.softplus(block, 1, 40, out=other).sum())
            slopes.append(block.sigmoid_().sum())
        else:
            totals.append(_sum_log1p(block.exp_(), other, math.exp(rest)))
            slopes.append(block.div_(torch.add(block, math.exp(-rest), out=other)).sum())
    return torch.stack(totals).sum(), torch.stack(slopes).sum()


def _sum_log1p(values: Tensor, memory: Tensor, factor: float) -> Tensor:
    """Return the sum of log(1 + f v) of values, v >= 0; infinite where a product of eight is too large.

    Logarithms cost most of it, and (1 + f a)(1 + f b) = 1 + f (a + b + f a b) needs one for two.

    Args:
        values: (N, G).
        memory: (N, G), which changes.
        factor: f, > 0.
    """
    halvings, count = 0, len(values)
    while halvings < 3 and count % 2 == 0:
        count //= 2
        one, two, out = values.narrow(0, 0, count), values.narrow(0, count, count), memory.narrow(0, 0, count)
        values, memory = (
            torch.add(one, two, out=out).addcmul_(one, two, value=factor),
            memory.narrow(0, count, count),
        )
        halvings += 1
    scaled = values.mul_(factor) if halvings else torch.mul(values, factor, out=memory)
    return scaled.log1p_().sum()
