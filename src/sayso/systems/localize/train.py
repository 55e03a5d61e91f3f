"""Training a localizer: its options, its loss, what it learns from."""

from __future__ import annotations

import copy
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray
from torch import Tensor, nn

from sayso.core.counted import counted
from sayso.core.errors import SaysoError
from sayso.data.batch import Batch, Dataset, Example, stack
from sayso.data.tags import TaggedPictures, Task
from sayso.data.tags_reader import read_tagged
from sayso.encoders.backbones import load_backbone
from sayso.engine.system import LossesMethod
from sayso.engine.training_config import TrainingConfig
from sayso.losses import image_labels
from sayso.models.score_map_head import SHARPNESS, MapHead, Pooling
from sayso.systems.localize.locate import Localizer, MultiScale
from sayso.systems.localize.name_weights import CLASS_WEIGHTS, name_weights
from sayso.systems.localize.net import TagNet
from sayso.systems.localize.views import CellFeatures, LetterboxedPictures

if TYPE_CHECKING:
    from sayso.core.progress import Progress
    from sayso.encoders.backbones import Backbone
    from sayso.engine.tensor_batch import TensorBatch

Array = NDArray[Any]
log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Recipe(TrainingConfig):
    """The options of a run.

    Args:
        backbone: ``lite0``, ``mobilenet-v2``, a folder of a transformers vision model, or its hub id.
        learn: ``head``: the backbone is frozen, its features are made once; ``all``: it learns too.
        pooling: ``max`` as published; ``average`` (class activation maps); ``lse`` (log-sum-exp).
        sharpness: of log-sum-exp.
        score_pooling: how the map of a picture becomes its score in the trained model; as ``pooling`` unless
            given.
        gap_weight: share of the loss that is of global average pooling, whatever the pooling. It keeps
            a network from learning few pictures by heart; published: 0.
        hidden: width of the adaptation layer; 0: none; published: 2048.
        start: of the head: ``random``, or ``names``: the classes of ImageNet whose names are near to each
            tag's, for few pictures; of ``lite0`` or ``mobilenet-v2`` without a hidden layer.
        dropout: of what goes into the last layer.
        size: pixels of a picture's longer side at scale 1.
        min_scale: smallest scale in training.
        max_scale: largest scale in training.
        views: sizes between these at which a frozen backbone is run on each picture.
        keep_features: whether a frozen backbone's features are kept on disk, 2 MB a picture, each made once;
            without, they are made when they are needed: the same model, slower.
        scales: at which the trained model is run.
        standardize: whether all scales weigh alike in where the trained model finds a class.
        mirror: whether the trained model scores each scale mirrored too, for twice the time.
        split: which part of the data set to learn from, such as ``train``; all of it unless given.
        task: ``objects``, or what people do (``actions``; VOC 2012).
        backbone_lr_multiplier: factor on the learning rate of a backbone that learns.
    """

    backbone: str = "lite0"
    learn: Literal["head", "all"] = "head"
    pooling: Pooling = "max"
    sharpness: float = SHARPNESS
    score_pooling: Pooling | None = None
    gap_weight: float = 0.8
    hidden: int = 0
    start: Literal["random", "names"] = "random"
    dropout: float = 0.5
    size: int = 500
    min_scale: float = 0.7
    max_scale: float = 1.4
    views: int = 2
    keep_features: bool = True
    scales: tuple[float, ...] = (0.5, 0.7, 1.0, 1.4, 2.0, 2.8)
    standardize: bool = False
    mirror: bool = False
    split: str | None = None
    task: Task = "objects"
    backbone_lr_multiplier: float = 0.05
    steps: int = 300
    batch_size: int = 16
    lr: float = 1e-2
    warmup: int = 20

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.min_scale <= self.max_scale:
            raise SaysoError(
                f"min_scale must be above 0 and at most max_scale; got {self.min_scale}, {self.max_scale}"
            )
        if self.views < 1 or self.hidden < 0 or self.size < 32 or not 0 <= self.dropout < 1:
            raise SaysoError(
                "views must be 1 or more, hidden 0 or more, size 32 or more, dropout 0 to below 1"
            )
        if not self.scales or min(self.scales) <= 0 or self.sharpness <= 0:
            raise SaysoError("scales must be numbers above 0, and sharpness too")
        if not 0 <= self.gap_weight <= 1:
            raise SaysoError(f"gap_weight must be 0 to 1; got {self.gap_weight}")
        if self.start == "names" and (self.backbone not in CLASS_WEIGHTS or self.hidden):
            raise SaysoError(
                f"start=names takes backbone={' or '.join(CLASS_WEIGHTS)}, and hidden=0: their last layers"
                " tell ImageNet's classes apart"
            )


