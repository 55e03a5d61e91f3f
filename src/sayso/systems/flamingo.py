"""Flamingo: a frozen language model learns to see through gated blocks, from pages of pictures and words.

Nobody labels anything: people put words beside pictures, and the model learns to continue the words. A
picture tower and a language model stay as they are. Trained are a resampler, which makes R tokens of any
picture or clip, and blocks before some layers of the language model, through which text sees the last
picture before it. Their gates begin at 0, so the model begins as the language model.

    picture:  tower (frozen) -> V tokens -> resampler -> R tokens of width D
    text:     layers (frozen), before some of them  y += tanh(a) attention(y; R tokens)
                                                    y += tanh(f) feed_forward(y)
    loss:     sum over data sets k of  weight_k * mean over their words of  - log p(word | words, pictures)

What is frozen is used: the tower sees each picture once, before training; the language model runs without a
graph below the first block, once for each text that comes again; logits are made where there is a label.
There is no label on marks, before the first picture, after ``<|endofchunk|>``, or on ``Output:``.

Afterwards the model answers (``sayso.generators``): a caption, a question, a dialogue; a few examples before
a question teach it a task, without training: ``Prompt.ask("", [picture], shots=[...])``.

Source
    Alayrac et al., NeurIPS 2022, Flamingo. https://arxiv.org/abs/2204.14198
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
from sayso.data.episodes import Episodes
from sayso.data.interleaved import (
    IMAGE,
    MixedPages,
    PageDataset,
    PageFile,
    Pages,
    PairPages,
)
from sayso.data.picture_pairs import PicturePairs, read_picture_pairs
from sayso.encoders.backbones import load_backbone
from sayso.engine.system import LossesMethod
from sayso.engine.training_config import TrainingConfig
from sayso.generators.conditioning import FlamingoNet, FlamingoShape
from sayso.generators.flamingo import Flamingo
from sayso.generators.language import load_language_model
from sayso.generators.prompt import LEAD, TEMPLATES, spell_answer, spell_question
from sayso.generators.texts_below import TextsBelow
from sayso.generators.tower_features import TowerFeatures
from sayso.generators.word_losses import batch_of_words, pictures_of, word_losses
from sayso.models.gated_cross_attention import picture_numbers

if TYPE_CHECKING:
    from sayso.core.progress import Progress
    from sayso.engine.tensor_batch import TensorBatch


@dataclass(frozen=True, kw_only=True)
class Recipe(TrainingConfig):
    """The options of a run; a small model on a small language model, which learns in minutes.

    Args:
        language_model: ``smollm2``, a folder, or a hub id; frozen.
        backbone: the picture tower, see ``load_backbone``; frozen.
        size: side of the square that it is shown, pixels.
        views: of each picture that are made beforehand, the whole and parts of it.
        layers: of the language model, before which a block stands, from 0.
        dim: D, width of the latents.
        depth: layers of the resampler.
        heads: of its attention.
        head_dim: width of a head.
        latents: R, for each picture.
        latent_std: deviation with which latents begin. As published 1, but then what a picture adds to them
            is small at first.
        block_heads: of the blocks' attention.
        dropout: in resampler and blocks.
        ff_everywhere: as published, blocks change text without pictures too once they have learnt.
        gate_lr_multiplier: factor on the learning rate of the gates, single numbers that have far to go.
        resampler_lr_multiplier: factor on the resampler's. While the gates are near 0 its gradients are tiny,
            and Adam makes large steps of them, by which the latents of all pictures become alike.
        max_tokens: of a page; what is longer is cut.
        ahead: share of the pages of ``pages`` with several pictures whose text sees the next one.
        episodes: pictures with classes as captions, from which examples under invented names are made.
        shots: examples of each of two classes in an episode.
        pages: a file of interleaved pages (``.jsonl`` with ``text`` and ``images``).
        shares: how many examples of each data set are in ``sum(shares)``: captions, episodes, pages, those
            that there are.
        weights: of their losses.
        features: folder of the tower's features, to share them among runs; the run's own unless given.
    """

    language_model: str = "smollm2"
    backbone: str = "lite0"
    size: int = 224
    views: int = 2
    layers: tuple[int, ...] = (20, 24, 28)
    dim: int = 256
    depth: int = 2
    heads: int = 4
    head_dim: int = 64
    latents: int = 16
    latent_std: float = 0.02
    block_heads: int = 8
    dropout: float = 0.1
    ff_everywhere: bool = False
    gate_lr_multiplier: float = 10.0
    resampler_lr_multiplier: float = 0.1
    max_tokens: int = 256
    ahead: float = 0.5
    episodes: str | None = None
    shots: int = 2
    pages: str | None = None
    shares: tuple[int, ...] = (1,)
    weights: tuple[float, ...] = (1.0,)
    features: str | None = None
    batch_size: int = 32
    lr: float = 1e-3
    warmup: int = 20
    clip_norm: float = 1.0
    weight_decay: float = 0.01
    steps: int = 500

    def __post_init__(self) -> None:
        super().__post_init__()
        sets = 1 + (self.episodes is not None) + (self.pages is not None)
        if len(self.shares) != sets or len(self.weights) != sets:
            raise SaysoError(
                f"there are {sets} data sets (captions, episodes, pages); give as many shares and weights,"
                f" got {len(self.shares)} and {len(self.weights)}"
            )
        if self.batch_size % sum(self.shares):
            raise SaysoError(f"batch_size must be a multiple of {sum(self.shares)}, the sum of the shares")


def spell_caption(caption: str) -> str:
    """Return a picture's mark and a caption, as pages have them and questions ask for it."""
    return spell_question(IMAGE, "caption") + spell_answer(caption)


