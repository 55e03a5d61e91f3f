"""What a frozen language model makes of texts below its first gated block: once for texts that come again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor

from sayso.core.errors import SaysoError

if TYPE_CHECKING:
    from sayso.generators.language import LanguageModel

_AT_ONCE = 64


class TextsBelow:
    """Hidden states below a layer, without a graph.

    Args:
        language: the frozen language model.
        layer: the first with a block before it.

    Raises:
        SaysoError: if its layers cannot be run in parts.
    """

    def __init__(self, language: LanguageModel, layer: int) -> None:
        if not language.splits:
            raise SaysoError(
                f"the language model {language.name} is of the kind {language.family}, which cannot be"
                " trained on; take one of LLaMA's, Mistral's, Qwen2's or GPT-NeoX's kind"
            )
        self.language, self.layer = language, layer
        self._kept: dict[tuple[int, ...], Tensor] = {}

    def keep(self, rows: Sequence[Sequence[int]]) -> None:
        """Run texts, given by their tokens, and keep what comes out; 2.3 KB a token at width 576."""
        todo = sorted({tuple(row) for row in rows}, key=lambda row: (len(row), row))
        for start in range(0, len(todo), _AT_ONCE):
            part = todo[start : start + _AT_ONCE]
            ids = torch.full((len(part), len(part[-1])), self.language.markers.end)
            for b, row in enumerate(part):
                ids[b, : len(row)] = torch.tensor(row)
            hidden = self.language.lower(ids.to(self.language.device), self.layer).cpu()
            self._kept |= {_key(row): one[: len(row)].clone() for row, one in zip(part, hidden, strict=True)}

    def __call__(self, ids: Tensor) -> Tensor:
        """Return what goes into the layer, (B, T, W), of tokens (B, T) filled up with the mark of the end."""
        if self.language.device != ids.device:
            self.language.model.to(ids.device)
        known = [self._kept.get(_key(row)) for row in ids.tolist()] if self._kept else [None]
        if any(one is None for one in known):
            return self.language.lower(ids, self.layer)
        hidden = torch.zeros(*ids.shape, self.language.width, dtype=self.language.dtype)
        for b, one in enumerate(cast("list[Tensor]", known)):
            hidden[b, : len(one)] = one[: ids.shape[1]]
        return hidden.to(ids.device)


def _key(row: Sequence[int]) -> tuple[int, ...]:
    """Return a row of tokens without what fills it up at its end, which is its last token again."""
    end = len(row)
    while end > 1 and row[end - 1] == row[end - 2]:
        end -= 1
    return tuple(row[:end])
