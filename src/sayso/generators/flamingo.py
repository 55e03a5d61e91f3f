"""Flamingo as it is used: a frozen language model that sees pictures through gated blocks.

Keys and values of the pictures are made once an answer.

Source
    Alayrac et al., NeurIPS 2022. https://arxiv.org/abs/2204.14198
"""

from __future__ import annotations

from torch import Tensor

from sayso.generators.conditioning import FlamingoNet, FlamingoShape, PicturesSeen
from sayso.generators.trained_parts import Seen
from sayso.generators.visual_language import VisualLanguageModel
from sayso.models.gated_cross_attention import picture_numbers


class Flamingo(VisualLanguageModel):
    """A trained Flamingo; see ``VisualLanguageModel``."""

    kind, called = "flamingo", "Flamingo"
    net_class, shape_class = FlamingoNet, FlamingoShape
    net: FlamingoNet

    def see(
        self, rows: list[list[int]], features: list[Tensor], counts: Tensor
    ) -> tuple[Tensor, Tensor, Seen]:
        """Return the tokens as they are, and what the blocks look at; see ``VisualLanguageModel.see``.

        Args:
            rows: B prompts as tokens.
            features: of all pictures and clips.
            counts: (B,).
        """
        ids, mask = self._padded(rows)
        numbers = picture_numbers(ids == self.language.markers.image)
        return ids, mask, PicturesSeen(self.net, self.net.resample(features), counts, numbers)
