"""Contrastive losses of pictures and texts, exactly, for any batch: the B x B scores are never whole.

With s_ij = e^t <image_i, text_j>, r_i = log sum_j e^s_ij, c_j = log sum_i e^s_ij, and P_ij the share of
text j in what is right for picture i (the identity, if each has one text),

    softmax    L = 1/B [ 1/2 sum_i (r_i + c_i) - sum_ij P_ij s_ij ]
    sigmoid    L = 1/B [ sum_ij log(1 + e^(s_ij + b)) - sum_ij [P_ij > 0] (s_ij + b) ]

The first is CLIP's [1]. ALIGN [2] smooths the labels, P = (1 - e) I + e / B; for Florence [3] several
texts are right for a picture, P_ij = [l_i = l_j] / |{k: l_k = l_i}|. Both are linear in the scores, and
cost sums over rows (``pair_targets``). The second is SigLIP's [4].

Scores are computed some rows at a time: once for r and c, and again for the gradients, unless they fit
into ``keep_bytes``; the sigmoid's gradients follow from a score at once. One exponential a score serves
rows and columns, e^(s_ij - z) with a single z, chosen so that the largest score there can be, by the norms,
does not overflow. Where the sum of a row or column is then next to nothing, which scores of unit vectors
are not, each gets an exponential of its own. As the loss depends on e^t image alone, its derivative by t is
the sum of <image_i, dL/dimage_i>.

Several processes hold their rows of s, against the texts of all.

Sources
    [1] Radford et al., ICML 2021, figure 3. https://arxiv.org/abs/2103.00020
    [2] Jia et al., ICML 2021, section 4. https://arxiv.org/abs/2102.05918
    [3] Yuan et al. 2021, equation (1). https://arxiv.org/abs/2111.11432
    [4] Zhai et al., ICCV 2023, algorithm 1. https://arxiv.org/abs/2303.15343
"""

from __future__ import annotations

import math
from typing import Any, Literal

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from sayso.core.distributed import gather, largest_of_all, sum_of_all
from sayso.losses.pair_targets import PairTargets, inner
from sayso.losses.score_tables import add_products, blocks, tables, write_scores
from sayso.losses.sigmoid_pairs import sigmoid_pairs

ContrastiveKind = Literal["softmax", "sigmoid"]


def contrastive(
    image: Tensor,
    text: Tensor,
    log_scale: Tensor,
    *,
    bias: Tensor | None = None,
    kind: ContrastiveKind = "softmax",
    smoothing: float = 0.0,
    labels: Tensor | None = None,
    keep_bytes: int = 64 << 20,
) -> Tensor:
    """Return the loss of the pairs of all processes, a scalar, the same in each; float32 or float64.

    Args:
        image: (B, D) this process's embeddings of pictures, floating point, of unit norm in the sources.
        text: (B, D) those of their texts.
        log_scale: t, (), the logarithm of 1 / temperature.
        bias: b, (), of the sigmoid; None: 0.
        kind: ``softmax`` or ``sigmoid``.
        smoothing: e, 0 to 1, the share of the right texts that is spread over all; of the softmax.
        labels: (B,) integers: texts of pictures with the same label are right too; None: all differ.
        keep_bytes: scores are kept for the backward pass of the softmax where B x B of them fit.

    Raises:
        ValueError: if the shapes disagree, or an option is not of this kind.
    """
    _check(image, text, labels)
    dtype = torch.promote_types(torch.promote_types(image.dtype, text.dtype), torch.float32)
    rows, columns, t = image.to(dtype), gather(text.to(dtype)), log_scale.to(dtype)
    with torch.autocast(image.device.type, enabled=False):
        if kind == "softmax" and bias is None and 0 <= smoothing <= 1:
            targets = PairTargets.of(labels, len(rows), columns, mean=True, smoothing=smoothing)
            loss: Tensor = _Softmax.apply(rows, columns, t, targets, keep_bytes)  # type: ignore[no-untyped-call]
        elif kind == "sigmoid" and smoothing == 0:
            targets = PairTargets.of(labels, len(rows), columns, mean=False)
            b = torch.zeros_like(t) if bias is None else bias.to(dtype)
            loss = sigmoid_pairs(rows, columns, t, b, targets)
        else:
            raise ValueError(
                "kind must be softmax, with a smoothing from 0 to 1, or sigmoid, with a bias; "
                f"got {kind!r}, smoothing {smoothing}, bias {bias}"
            )
    return loss


