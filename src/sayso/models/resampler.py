"""The Perceiver resampler: any number of visual tokens become R, learned latents that look at them.

    latents += attention(queries of the latents; keys and values of visual tokens and latents)
    latents += feed_forward(latents)          ... depth times, then a norm

Names of weights are those of OpenFlamingo's files; other dialects are renamed (``flamingo_dialects``).

Source
    Alayrac et al., NeurIPS 2022, section 3.1 and appendix A.1.1; ``PerceiverResampler`` in helpers.py of
    https://github.com/mlfoundations/open_flamingo (2.0.1).
"""

from __future__ import annotations

from typing import Literal, cast

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

Activation = Literal["gelu", "relu"]


class Linear(nn.Linear):
    """A layer without bias. In bfloat16 on a CPU, one row goes by a product of matrix and vector.

    torch's general product reads the weights no faster in bfloat16 than in float32; this one takes half the
    bytes and, measured, a third of the time.
    """

    def __init__(self, dim_in: int, dim_out: int) -> None:
        super().__init__(dim_in, dim_out, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(..., dim_in) -> (..., dim_out)."""
        one = x.numel() == self.in_features and not (torch.is_grad_enabled() and x.requires_grad)
        if one and x.dtype == torch.bfloat16 and x.device.type == "cpu":
            return torch.mv(self.weight, x.reshape(-1)).reshape(*x.shape[:-1], -1)
        return super().forward(x)


def feed_forward(dim: int, multiple: int = 4, activation: Activation = "gelu") -> nn.Sequential:
    """Return norm, linear, activation, linear: (..., D) -> (..., D).

    Args:
        dim: D.
        multiple: the hidden width over D.
        activation: ``gelu`` is the exact one.
    """
    return nn.Sequential(
        nn.LayerNorm(dim),
        Linear(dim, multiple * dim),
        nn.GELU() if activation == "gelu" else nn.ReLU(),
        Linear(multiple * dim, dim),
    )


def split_heads(x: Tensor, heads: int) -> Tensor:
    """Return (..., L, h d) as (..., h, L, d)."""
    return x.reshape(*x.shape[:-1], heads, -1).transpose(-3, -2)


def join_heads(x: Tensor) -> Tensor:
    """Return (..., h, L, d) as (..., L, h d)."""
    return x.transpose(-3, -2).flatten(-2)


class PerceiverAttention(nn.Module):
    """Latents look at visual tokens and at each other; no biases.

    Args:
        dim: D, of both.
        heads: h.
        head_dim: d.
        qk_norms: whether queries and keys are normalised, a head at a time (Idefics).
    """

    def __init__(self, dim: int, heads: int = 8, head_dim: int = 64, *, qk_norms: bool = False) -> None:
        super().__init__()
        self.heads, inner = heads, heads * head_dim
        self.norm_media, self.norm_latents = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.to_q = nn.Linear(dim, inner, bias=False)
        self.to_kv = nn.Linear(dim, 2 * inner, bias=False)
        self.to_out = nn.Linear(inner, dim, bias=False)
        self.q_norm = nn.LayerNorm(head_dim) if qk_norms else nn.Identity()
        self.k_norm = nn.LayerNorm(head_dim) if qk_norms else nn.Identity()

    def forward(self, media: Tensor, latents: Tensor) -> Tensor:
        """Return what is added to the latents: (B, V, D), (B, R, D) -> (B, R, D)."""
        latents = self.norm_latents(latents)
        both = torch.cat([self.norm_media(media), latents], 1)  # (B, V + R, D)
        k, v = self.to_kv(both).chunk(2, -1)  # (B, V + R, h d) each
        q = self.q_norm(split_heads(self.to_q(latents), self.heads))  # (B, h, R, d)
        k = self.k_norm(split_heads(k, self.heads))  # (B, h, V + R, d)
        seen = F.scaled_dot_product_attention(q, k, split_heads(v, self.heads))  # (B, h, R, d)
        out: Tensor = self.to_out(join_heads(seen))
        return out


class Resampler(nn.Module):
    """Visual tokens of pictures and clips to R latents each.

    Args:
        dim: D, of the latents; as published also of the visual tokens.
        depth: layers.
        heads: of each layer's attention.
        head_dim: width of a head.
        latents: R.
        multiple: hidden width of the feed-forward parts over D.
        frames: how many frames have learned time embeddings; 0 as in the released models: none.
        media: how many pictures of a text have learned embeddings; 0 as released: none.
        dim_in: width of the visual tokens where that is not D: a norm and a linear layer come first.
        places: how many tokens of a frame have learned place embeddings, which a convolutional
            backbone's need.
        activation: of the feed-forward parts.
        qk_norms: see ``PerceiverAttention``.
        dropout: share of what the layers add that is set to 0 in training.
    """

    def __init__(
        self,
        dim: int,
        *,
        depth: int = 6,
        heads: int = 8,
        head_dim: int = 64,
        latents: int = 64,
        multiple: int = 4,
        frames: int = 0,
        media: int = 0,
        dim_in: int | None = None,
        places: int = 0,
        activation: Activation = "gelu",
        qk_norms: bool = False,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.latents = nn.Parameter(torch.randn(latents, dim))
        self.frame_embs = nn.Parameter(torch.randn(frames, dim)) if frames else None
        self.media_time_embs = nn.Parameter(torch.randn(media, 1, dim)) if media else None
        self.place_embs = nn.Parameter(torch.randn(places, dim) * 0.02) if places else None
        self.project = (
            nn.Identity() if dim_in is None else nn.Sequential(nn.LayerNorm(dim_in), nn.Linear(dim_in, dim))
        )
        self.layers = nn.ModuleList(
            nn.ModuleList(
                [
                    PerceiverAttention(dim, heads, head_dim, qk_norms=qk_norms),
                    feed_forward(dim, multiple, activation),
                ]
            )
            for _ in range(depth)
        )
        self.norm, self.dropout = nn.LayerNorm(dim), nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Return the latents of pictures or clips.

        Args:
            x: (..., F, V, D_in), V visual tokens of each of F frames; with media embeddings
                (B, N, F, V, D_in), N pictures of a text.

        Returns:
            (..., R, D).
        """
        x = self.project(x)
        if self.place_embs is not None:
            x = x + self.place_embs[: x.shape[-2]]
        if self.frame_embs is not None:
            x = x + self.frame_embs[: x.shape[-3], None]
        before = x.shape[:-3]
        x = x.flatten(-3, -2)  # (..., F V, D)
        if self.media_time_embs is not None:
            x = x + self.media_time_embs[: x.shape[-3]]
        x = x.flatten(0, -3) if before else x[None]  # (B N, F V, D)
        latents = self.latents.expand(len(x), -1, -1)  # (B N, R, D)
        for layer in self.layers:
            attention, forward = cast("nn.ModuleList", layer)
            latents = latents + self.dropout(attention(x, latents))
            latents = latents + self.dropout(forward(latents))
        out: Tensor = self.norm(latents)
        return out.reshape(*before, *out.shape[1:])
