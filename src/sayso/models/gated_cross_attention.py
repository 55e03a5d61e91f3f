"""Gated cross-attention: a block before a layer of a frozen language model, so that its text sees pictures.

    y += tanh(attn_gate) attention(y; pictures)
    y += tanh(ff_gate) feed_forward(y)

Gates begin at 0, so the language model begins as it was, bit for bit. A token sees the last picture before it
(or all of them); a token before the first one sees none, and attention then adds exactly 0.

Keys and values follow from the pictures alone: they are made once for all tokens of an answer (``keys``), and
what is generated sees the last picture, so R keys suffice (``KeysValues.last``). What is left of a token's
time is reading the feed-forward part's weights. ``block.bfloat16()`` halves these; what is added up keeps the
precision that the text comes in, as in mixed training.

Names of weights are those of OpenFlamingo's files; other dialects are renamed (``flamingo_dialects``).

Source
    Alayrac et al., NeurIPS 2022, section 3.2; ``GatedCrossAttentionBlock`` in helpers.py of
    https://github.com/mlfoundations/open_flamingo (2.0.1), which averages all pictures for tokens before
    the first one where ``only_attend_immediate_media`` is off: here they see nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from sayso.models.resampler import Linear, feed_forward, join_heads, split_heads

Attend = Literal["last", "all", "next"]


@dataclass(frozen=True, slots=True)
class KeysValues:
    """What a block's attention looks at: N pictures of R latents each, end to end.

    Args:
        k: (B, h, N R, d).
        v: (B, h, N R, d).
    """

    k: Tensor
    v: Tensor

    def last(self, counts: Tensor, latents: int) -> KeysValues:
        """Return each row's last picture alone, (B, h, R, d); a row without pictures keeps its first place.

        Args:
            counts: (B,) pictures of each row.
            latents: R.
        """
        first = (counts.clamp(min=1) - 1) * latents  # (B,)
        places = first[:, None] + torch.arange(latents, device=first.device)  # (B, R)
        places = places[:, None, :, None].expand(-1, self.k.shape[1], -1, self.k.shape[3])
        return KeysValues(self.k.gather(2, places), self.v.gather(2, places))

    def repeat(self, times: int) -> KeysValues:
        """Return each row so many times, one after the other, as beams lie."""
        if times == 1:
            return self
        return KeysValues(self.k.repeat_interleave(times, 0), self.v.repeat_interleave(times, 0))


@dataclass(frozen=True, slots=True)
class MediaMask:
    """Which pictures each token sees.

    Args:
        keys: (B, 1, T, N R) bool, or None: all that there are.
        seen: (B, T, 1) bool, whether a token sees any picture; None: all do.
    """

    keys: Tensor | None
    seen: Tensor | None


def picture_numbers(markers: Tensor, attend: Attend = "last") -> Tensor:
    """Return the picture that belongs to each token, from 1; 0: none.

    Args:
        markers: (B, T) bool, where a picture stands; a marker sees its own picture.
        attend: ``last``: the last one before it; ``all``: that one and those before; ``next``: the next
            one, as in half of Flamingo's training.

    Returns:
        (B, T) int64.
    """
    counts = markers.long().cumsum(1)
    if attend != "next":
        return counts
    following = counts - markers.long() + 1
    return torch.where(following > counts[:, -1:], 0, following)


def media_mask(numbers: Tensor, pictures: int, latents: int, attend: Attend = "last") -> MediaMask:
    """Return the mask of an attention to pictures.

    Args:
        numbers: (B, T) of ``picture_numbers``.
        pictures: N, the most that a row has.
        latents: R.
        attend: see ``picture_numbers``.
    """
    seen = (numbers > 0) & (numbers <= pictures)  # (B, T)
    everywhere = bool(seen.all())
    if pictures == 1:  # a token that sees nothing gets a finite something, times 0
        return MediaMask(None, None if everywhere else seen[..., None])
    each = torch.arange(1, pictures + 1, device=numbers.device)
    of_token = numbers[..., None]  # (B, T, 1)
    open_to = (each <= of_token) if attend == "all" else (each == of_token)  # (B, T, N)
    open_to = open_to | ~seen[..., None]  # no row of the softmax is empty; its result is taken times 0
    keys = open_to[:, None].repeat_interleave(latents, 3)  # (B, 1, T, N R)
    return MediaMask(keys, None if everywhere else seen[..., None])


class MaskedCrossAttention(nn.Module):
    """Text looks at pictures; no biases, and a norm on the text alone.

    Args:
        dim: W, of the text.
        dim_visual: D, of the pictures.
        heads: h.
        head_dim: d.
        norm: of the text; ``rms`` in Idefics.
        qk_norms: whether queries and keys are normalised, a head at a time (Idefics).
        eps: of the norms of kind ``rms``.
    """

    def __init__(
        self,
        dim: int,
        dim_visual: int,
        heads: int = 8,
        head_dim: int = 64,
        *,
        norm: Literal["layer", "rms"] = "layer",
        qk_norms: bool = False,
        eps: float = 1e-6,
    ) -> None:
        super().__init__()
        self.heads, inner = heads, heads * head_dim
        self.norm = nn.LayerNorm(dim) if norm == "layer" else nn.RMSNorm(dim, eps)
        self.to_q = Linear(dim, inner)
        self.to_kv = nn.Linear(dim_visual, 2 * inner, bias=False)
        self.to_out = Linear(inner, dim)
        self.q_norm = nn.RMSNorm(head_dim, eps) if qk_norms else nn.Identity()
        self.k_norm = nn.RMSNorm(head_dim, eps) if qk_norms else nn.Identity()

    def keys(self, media: Tensor) -> KeysValues:
        """Return keys and values of pictures (B, N, R, D)."""
        k, v = self.to_kv(media.flatten(1, 2)).chunk(2, -1)  # (B, N R, h d) each
        return KeysValues(self.k_norm(split_heads(k, self.heads)), split_heads(v, self.heads))

    def forward(self, y: Tensor, media: KeysValues, mask: Tensor | None) -> Tensor:
        """Return what the text sees, (B, T, W).

        Args:
            y: the text, (B, T, W).
            media: keys and values of N pictures' R tokens, (B, h, N R, d) each.
            mask: which tokens each word may see, (B, 1, T, N R) bool; None: all.
        """
        q = self.q_norm(split_heads(self.to_q(self.norm(y)), self.heads))  # (B, h, T, d)
        seen = F.scaled_dot_product_attention(q, media.k, media.v, attn_mask=mask)  # (B, h, T, d)
        out: Tensor = self.to_out(join_heads(seen))
        return out


class SwiGLU(nn.Module):
    """Idefics' feed-forward part: a norm, then ``down(silu(gate(x)) up(x))``.

    Args:
        dim: W.
        hidden: its hidden width.
        eps: of the norm.
    """

    def __init__(self, dim: int, hidden: int, eps: float = 1e-6) -> None:
        super().__init__()
        self.norm = nn.RMSNorm(dim, eps)
        self.gate = nn.Linear(dim, hidden, bias=False)
        self.up = nn.Linear(dim, hidden, bias=False)
        self.down = nn.Linear(hidden, dim, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(..., W) -> (..., W)."""
        x = self.norm(x)
        out: Tensor = self.down(F.silu(self.gate(x)) * self.up(x))
        return out