class Localize(LossesMethod):
    """The method, as the training loop sees it.

    Args:
        recipe: how.
        tagged: pictures and tags.
        folder: of the run, where a frozen backbone's features are kept.
        progress: updated with how many pictures the backbone was run on.
    """

    def __init__(self, recipe: Recipe, tagged: TaggedPictures, folder: Path, progress: Progress) -> None:
        self.recipe, self.names = recipe, tagged.names
        self.backbone = load_backbone(recipe.backbone)
        torch.manual_seed(recipe.seed)
        head = MapHead(self.backbone.dim, len(self.names), recipe.hidden, recipe.dropout)
        labels = torch.tensor([picture.labels for picture in tagged.pictures])
        positive, known = (labels == 1).sum(0), (labels != 0).sum(0)
        head.init_prior_bias((positive + 1) / (known + 2))
        if recipe.start == "names":
            head.init_last(name_weights(self.names, recipe.backbone))
        self.lr_multipliers = {"backbone.": recipe.backbone_lr_multiplier}
        learning = self.backbone if recipe.learn == "all" else None
        self.model = TagNet(head, recipe.pooling, recipe.sharpness, learning)
        self.dataset = _dataset(recipe, tagged, self.backbone, folder, progress)

    def collate(self, examples: Sequence[Example]) -> Batch:
        """Return ``x`` and ``mask`` as ``TagNet`` takes them, and ``labels`` (B, C) int8."""
        if self.recipe.learn == "head":
            x, mask = _padded([one["features"] for one in examples])
        else:
            batch = stack([{"pixels": one["pixels"], "alpha": one["alpha"]} for one in examples])
            x, mask = _resized(batch["pixels"], batch["alpha"], self._side(examples[0]["scale"]))
        return {"x": x, "mask": mask, "labels": np.stack([one["labels"] for one in examples])}

    def losses(self, model: nn.Module, batch: TensorBatch) -> dict[str, tuple[Tensor, int]]:
        """Return the log-logistic loss, summed over pictures: of the pooled scores, and of their averages."""
        scores, averages = model(batch["x"], batch["mask"])
        labels, share = batch["labels"], self.recipe.gap_weight
        loss = (1 - share) * image_labels(scores, labels)
        if share:
            loss = loss + share * image_labels(averages, labels)
        return {"tags": (loss * batch.rows, batch.rows)}

    def export(self, model: nn.Module, card: str = "") -> Localizer:
        """Return a copy of a model as a localizer, on the CPU."""
        own = copy.deepcopy(model).cpu()
        if not isinstance(own, TagNet):
            raise TypeError(f"expected a TagNet; got {type(own).__name__}")
        recipe = self.recipe
        multi_scale = MultiScale(
            recipe.size,
            recipe.scales,
            recipe.score_pooling or recipe.pooling,
            recipe.sharpness,
            standardize=recipe.standardize,
            mirror=recipe.mirror,
        )
        return Localizer(
            own.backbone or self.backbone,
            own.head,
            self.names,
            multi_scale,
            fine_tuned=recipe.learn == "all",
            card=card,
        )

    def _side(self, scale: float) -> int:
        """Return the side of a batch's frames, pixels, of a number from 0 to 1."""
        recipe, stride = self.recipe, self.backbone.stride
        factor = recipe.min_scale + scale * (recipe.max_scale - recipe.min_scale)
        return max(1, round(recipe.size * factor / stride)) * stride


def _dataset(
    recipe: Recipe, tagged: TaggedPictures, backbone: Backbone, folder: Path, progress: Progress
) -> Dataset:
    if recipe.learn == "all":
        side = -(-round(recipe.size * recipe.max_scale) // backbone.stride) * backbone.stride
        return LetterboxedPictures(tagged.pictures, side, backbone.colour)
    scales = np.geomspace(recipe.min_scale, recipe.max_scale, recipe.views) if recipe.views > 1 else [1.0]
    longest = [max(1, round(recipe.size * scale)) for scale in scales]
    file = folder / "features.f16" if recipe.keep_features else None
    averaged = recipe.pooling == "average" and not recipe.hidden
    return CellFeatures(tagged.pictures, backbone, longest, file, progress, averaged=averaged)


def _padded(features: Sequence[Array]) -> tuple[Array, Array]:
    """Return features (B, N, D) of the most cells N, and which cells there are, (B, N) bool."""
    most = max(map(len, features))
    x = np.zeros((len(features), most, features[0].shape[1]), features[0].dtype)
    mask = np.zeros(x.shape[:2], bool)
    for b, one in enumerate(features):
        x[b, : len(one)], mask[b, : len(one)] = one, True
    return x, mask


def _resized(pixels: Array, alpha: Array, side: int) -> tuple[Array, Array]:
    """Return pixels (B, S, S, 3) and alpha (B, S, S), both uint8, for a smaller side S."""
    if side == pixels.shape[1]:
        return pixels, alpha
    x = torch.from_numpy(np.concatenate([pixels, alpha[..., None]], 3)).permute(0, 3, 1, 2).float()
    small = F.interpolate(x, (side, side), mode="bilinear", antialias=True)
    frames = small.round_().clamp_(0, 255).byte().permute(0, 2, 3, 1).numpy()
    return frames[..., :3], frames[..., 3]


class _System:
    name = "localize"
    description = "Where things are in pictures, from tags of whole pictures alone."
    recipe = Recipe
    evaluator = "image-tagging"

    def read(self, path: Path, recipe: Recipe, progress: Progress) -> TaggedPictures:  # noqa: ARG002
        """Return tagged pictures; boxes are not read."""
        tagged = read_tagged(path, split=recipe.split, task=recipe.task)
        log.info(
            "%s, %s, %s missing",
            counted(len(tagged.pictures), "picture"),
            counted(len(tagged.names), "tag"),
            f"{len(tagged.missing):,}",
        )
        return tagged

    def build(self, recipe: Recipe, data: TaggedPictures, folder: Path, progress: Progress) -> Localize:
        """Return the method for tagged pictures."""
        return Localize(recipe, data, folder, progress)


SYSTEM = _System()