class FlamingoMethod(LossesMethod):
    """The method, as the training loop sees it.

    Args:
        recipe: how.
        pairs: captioned pictures.
        folder: of the run, where the tower's features are kept unless the recipe says where.
        progress: updated with how many pictures the tower was run on.
    """

    def __init__(self, recipe: Recipe, pairs: PicturePairs, folder: Path, progress: Progress) -> None:
        self.recipe, self.backbone = recipe, load_backbone(recipe.backbone)
        self.language = load_language_model(recipe.language_model)
        self.markers = self.language.markers
        self._quiet = self.language.encode(TEMPLATES["caption"].before, begin=False)
        captions = PairPages(pairs, spell_caption)
        pages: list[Pages] = [captions]
        if recipe.episodes is not None:
            pages.append(Episodes(read_picture_pairs(recipe.episodes), spell_caption, recipe.shots))
        if recipe.pages is not None:
            pages.append(PageFile(Path(recipe.pages).expanduser()))
        kept = Path(recipe.features).expanduser() if recipe.features is not None else folder
        seeing = {"size": recipe.size, "views": recipe.views, "progress": progress}
        looks = [TowerFeatures(one, self.backbone, kept, **seeing) for one in pages]  # type: ignore[arg-type]
        datasets = [
            PageDataset(one, look, recipe.ahead if isinstance(one, PageFile) else 0.0)
            for one, look in zip(pages, looks, strict=True)
        ]
        self.dataset = MixedPages(datasets, recipe.shares)
        torch.manual_seed(recipe.seed)
        self.model = FlamingoNet(self._shape(), self.language)
        self.model.resampler.latents.data.mul_(recipe.latent_std)
        gates = [f"blocks.{n}.{gate}" for n in range(len(recipe.layers)) for gate in ("attn_gate", "ff_gate")]
        factors = dict.fromkeys(gates, recipe.gate_lr_multiplier)
        self.lr_multipliers = {**factors, "resampler.": recipe.resampler_lr_multiplier}
        self._below = TextsBelow(self.language, recipe.layers[0])
        self._below.keep([self.language.encode(text)[: recipe.max_tokens] for text in captions.texts()])

    def collate(self, examples: Sequence[Example]) -> Batch:
        """Return tokens, labels and pictures of B pages.

        Returns:
            What ``batch_of_words`` does; ``numbers`` (B, T) int64, the picture that each token sees;
            ``source`` (B,).
        """
        rows = [self.language.encode(one["text"])[: self.recipe.max_tokens] for one in examples]
        shown = [
            one["pictures"][: row.count(self.markers.image)] for one, row in zip(examples, rows, strict=True)
        ]
        batch = batch_of_words(rows, list(map(self._labels, rows)), shown, self.markers.end)
        marks = torch.from_numpy(batch["ids"] == self.markers.image)
        last, following = (picture_numbers(marks, attend).numpy() for attend in ("last", "next"))
        ahead = np.array([[one["ahead"]] for one in examples])
        return {
            **batch,
            "numbers": np.where(ahead, following, last),
            "source": np.array([one["source"] for one in examples]),
        }

    def losses(self, model: nn.Module, batch: TensorBatch) -> dict[str, tuple[Tensor, Tensor]]:
        """Return for each data set the loss, summed over words and weighted, and the number of words."""
        numbers = batch["numbers"][:, :-1]  # the last token predicts nothing
        known = self._below(batch["ids"])[:, :-1]
        out = model(known, pictures_of(batch), batch["frames_counts"], numbers)
        each, row = word_losses(self.language, out, batch["ids"], batch["labels"])
        source = batch["source"][row]
        found = {}
        for k, (name, weight) in enumerate(zip(self._names(), self.recipe.weights, strict=True)):
            mine = source == k
            found[name] = (weight * each[mine].sum(), mine.sum())
        return found

    def export(self, model: nn.Module, card: str = "") -> Flamingo:
        """Return a copy of what was trained, with the frozen parts, on the CPU."""
        net = cast("FlamingoNet", copy.deepcopy(model))
        return Flamingo(net, self.backbone, size=self.recipe.size, lead=LEAD, device="cpu", card=card)

    def _names(self) -> list[str]:
        known = {"captions": True, "episodes": self.recipe.episodes, "pages": self.recipe.pages}
        return [name for name, there in known.items() if there]

    def _shape(self) -> FlamingoShape:
        recipe, cells = self.recipe, (self.recipe.size // self.backbone.stride) ** 2
        return FlamingoShape(
            dim=recipe.dim,
            depth=recipe.depth,
            heads=recipe.heads,
            head_dim=recipe.head_dim,
            latents=recipe.latents,
            block_heads=recipe.block_heads,
            layers=recipe.layers,
            dim_in=self.backbone.dim,
            project=True,
            places=cells,
            ff_everywhere=recipe.ff_everywhere,
            dropout=recipe.dropout,
        )

    def _labels(self, row: Sequence[int]) -> list[bool]:
        """Return which tokens of a page are to be predicted."""
        labels, open_to, n = [False] * len(row), False, 0
        while n < len(row):
            if row[n] == self.markers.image:
                open_to = True
                quiet = len(self._quiet) if list(row[n + 1 : n + 1 + len(self._quiet)]) == self._quiet else 0
                n += 1 + quiet
                continue
            labels[n] = open_to and n > 0
            open_to = open_to and row[n] != self.markers.end
            n += 1
        return labels


class _System:
    name = "flamingo"
    description = "A frozen language model that learns to see, from captioned pictures and pages of both."
    recipe = Recipe
    evaluator = "caption-choice"

    def read(self, path: Path, recipe: Recipe, progress: Progress) -> PicturePairs:  # noqa: ARG002
        """Return captioned pictures: a folder, a ``.json`` in COCO's format, shards, a manifest."""
        return read_picture_pairs(path, progress)

    def build(self, recipe: Recipe, data: PicturePairs, folder: Path, progress: Progress) -> FlamingoMethod:
        """Return the method for captioned pictures."""
        return FlamingoMethod(recipe, data, folder, progress)


SYSTEM = _System()
