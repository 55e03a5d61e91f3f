"""LLaVA as it is used: what a picture tower sees stands as tokens among the words of a language model.

Source
    [1] Liu et al., NeurIPS 2023, Visual Instruction Tuning. https://arxiv.org/abs/2304.08485
    [2] Liu et al., CVPR 2024, LLaVA 1.5 (two layers between them). https://arxiv.org/abs/2310.03744
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from sayso.core.errors import SaysoError
from sayso.generators.language import LanguageModel
from sayso.generators.trained_parts import Seen, TrainedParts
from sayso.generators.visual_language import VisualLanguageModel


@dataclass(frozen=True, kw_only=True)
class LlavaShape:
    """The numbers of a LLaVA.

    Args:
        dim_in: D, width of the visual tokens.
        places: V, visual tokens of a frame: a square grid, row by row.
        grid: side of the square that they are averaged to before they become words; 0: as they are.
        hidden: width between the two layers; 0: the language model's.
        dropout: of the tokens, in training.
        owns_language: whether the language model is trained too, and saved with the rest.
    """

    dim_in: int
    places: int
    grid: int = 0
    hidden: int = 0
    dropout: float = 0.0
    owns_language: bool = False

    def __post_init__(self) -> None:
        side = round(self.places**0.5)
        if side**2 != self.places or self.grid > side:
            raise SaysoError(
                f"grid must be at most {side}, the side of the {self.places} visual tokens; got {self.grid}"
            )


class LlavaNet(TrainedParts):
    """Two layers from visual tokens to embeddings of words, and the language model if that is trained too.

    A norm comes first, since towers differ in scale, and the second layer begins with outputs as large as
    the embeddings of words are.

    Args:
        shape: its numbers.
        language: the language model.
    """

    def __init__(self, shape: LlavaShape, language: LanguageModel) -> None:
        super().__init__(shape, language, owns_language=shape.owns_language)
        hidden, width = shape.hidden or language.width, language.width
        last = nn.Linear(hidden, width)
        self.project = nn.Sequential(
            nn.LayerNorm(shape.dim_in), nn.Linear(shape.dim_in, hidden), nn.GELU(), last
        )
        self.dropout = nn.Dropout(shape.dropout)
        scale = language.model.get_input_embeddings().weight.std()
        with torch.no_grad():
            last.weight.normal_(std=float(scale) / (0.5 * hidden) ** 0.5)  # of what GELU lets through
            last.bias.zero_()

    def words(self, frames: int) -> int:
        """Return how many tokens a picture of one frame, or a clip of several, takes: F P."""
        of_frame: int = self.shape.grid**2 or self.shape.places
        return frames * of_frame

    def tokens(self, features: Sequence[Tensor]) -> list[Tensor]:
        """Return pictures and clips, (F, V, D) each, as tokens of the text, (F P, W) each."""
        if not features:
            return []
        frames = torch.cat(list(features))  # (n, V, D)
        if self.shape.grid:
            side = round(self.shape.places**0.5)
            maps = frames.transpose(1, 2).reshape(len(frames), -1, side, side)
            frames = F.adaptive_avg_pool2d(maps, self.shape.grid).flatten(2).transpose(1, 2)  # (n, P, D)
        made = self.dropout(self.project(frames))
        return [part.flatten(0, 1) for part in torch.split(made, [len(one) for one in features])]

    def forward(self, ids: Tensor, features: Sequence[Tensor], counts: Tensor) -> Tensor:
        """Return the language model's last hidden states (B, T, W).

        Args:
            ids: (B, T), padded on the right; each picture has as many marks as it takes tokens.
            features: of the pictures of all rows, (F, V, D) each.
            counts: (B,), pictures of each row.
        """
        language = self.language
        if language.device != ids.device:  # a frozen one is not moved with what is trained
            language.model.to(ids.device)
        if not features:
            return language.hidden(ids) + 0 * sum(weight.sum() for weight in self.project.parameters())
        with PicturesAmongWords(self.tokens(features), counts.tolist()).by(language):
            return language.hidden(ids)


class PicturesAmongWords:
    """Tokens of pictures in the place of their marks.

    Args:
        tokens: (F P, W) of each picture, of all rows.
        counts: pictures of each row.
    """

    def __init__(self, tokens: Sequence[Tensor], counts: Sequence[int]) -> None:
        remaining = iter(tokens)
        self.rows = [list(islice(remaining, count)) for count in counts]

    @contextmanager
    def by(self, language: LanguageModel) -> Iterator[None]:
        """Let a language model see, until the block ends.

        Where it is given each row several times, one after the other, as beams lie, each time sees the same.
        """

        def put(module: nn.Module, inputs: tuple[Tensor, ...], out: Tensor) -> Tensor:  # noqa: ARG001
            marks = inputs[0] == language.markers.image  # (B, T)
            if not bool(marks.any()):  # a token that was generated
                return out
            times = len(marks) // len(self.rows)
            told = torch.cat([one for row in self.rows for _ in range(times) for one in row])
            return out.masked_scatter(marks[..., None], told.to(out.dtype))

        handle = language.model.get_input_embeddings().register_forward_hook(put)
        try:
            yield
        finally:
            handle.remove()


def marks_each(row: Sequence[int], image: int, words: Iterable[int]) -> list[int]:
    """Return how often each token is to stand: a mark as often as its picture has tokens, the others once.

    Args:
        row: tokens.
        image: the mark.
        words: tokens of each picture, in the order of their marks.
    """
    of_picture = iter(words)
    return [next(of_picture) if token == image else 1 for token in row]


class Llava(VisualLanguageModel):
    """A trained LLaVA; see ``VisualLanguageModel``."""

    kind, called = "llava", "LLaVA"
    net_class, shape_class = LlavaNet, LlavaShape
    net: LlavaNet

    def see(
        self, rows: list[list[int]], features: list[Tensor], counts: Tensor
    ) -> tuple[Tensor, Tensor, Seen]:
        """Return tokens with room for the pictures, and what stands there; see ``VisualLanguageModel.see``.

        Args:
            rows: B prompts as tokens.
            features: of all pictures and clips.
            counts: (B,).
        """
        words = iter([self.net.words(len(one)) for one in features])
        image = self.language.markers.image
        spread = [np.repeat(row, marks_each(row, image, words)).tolist() for row in rows]
        return *self._padded(spread), PicturesAmongWords(self.net.tokens(features), counts.tolist())