def _check(image: Tensor, text: Tensor, labels: Tensor | None) -> None:
    rows = image.shape[:1]
    if image.ndim != 2 or image.shape != text.shape or (labels is not None and labels.shape != rows):
        shapes = [tuple(t.shape) for t in (image, text, labels) if t is not None]
        raise ValueError(f"contrastive needs image and text (B, D) and labels (B,); got {shapes}")


class _Softmax(torch.autograd.Function):
    """The loss of B rows of scores, this process's, of G columns."""

    @staticmethod
    def forward(
        ctx: Any, image: Tensor, text: Tensor, log_scale: Tensor, targets: PairTargets, keep_bytes: int
    ) -> Tensor:
        scale, (B, G) = log_scale.exp(), (len(image), len(text))
        keep = any(ctx.needs_input_grad) and B * G * image.element_size() <= keep_bytes
        kept = image.new_empty(B, G) if keep else None
        shift = _shift(image, text, scale)
        row, column = _sums(image, text, scale, shift, kept)
        limits, least = torch.finfo(row.dtype), largest_of_all(-torch.minimum(row.min(), column.min()))
        ctx.once, ctx.targets = bool(-least >= G * limits.tiny / limits.eps), targets
        if ctx.once:
            ctx.save_for_backward(image, text, scale, 1 / row, 1 / column, shift)
            log_z = row.log() + shift, column.log() + shift
        else:
            log_z = _log_z(image, text, scale)
            ctx.save_for_backward(image, text, scale, *log_z, shift)
            kept = None
        ctx.kept = kept
        own = log_z[0].sum() / 2 - scale * targets.score(image, text)
        return (sum_of_all(own) + log_z[1].sum() / 2) / G

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        image, text, scale, row, column, shift = ctx.saved_tensors
        kept, ctx.kept = ctx.kept, None  # its memory becomes the slopes'; another pass computes it again
        factor, shifted = float(scale), bool(shift > 0)
        share = float(sum_of_all(gradient)) * factor / (2 * len(text))
        d_image, d_text = torch.empty_like(image), torch.empty_like(text)
        with torch.autocast(image.device.type, enabled=False):
            for part, table in tables(image, len(text), kept):
                if kept is None:
                    write_scores(image[part], text, factor, table)
                for rows, block, other in blocks(part, table):
                    if ctx.once:
                        torch.add(row[rows, None], column, out=other)
                        if kept is None:
                            (block.sub_(shift) if shifted else block).exp_()
                        block.mul_(other)
                    else:
                        torch.sub(block, column, out=other).exp_()
                        block.sub_(row[rows, None]).exp_().add_(other)
                ctx.targets.subtract_own(table, part.start, 2.0)
                add_products(table, part, image, text, (d_image, d_text), share)
            ctx.targets.add_gradients(d_image, d_text, image, text, -2.0 * share)
            return d_image, d_text, inner(image, d_image), None, None


def _shift(image: Tensor, text: Tensor, scale: Tensor) -> Tensor:
    """Return z: what to subtract from all scores so that the sum of G exponentials is a number, (), >= 0."""
    largest = scale * largest_of_all(_norms(image).max()) * _norms(text).max()
    return (largest - (math.log(torch.finfo(image.dtype).max / len(text)) - 10)).clamp_min(0)


def _sums(
    image: Tensor, text: Tensor, scale: Tensor, shift: Tensor, kept: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Return the sums of e^(s - shift) over rows, (B,), and columns, (G,); ``kept`` gets them all."""
    row, column = image.new_empty(len(image)), image.new_zeros(len(text))
    factor, shifted = float(scale), bool(shift > 0)
    for part, table in tables(image, len(text), kept):
        write_scores(image[part], text, factor, table)
        for rows, block, _ in blocks(part, table):
            row[rows] = (block.sub_(shift) if shifted else block).exp_().sum(1)
            column += block.sum(0)
    return row, sum_of_all(column)


def _log_z(image: Tensor, text: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
    """Return r (B,) and c (G,) of scores of any size."""
    row, column = image.new_empty(len(image)), image.new_zeros(len(text))
    most = torch.full_like(column, -torch.inf)
    for part, table in tables(image, len(text)):
        write_scores(image[part], text, float(scale), table)
        row[part] = table.logsumexp(1)
        before, most = most, torch.maximum(most, table.amax(0))
        column.mul_((before - most).exp_()).add_(table.sub_(most).exp_().sum(0))
    before, most = most, largest_of_all(most)
    return row, sum_of_all(column.mul_((before - most).exp_())).log_().add_(most)


def _norms(embeddings: Tensor) -> Tensor:
    norms: Tensor = torch.linalg.vector_norm(embeddings, dim=1)
    return norms
