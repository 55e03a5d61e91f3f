"""Training a localizer: what it can be told, what it learns from, and its loss."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from sayso.core.errors import SaysoError
from sayso.data.tags import TaggedPictures, Task
from sayso.data.tags_reader import read_tagged
from sayso.encoders.backbones import load_backbone
from sayso.engine.training_config import Training
from sayso.losses import image_labels
from sayso.metrics.localization import classification
from sayso.models.score_map_head import SHARPNESS, MapHead, Pooling
from sayso.systems.localize.locate import Localizer, MultiScale
from sayso.systems.localize.net import TagNet
from sayso.systems.localize.views import Canvases, Places

if TYPE_CHECKING:
    from sayso.core.progress import Progress
    from sayso.data.batch import Batch, Dataset
    from sayso.engine.gradient_cache import Embeddings


@dataclass(frozen=True, kw_only=True)
class Recipe(Training):
    """What a training run can be told.

    Args:
        backbone: ``lite0``, ``mobilenet-v2``, a folder of a transformers vision model, or its hub id.
        learn: ``head``: the backbone stays as it was, its features are made once; ``all``: it learns too.
        pooling: ``max`` as published; ``average`` (class activation maps); ``lse`` (log-sum-exp).
        sharpness: of log-sum-exp.
        also_average: share of the loss that asks the average of all places, whatever the pooling. It keeps
            a network from learning few pictures by heart; published: 0.
        hidden: width of the adaptation layer; 0: none; published: 2048.
        dropout: of what goes into the last layer.
        size: pixels of a picture's longer side at scale 1.
        smallest: scale that training shows, at least.
        largest: scale that training shows, at most.
        views: sizes between these at which a frozen backbone sees each picture.
        scales: at which the trained model looks.
        split: which part of the data set to learn from, such as ``train``; all of it unless given.
        task: ``objects``, or what people do (``actions``; VOC 2012).
        backbone_rate: factor on the learning rate of a backbone that learns.
    """

    backbone: str = "lite0"
    learn: Literal["head", "all"] = "head"
    pooling: Pooling = "max"
    sharpness: float = SHARPNESS
    also_average: float = 0.8
    hidden: int = 0
    dropout: float = 0.5
    size: int = 500
    smallest: float = 0.7
    largest: float = 1.4
    views: int = 2
    scales: tuple[float, ...] = (0.5, 0.7, 1.0, 1.4, 2.0, 2.8)
    split: str | None = None
    task: Task = "objects"
    backbone_rate: float = 0.05
    steps: int = 300
    batch_size: int = 16
    lr: float = 1e-2
    warmup: int = 20

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.smallest <= self.largest:
            raise SaysoError(
                f"smallest must be above 0 and at most largest; got {self.smallest}, {self.largest}"
            )
        if self.views < 1 or self.hidden < 0 or self.size < 32 or not 0 <= self.dropout < 1:
            raise SaysoError(
                "views must be 1 or more, hidden 0 or more, size 32 or more, dropout 0 to below 1"
            )
        if not self.scales or min(self.scales) <= 0 or self.sharpness <= 0:
            raise SaysoError("scales must be numbers above 0, and sharpness too")
        if not 0 <= self.also_average <= 1:
            raise SaysoError(f"also_average must be 0 to 1; got {self.also_average}")


class Localize:
    """The method, as the training loop sees it.

    Args:
        recipe: how.
        tagged: pictures and tags.
        folder: of the run, where a frozen backbone's features are kept.
        progress: told how many pictures the backbone has seen.
    """

    def __init__(self, recipe: Recipe, tagged: TaggedPictures, folder: Path, progress: Progress) -> None:
        self.recipe, self.names, self.folder, self.progress = recipe, tagged.names, folder, progress
        self.labels = torch.tensor([picture.labels for picture in tagged.pictures])
        self.backbone = load_backbone(recipe.backbone)
        torch.manual_seed(recipe.seed)
        head = MapHead(self.backbone.dim, len(self.names), recipe.hidden, recipe.dropout)
        there, known = (self.labels == 1).sum(0), (self.labels != 0).sum(0)
        head.init_prior_bias((there + 1) / (known + 2))
        self.rates = {"backbone.": recipe.backbone_rate}
        learning = self.backbone if recipe.learn == "all" else None
        self.model: nn.Module = TagNet(head, recipe.pooling, recipe.sharpness, learning)

    def inputs(self, batch: Batch) -> tuple[Tensor]:
        """Return canvases (B, S, S, 4) uint8, of another size in every batch, or features of places."""
        x = torch.from_numpy(batch.visual)
        if self.recipe.learn == "head":
            return (x,)
        recipe, stride = self.recipe, self.backbone.stride
        scale = recipe.smallest + float(torch.rand(())) * (recipe.largest - recipe.smallest)
        side = max(1, round(recipe.size * scale / stride)) * stride
        if side == x.shape[1]:
            return (x,)
        smaller = F.interpolate(x.permute(0, 3, 1, 2).float(), (side, side), mode="bilinear", antialias=True)
        return (smaller.round_().clamp_(0, 255).byte().permute(0, 2, 3, 1),)

    def loss(self, embeddings: Embeddings, batch: Batch) -> Tensor:
        """Return the log-logistic loss of scores (B, K), a share of it that of their averages."""
        scores, averages = embeddings
        labels = self.labels[torch.from_numpy(batch.video)].to(scores.device)
        share = self.recipe.also_average
        loss = (1 - share) * image_labels(scores, labels)
        return loss + share * image_labels(averages, labels) if share else loss

    def export(self, model: nn.Module, card: str = "") -> Localizer:
        """Return a copy of a model that looks at pictures, on the CPU."""
        own = copy.deepcopy(model).cpu()
        if not isinstance(own, TagNet):
            raise TypeError(f"expected a TagNet; got {type(own).__name__}")
        recipe = self.recipe
        look = MultiScale(recipe.size, recipe.scales, recipe.pooling, recipe.sharpness)
        learned = recipe.learn == "all"
        return Localizer(
            own.backbone or self.backbone, own.head, self.names, look, fine_tuned=learned, card=card
        )

    def save(self, folder: Path, model: nn.Module, about: str) -> None:
        """Write a localizer that ``sayso.load`` takes."""
        self.export(model, about).save_pretrained(folder)

    def examples(self, tagged: TaggedPictures) -> Dataset:
        """Return what is learned from."""
        recipe, backbone = self.recipe, self.backbone
        if recipe.learn == "all":
            side = -(-round(recipe.size * recipe.largest) // backbone.stride) * backbone.stride
            return Canvases(tagged.pictures, side, backbone.colour)
        scales = np.geomspace(recipe.smallest, recipe.largest, recipe.views) if recipe.views > 1 else [1.0]
        longest = [max(1, round(recipe.size * scale)) for scale in scales]
        self.folder.mkdir(parents=True, exist_ok=True)
        return Places(tagged.pictures, backbone, longest, self.folder / "places.f16", self.progress)


def read(path: Path, recipe: Recipe, progress: Progress) -> TaggedPictures:
    """Return tagged pictures, told of on ``progress``; boxes are not read."""
    tagged = read_tagged(path, split=recipe.split, task=recipe.task)
    told = f"{len(tagged.pictures):,} pictures, {len(tagged.names):,} tags, {len(tagged.missing):,} missing"
    progress.message(told)
    return tagged


def make(recipe: Recipe, tagged: TaggedPictures, folder: Path, progress: Progress) -> Localize:
    """Return the method for tagged pictures."""
    return Localize(recipe, tagged, folder, progress)


def score(method: Localize, path: Path) -> Callable[[nn.Module], dict[str, float]]:
    """Return what measures a model: how well it tells which tags other pictures have.

    Boxes are not read here either: the best checkpoint is chosen by tags.

    Raises:
        SaysoError: if the pictures have other tags than those that were learned.
    """
    recipe = method.recipe
    tagged = read_tagged(path, task=recipe.task)
    unknown = sorted(set(tagged.names) - set(method.names))
    if unknown:
        raise SaysoError(f"{path} has tags that training does not: {', '.join(unknown[:5])}")
    columns = [method.names.index(name) for name in tagged.names]
    labels = np.array([picture.labels for picture in tagged.pictures])

    def measure(model: nn.Module) -> dict[str, float]:
        found = list(_scores(method.export(model), tagged))
        seen = [row is not None for row in found]
        scores: Any = np.array([row for row in found if row is not None])
        precision = classification(scores[:, columns], labels[seen])
        return {"classification mAP": float(np.nanmean(precision))}

    return measure


def _scores(localizer: Localizer, tagged: TaggedPictures) -> list[np.ndarray[Any, Any] | None]:
    paths = [picture.path for picture in tagged.pictures]
    return [None if found is None else found.scores for found in localizer.locate(paths)]
