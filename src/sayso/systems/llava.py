"""LLaVA: what a picture tower sees becomes words of a language model, from captions and then from dialogues.

Nothing is put into the language model: two layers make tokens of what a frozen picture tower sees, and these
stand in the text where the picture does. First only the two layers learn, from captioned pictures; then they
and, where there is the time, the language model learn to answer, from dialogues about pictures.

    picture:  tower (frozen) -> V tokens, averaged to P -> two layers -> P tokens of width W
    text:     <P tokens> Output: a cat                     stage 1, captions
              <P tokens> Question: ... Short answer: ...   stage 2, dialogues
    loss:     mean over the words of answers of  - log p(word | pictures, all that was said before)

The same step serves both stages; what they learn from, and whether the language model learns, differs:

    sayso train llava CAPTIONS --recipe llava --out runs/stage1
    sayso train llava DIALOGUES --init runs/stage1 --set train_language_model=true --out runs/stage2

The tower sees each picture once, before training. Afterwards the model answers (``sayso.generators``): a
caption, a question, a dialogue.

Sources
    [1] Liu et al., NeurIPS 2023, Visual Instruction Tuning. https://arxiv.org/abs/2304.08485
    [2] Liu et al., CVPR 2024, LLaVA 1.5: two layers, 1e-3 and then 2e-5. https://arxiv.org/abs/2310.03744
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from torch import Tensor, nn

from sayso.core.errors import SaysoError
from sayso.data.batch import Batch, Example
from sayso.data.dialogues import (
    CaptionDialogues,
    DialogueDataset,
    DialogueFile,
    Dialogues,
    holds_dialogues,
)
from sayso.data.picture_pairs import read_picture_pairs
from sayso.encoders.backbones import load_backbone
from sayso.engine.system import LossesMethod
from sayso.engine.training_config import TrainingConfig
from sayso.generators.language import load_language_model
from sayso.generators.llava import Llava, LlavaNet, LlavaShape, marks_each
from sayso.generators.prompt import LEAD, TEMPLATES, spell_answer, spell_question, template_of
from sayso.generators.saved import load_exactly
from sayso.generators.tower_features import TowerFeatures
from sayso.generators.word_losses import batch_of_words, pictures_of, word_losses

if TYPE_CHECKING:
    from sayso.core.progress import Progress
    from sayso.data.dialogues import Turn
    from sayso.engine.tensor_batch import TensorBatch


@dataclass(frozen=True, kw_only=True)
class Recipe(TrainingConfig):
    """The options of a run; a small model on a small language model, which learns in minutes.

    Args:
        language_model: ``smollm2``, a folder, or a hub id.
        backbone: the picture tower, see ``load_backbone``; frozen.
        init: a LLaVA to go on from, a folder or a run: the second stage begins with the first one's layers.
        train_language_model: whether it learns too, as in the second stage as published; else it is frozen.
        size: side of the square that the tower is shown, pixels.
        views: of each picture that are made beforehand, the whole and parts of it.
        grid: side of the square to which visual tokens are averaged; as published 0, all of them. What a
            picture costs in the language model goes with their number.
        hidden: width between the two layers; 0: the language model's.
        dropout: of the picture's tokens, in training.
        max_tokens: of a dialogue, a picture counting as one; what is longer is cut.
        features: folder of the tower's features, to share them among runs; the run's own unless given.
    """

    language_model: str = "smollm2"
    backbone: str = "lite0"
    init: str = ""
    train_language_model: bool = False
    size: int = 224
    views: int = 2
    grid: int = 3
    hidden: int = 0
    dropout: float = 0.1
    max_tokens: int = 256
    features: str | None = None
    batch_size: int = 32
    lr: float = 1e-3
    warmup: int = 20
    clip_norm: float = 1.0
    steps: int = 500


class LlavaMethod(LossesMethod):
    """The method, as the training loop sees it.

    Args:
        recipe: how.
        dialogues: about pictures; a caption is a dialogue of one turn.
        folder: of the run, where the tower's features are kept unless the recipe says where.
        progress: updated with how many pictures the tower was run on.
    """

    def __init__(self, recipe: Recipe, dialogues: Dialogues, folder: Path, progress: Progress) -> None:
        self.recipe, self.backbone = recipe, load_backbone(recipe.backbone)
        self.language = load_language_model(recipe.language_model)
        kept = Path(recipe.features).expanduser() if recipe.features is not None else folder
        look = TowerFeatures(
            dialogues, self.backbone, kept, size=recipe.size, views=recipe.views, progress=progress
        )
        self.dataset = DialogueDataset(dialogues, look)
        torch.manual_seed(recipe.seed)
        self.model = LlavaNet(self._shape(), self.language)
        if recipe.init:
            self._begin_with(recipe.init)

    def collate(self, examples: Sequence[Example]) -> Batch:
        """Return tokens, labels and pictures of B dialogues; see ``batch_of_words``.

        Each picture has as many marks as it takes tokens; answers and their ends are to be predicted.
        """
        rows, labels, shown = [], [], []
        for one in examples:
            row, label = self.tokens_of(one["turns"])
            pictures = one["pictures"][: row.count(self.language.markers.image)]
            times = marks_each(row, self.language.markers.image, [self.model.words(len(f)) for f in pictures])
            rows.append(np.repeat(row, times))
            labels.append(np.repeat(label, times))
            shown.append(pictures)
        return batch_of_words(rows, labels, shown, self.language.markers.end)

    def tokens_of(self, turns: Sequence[Turn]) -> tuple[list[int], list[bool]]:
        """Return a dialogue as tokens, one for each picture, and whether each is of an answer."""
        row, label = self.language.encode(""), [False] * len(self.language.encode(""))
        for n, (asked, answer) in enumerate(turns):
            template = template_of(asked)
            question = TEMPLATES[template].between * (n > 0) + spell_question(asked, template)
            for text, learned in ((question, False), (spell_answer(answer), True)):
                tokens = self.language.encode(text, begin=False)
                row += tokens
                label += [learned] * len(tokens)
        return row[: self.recipe.max_tokens], label[: self.recipe.max_tokens]

    def losses(self, model: nn.Module, batch: TensorBatch) -> dict[str, tuple[Tensor, Tensor]]:
        """Return the loss, summed over the words of answers, and the number of these."""
        hidden = model(batch["ids"], pictures_of(batch), batch["frames_counts"])
        each, _ = word_losses(self.model.language, hidden, batch["ids"], batch["labels"])
        return {"answers": (each.sum(), batch["labels"].sum())}

    def export(self, model: nn.Module, card: str = "") -> Llava:
        """Return a copy of what was trained, with the frozen parts, on the CPU."""
        net = cast("LlavaNet", copy.deepcopy(model))
        return Llava(net, self.backbone, size=self.recipe.size, lead=LEAD, device="cpu", card=card)

    def _shape(self) -> LlavaShape:
        recipe = self.recipe
        return LlavaShape(
            dim_in=self.backbone.dim,
            places=(recipe.size // self.backbone.stride) ** 2,
            grid=recipe.grid,
            hidden=recipe.hidden,
            dropout=recipe.dropout,
            owns_language=recipe.train_language_model,
        )

    def _begin_with(self, init: str) -> None:
        """Take over the weights of another LLaVA.

        Raises:
            SaysoError: if it is of other parts, or of another shape.
        """
        before = Llava.from_pretrained(init, device="cpu")
        parts = (before.language.sha256, before.backbone.name)
        if parts != (self.language.sha256, self.backbone.name):
            raise SaysoError(
                f"{init} is of {before.language.name} and {before.backbone.name}, the recipe of"
                f" {self.language.name} and {self.backbone.name}; give the same language model and backbone"
            )
        if before.net.shape.owns_language and not self.recipe.train_language_model:
            raise SaysoError(f"{init} has a language model of its own; set train_language_model=true")
        weights = dict(self.model.named_parameters()) | dict(before.net.named_parameters())
        load_exactly(self.model, weights, init)


class _System:
    name = "llava"
    description = "What a picture tower sees becomes words of a language model, from captions and dialogues."
    recipe = Recipe
    evaluator = "caption-choice"

    def read(self, path: Path, recipe: Recipe, progress: Progress) -> Dialogues:  # noqa: ARG002
        """Return dialogues in LLaVA's format, or captioned pictures: a folder, shards, a manifest, ..."""
        if holds_dialogues(path):
            return DialogueFile(path)
        return CaptionDialogues(read_picture_pairs(path, progress))

    def build(self, recipe: Recipe, data: Dialogues, folder: Path, progress: Progress) -> LlavaMethod:
        """Return the method for dialogues or captions."""
        return LlavaMethod(recipe, data, folder, progress)


SYSTEM = _System()
