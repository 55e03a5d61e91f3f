"""What Flamingo puts into a language model: a resampler, gated blocks, and what they look at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from sayso.core.errors import SaysoError
from sayso.generators.trained_parts import TrainedParts
from sayso.models.gated_cross_attention import (
    Attend,
    GatedCrossAttention,
    KeysValues,
    MediaMask,
    media_mask,
)
from sayso.models.resampler import Resampler

if TYPE_CHECKING:
    from sayso.generators.language import LanguageModel


@dataclass(frozen=True, kw_only=True)
class FlamingoShape:
    """The numbers of a Flamingo; the defaults are those of OpenFlamingo.

    Args:
        dim: D, width of the latents.
        depth: layers of the resampler.
        heads: of its attention.
        head_dim: width of a head, in the resampler and in the blocks.
        latents: R, a picture.
        multiple: hidden width of the feed-forward parts over their width.
        block_heads: of the blocks' attention.
        layers: before which layers of the language model a block stands, from 0.
        dim_in: width of the visual tokens.
        project: whether a linear layer brings them to D; otherwise they have it.
        places: learned embeddings of the places of a frame; 0: none.
        frames: learned embeddings of the frames of a clip; 0: none.
        attend: whether text sees the ``last`` picture before it, or ``all``.
        ff_everywhere: see ``GatedCrossAttention``.
        dropout: in training.
    """

    dim: int = 1024
    depth: int = 6
    heads: int = 8
    head_dim: int = 64
    latents: int = 64
    multiple: int = 4
    block_heads: int = 8
    layers: tuple[int, ...] = ()
    dim_in: int = 1024
    project: bool = False
    places: int = 0
    frames: int = 0
    attend: Attend = "last"
    ff_everywhere: bool = True
    dropout: float = 0.0


class FlamingoNet(TrainedParts):
    """The resampler and the blocks; see ``TrainedParts``.

    Args:
        shape: its numbers.
        language: the frozen language model.

    Raises:
        SaysoError: if a block stands before a layer that the language model lacks.
    """

    def __init__(self, shape: FlamingoShape, language: LanguageModel) -> None:
        super().__init__(shape, language)
        wrong = [layer for layer in shape.layers if not 0 <= layer < len(language.layers)]
        if wrong or not shape.layers or list(shape.layers) != sorted(set(shape.layers)):
            raise SaysoError(
                f"blocks stand before layers 0 to {len(language.layers) - 1} of {language.name}, rising;"
                f" got {list(shape.layers)}"
            )
        self.resampler = Resampler(
            shape.dim,
            depth=shape.depth,
            heads=shape.heads,
            head_dim=shape.head_dim,
            latents=shape.latents,
            multiple=shape.multiple,
            frames=shape.frames,
            dim_in=shape.dim_in if shape.project else None,
            places=shape.places,
            dropout=shape.dropout,
        )
        self.blocks = nn.ModuleList(
            GatedCrossAttention(
                language.width,
                shape.dim,
                heads=shape.block_heads,
                head_dim=shape.head_dim,
                multiple=shape.multiple,
                ff_everywhere=shape.ff_everywhere,
                dropout=shape.dropout,
            )
            for _ in shape.layers
        )

    def resample(self, features: Sequence[Tensor]) -> Tensor:
        """Return the latents (n, R, D) of n pictures and clips, (F, V, D_in) each, of any F."""
        weight = self.resampler.latents
        if not features:
            return weight.new_zeros((0, *weight.shape))
        made: dict[int, Tensor] = {}
        for frames in {len(one) for one in features}:
            alike = [n for n, one in enumerate(features) if len(one) == frames]
            made |= dict(
                zip(
                    alike,
                    self.resampler(torch.stack([features[n] for n in alike]).to(weight.dtype)),
                    strict=True,
                )
            )
        return torch.stack([made[n] for n in range(len(features))])

    def forward(
        self, hidden: Tensor, features: Tensor | Sequence[Tensor], counts: Tensor, numbers: Tensor
    ) -> Tensor:
        """Return the language model's last hidden states, of what goes into the first layer with a block.

        Args:
            hidden: (B, T, W), of ``LanguageModel.lower``, without a graph.
            features: of the n pictures of all rows, (F, V, D_in) each.
            counts: (B,), pictures of each row; they sum to n.
            numbers: (B, T), the picture of each token, of ``picture_numbers``.

        Returns:
            (B, T, W).
        """
        seen = PicturesSeen(self, self.resample(list(features)), counts, numbers)
        with seen.by(self.language):
            found = self.language.upper(hidden, self.shape.layers[0])
        if len(features):
            return found
        nothing = 0 * sum(weight.sum() for weight in self.parameters())
        return found + nothing  # processes wait for the gradient of each


class PicturesSeen:
    """What the blocks look at while the language model runs, once or token by token.

    Keys and values are made once. A token in the cache's reach looks where its number says; what is
    generated looks at its row's last picture. Where beams are searched, each row's keys are repeated:
    no picture is encoded twice.

    Args:
        net: whose blocks.
        latents: (n, R, D) of all pictures of all rows.
        counts: (B,), pictures of each row.
        numbers: (B, P), the picture of each token of the prompts.
    """

    def __init__(self, net: FlamingoNet, latents: Tensor, counts: Tensor, numbers: Tensor) -> None:
        self.net, self.counts, self.numbers, self.past = net, counts, numbers, 0
        self.pictures = int(counts.max()) if len(counts) else 0
        self._keys = self._keys_of(latents) if self.pictures else []
        self._last: dict[int, list[KeysValues]] = {}
        self._masks: dict[tuple[int, int, int], MediaMask] = {}

    @contextmanager
    def by(self, language: LanguageModel) -> Iterator[None]:
        """Let a language model see, until the block ends."""
        if not self.pictures:
            places = self.net.shape.layers if self.net.shape.ff_everywhere else ()
            with language.before_layers(places, self._feed_forward):
                yield
            return
        with language.before_layers(self.net.shape.layers, self._block, self._begin):
            yield

    def _begin(self, past: int) -> None:
        self.past = past

    def _feed_forward(self, n: int, y: Tensor) -> Tensor:
        return self._blocks[n].without_pictures(y)

    def _block(self, n: int, y: Tensor) -> Tensor:
        times, asked = len(y) // len(self.counts), self.numbers.shape[1]
        if self.past >= asked and self.net.shape.attend == "last":
            keys, mask = self._last_keys(times)[n], self._last_mask(times)
        else:
            keys, mask = self._keys[n].repeat(times), self._mask(times, y.shape[1])
        out: Tensor = self._blocks[n](y, keys, mask)
        return out

    @property
    def _blocks(self) -> Sequence[GatedCrossAttention]:
        return cast("Sequence[GatedCrossAttention]", self.net.blocks)

    def _keys_of(self, latents: Tensor) -> list[KeysValues]:
        """Return the keys and values of each block, (B, h, N R, d): rows filled up with zeros."""
        B, N, (R, D) = len(self.counts), self.pictures, latents.shape[1:]
        if len(latents) == B * N:
            media = latents.reshape(B, N, R, D)
        else:
            media = latents.new_zeros(B, N, R, D)
            there = torch.arange(N, device=latents.device) < self.counts[:, None]  # (B, N)
            media[there] = latents
        return [block.keys(media) for block in self._blocks]

    def _last_keys(self, times: int) -> list[KeysValues]:
        if times not in self._last:
            R = self.net.shape.latents
            self._last[times] = [keys.last(self.counts, R).repeat(times) for keys in self._keys]
        return self._last[times]

    def _last_mask(self, times: int) -> MediaMask:
        seen = self.counts > 0
        return MediaMask(None, None if bool(seen.all()) else seen[:, None, None].repeat_interleave(times, 0))

    def _mask(self, times: int, length: int) -> MediaMask:
        """Return the mask of the tokens from ``past`` on; those after the prompts see as their last does."""
        key = (times, self.past, length)
        if key not in self._masks:
            more = max(0, self.past + length - self.numbers.shape[1])
            numbers = torch.cat([self.numbers, self.numbers[:, -1:].expand(-1, more)], 1)
            numbers = numbers[:, self.past : self.past + length].repeat_interleave(times, 0)
            R, attend = self.net.shape.latents, self.net.shape.attend
            self._masks = {key: media_mask(numbers, self.pictures, R, attend)}
        return self._masks[key]