class GatedCrossAttention(nn.Module):
    """The block before a layer of the language model.

    Args:
        dim: W, width of the language model.
        dim_visual: D, width of the latents.
        heads: h.
        head_dim: d.
        multiple: hidden width of the feed-forward part over W.
        ff_everywhere: whether the feed-forward part acts on tokens that see no picture too, as published;
            otherwise text without pictures stays the language model's after training as well.
        dropout: share of what the block adds that is set to 0 in training.
        style: ``flamingo``, or ``idefics``: RMS norms and a gated feed-forward part of width ``hidden``.
        hidden: of ``idefics``.
        vector_gates: a gate for each of the W numbers rather than one (Idefics).
        qk_norms: see ``MaskedCrossAttention``.
        eps: of RMS norms.
    """

    def __init__(
        self,
        dim: int,
        dim_visual: int,
        *,
        heads: int = 8,
        head_dim: int = 64,
        multiple: int = 4,
        ff_everywhere: bool = True,
        dropout: float = 0.0,
        style: Literal["flamingo", "idefics"] = "flamingo",
        hidden: int = 0,
        vector_gates: bool = False,
        qk_norms: bool = False,
        eps: float = 1e-6,
    ) -> None:
        super().__init__()
        gates = dim if vector_gates else 1
        norm: Literal["layer", "rms"] = "layer" if style == "flamingo" else "rms"
        self.attn = MaskedCrossAttention(
            dim,
            dim_visual,
            heads,
            head_dim,
            norm=norm,
            qk_norms=qk_norms,
            eps=eps,
        )
        self.ff = feed_forward(dim, multiple) if style == "flamingo" else SwiGLU(dim, hidden, eps)
        self.attn_gate, self.ff_gate = nn.Parameter(torch.zeros(gates)), nn.Parameter(torch.zeros(gates))
        self.ff_everywhere, self.dropout = ff_everywhere, nn.Dropout(dropout)

    def keys(self, media: Tensor) -> KeysValues:
        """Return keys and values of pictures (B, N, R, D), for any number of calls."""
        return self.attn.keys(media)

    def forward(self, y: Tensor, media: KeysValues, mask: MediaMask) -> Tensor:
        """Return the text after the block.

        Args:
            y: (B, T, W), what goes into the layer.
            media: of ``keys``.
            mask: of ``media_mask``.

        Returns:
            (B, T, W).
        """
        own = self.ff_gate.dtype
        total = y.to(torch.promote_types(y.dtype, own))
        seen: Tensor = self.dropout(self.attn(total.to(own), media, mask.keys)) * self.attn_gate.tanh()
        total = total + (seen if mask.seen is None else seen * mask.seen)
        forward = self._forward(total)
        total = total + (forward if mask.seen is None or self.ff_everywhere else forward * mask.seen)
        return total.to(y.dtype)

    def without_pictures(self, y: Tensor) -> Tensor:
        """Return text without pictures (B, T, W) after the block, whose other half acts on it too."""
        total = y.to(torch.promote_types(y.dtype, self.ff_gate.dtype))
        return (total + self._forward(total)).to(y.dtype)

    def _forward(self, y: Tensor) -> Tensor:
        out: Tensor = self.dropout(self.ff(y.to(self.ff_gate.dtype))) * self.ff_gate.tanh()
        return out
