"""CLIP and its kin: a joint embedding of pictures and texts, from captioned pictures alone.

Nobody labelled anything: a picture's caption is right for it, and the captions of the other pictures of a
batch are wrong. Both are embedded, and among all texts of the batch each picture has to find its own, and
each text its own picture. A classifier is then a list of names: ``sayso classify``.

    picture: pixels -> vision transformer -> f(x), D numbers, unit norm
    text:    tokens -> transformer        -> g(y), D numbers, unit norm
    loss:    - 1/2B sum_i log softmax_j(e^t <f_i, g_j>)_i - the same with pictures and texts swapped

t is learned. Larger batches have more wrong answers, so the loss asks more; ``micro_batch`` keeps the exact
gradient of any batch in the memory of a few. What the papers changed is a value in a recipe each:

    clip      [1]  as above
    align     [2]  noisier captions, in larger batches, with labels smoothed by 0.1
    basic     [3]  the batch of 65,536, by gradient caching
    florence  [4]  equal texts are right for each other's pictures
    siglip    [5]  each pair of the B x B is judged by itself, right or wrong, by a sigmoid
    lit       [6]  both towers frozen, as packages ship them; two heads learn

Sources
    [1] Radford et al., ICML 2021, CLIP. https://arxiv.org/abs/2103.00020
    [2] Jia et al., ICML 2021, ALIGN. https://arxiv.org/abs/2102.05918
    [3] Pham et al. 2021, BASIC. https://arxiv.org/abs/2111.10050
    [4] Yuan et al. 2021, Florence. https://arxiv.org/abs/2111.11432
    [5] Zhai et al., ICCV 2023, SigLIP. https://arxiv.org/abs/2303.15343
    [6] Zhai et al., CVPR 2022, LiT. https://arxiv.org/abs/2111.07991
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

import numpy as np
import torch
from torch import Tensor, nn

from sayso.core.errors import SaysoError
from sayso.data.batch import Batch, Example
from sayso.data.picture_dataset import PicturePairDataset
from sayso.data.picture_pairs import PicturePairs, read_picture_pairs
from sayso.encoders.frozen_towers import FrozenTowersEncoder, heads_of
from sayso.encoders.pair_features import FeaturePairs
from sayso.encoders.trained_towers import TowerOptions, fresh_towers, towers_of
from sayso.engine.contrastive_metrics import ContrastiveMetrics
from sayso.engine.system import EmbeddingMethod
from sayso.engine.training_config import TrainingConfig
from sayso.losses.contrastive import contrastive
from sayso.models.efficientnet_lite import FEATURES
from sayso.models.feature_heads import FeatureHeads
from sayso.models.minilm import DIM

if TYPE_CHECKING:
    from sayso.core.progress import Progress
    from sayso.encoders.trained_towers import PixelTowers, TrainedTowers
    from sayso.engine.gradient_cache import EmbeddingTensors
    from sayso.engine.tensor_batch import TensorBatch
    from sayso.models.clip import Family


@dataclass(frozen=True, kw_only=True)
class Recipe(TrainingConfig):
    """The options of a run.

    Args:
        towers: ``clip`` or ``siglip``: transformers' networks, from pixels; ``offline``: Lite0 and MiniLM
            frozen, their features made once, and heads that learn.
        network: size of the towers: ``ViT-B/32``, ``ViT-B/16``, ``ViT-L/14``, ``ViT-S/16``, ``ViT-Ti/16``,
            ``ViT-toy/8``, ``ViT-mini/8``, ``ViT-nano/8``.
        init: a model to go on from, a folder or a hub id; its network, tokenizer and picture size are taken.
        locked: whether the picture tower stays as it is (LiT; BASIC's second phase); with ``init``.
        size: side of a picture, pixels.
        context: most tokens of a text.
        activation: of CLIP's layers: ``quick_gelu`` as in OpenAI's weights, or ``gelu``.
        tokenizer: ``learned`` on the corpus, or ``clip``, the published one.
        vocabulary: file of the published one, bpe_simple_vocab_16e6.txt.gz; empty: of an installed package.
        vocabulary_size: tokens of a learned one, at most.
        patch_dropout: share of a picture's patches that are not seen while learning (FLIP); the last
            updates do better without: ``init`` the run with 0.
        min_crop: smallest share of a picture's area that is shown.
        flip: whether half of the pictures are mirrored; "left" is then a lie.
        loss: ``softmax`` over the batch, or ``sigmoid`` for each pair.
        smoothing: share of the right answer that is spread over the batch (ALIGN).
        shared: ``text``: pairs with equal texts are right for each other (Florence); ``none``: they are not.
        temperature: 1 / e^t at the start.
        bias: of the sigmoid, at the start.
        max_scale: e^t is kept to this and below.
        dim: D of the heads on frozen towers.
        hidden: width of a layer in these heads; 0: none.
        dropout: in these heads.
        learn_text: whether frozen texts have a head; without, D is that of their features, 384.
    """

    towers: Literal["clip", "siglip", "offline"] = "clip"
    network: str = "ViT-B/32"
    init: str = ""
    locked: bool = False
    size: int = 224
    context: int = 77
    activation: Literal["quick_gelu", "gelu"] = "quick_gelu"
    tokenizer: Literal["learned", "clip"] = "learned"
    vocabulary: str = ""
    vocabulary_size: int = 16_384
    patch_dropout: float = 0.0
    min_crop: float = 0.9
    flip: bool = False
    loss: Literal["softmax", "sigmoid"] = "softmax"
    smoothing: float = 0.0
    shared: Literal["text", "none"] = "text"
    temperature: float = 0.07
    bias: float = -10.0
    max_scale: float = 100.0
    dim: int = 512
    hidden: int = 0
    dropout: float = 0.0
    learn_text: bool = True
    batch_size: int = 256
    lr: float = 5e-4
    betas: tuple[float, ...] = (0.9, 0.98)
    eps: float = 1e-6
    weight_decay: float = 0.2

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (0 <= self.patch_dropout < 1 and 0 <= self.dropout < 1 and 0 <= self.smoothing < 1):
            raise SaysoError("patch_dropout, dropout and smoothing must be from 0 to below 1")
        if min(self.size, self.dim, self.context - 2) < 1 or not 0 < self.min_crop <= 1:
            raise SaysoError("size and dim must be 1 or more, context 3 or more, min_crop above 0 to 1")
        if not 0 < 1 / self.max_scale <= self.temperature <= 1:
            raise SaysoError(
                "temperature must be from 1 / max_scale to 1;"
                f" got {self.temperature}, max_scale {self.max_scale}"
            )
        if self.towers == "offline" and (self.init or self.locked or self.patch_dropout):
            raise SaysoError("frozen towers (towers=offline) take no init, locked or patch_dropout")
        if self.loss == "sigmoid" and self.smoothing:
            raise SaysoError("smoothing is of the softmax; the sigmoid takes none")


class Temperature(nn.Module):
    """What the loss learns: t, and the bias of the sigmoid."""

    def __init__(self, recipe: Recipe) -> None:
        super().__init__()
        self.limit = math.log(recipe.max_scale)
        self.log_scale = nn.Parameter(torch.tensor(-math.log(recipe.temperature)))
        self.bias = nn.Parameter(torch.tensor(recipe.bias)) if recipe.loss == "sigmoid" else None

    @torch.no_grad()
    def clamp(self) -> None:
        """Keep e^t from 1 to the limit: clamped in the loss instead, t would have no way back."""
        self.log_scale.clamp_(0, self.limit)

    def values(self) -> tuple[float, float | None]:
        """Return t and the bias."""
        return float(self.log_scale.detach()), None if self.bias is None else float(self.bias.detach())


class Clip(EmbeddingMethod):
    """The method, as the training loop sees it.

    Args:
        recipe: how.
        pairs: captioned pictures.
        folder: of the run, where the tokenizer, or features of frozen towers, are kept.
        progress: updated while features are made.
    """

    criterion: Temperature

    def __init__(self, recipe: Recipe, pairs: PicturePairs, folder: Path, progress: Progress) -> None:
        self.recipe = recipe
        torch.manual_seed(recipe.seed)
        if recipe.towers == "offline":
            self.pixel_towers = None
            self.model: nn.Module = FeatureHeads(
                FEATURES,
                DIM,
                recipe.dim,
                hidden=recipe.hidden,
                dropout=recipe.dropout,
                learn_text=recipe.learn_text,
            )
            self.dataset: FeaturePairs | PicturePairDataset = FeaturePairs(pairs, folder, "auto", progress)
        else:
            towers = _towers(recipe, pairs, folder)
            self.pixel_towers, self.model = towers, towers.model
            self.dataset = PicturePairDataset(pairs, towers.size, (recipe.min_crop, 1.0), flip=recipe.flip)
        self.criterion = Temperature(recipe)
        self._metrics = ContrastiveMetrics(
            recipe.batch_size,
            sigmoid=recipe.loss == "sigmoid",
            patience=max(2 * recipe.warmup, recipe.steps // 10, 20),
            context=recipe.context,
        )

    def collate(self, examples: Sequence[Example]) -> Batch:
        """Return ``image``, ``text``, ``label`` (B,) int64, equal for equal texts, and ``cut`` (B,) bool."""
        texts = [one["text"] for one in examples]
        batch = {"image": np.stack([one["image"] for one in examples]), "label": _labels(texts)}
        if self.pixel_towers is None:
            features = np.stack([one["features"] for one in examples])
            return batch | {"text": features, "cut": np.zeros(len(texts), bool)}
        tokens, cut = self.pixel_towers.tokenizer(texts)
        return batch | {"text": tokens, "cut": cut}

    def embed(self, model: nn.Module, batch: TensorBatch) -> EmbeddingTensors:
        """Return f (B, D) and g (B, D), unit norm."""
        embeddings: EmbeddingTensors = model(batch["image"], batch["text"])
        return embeddings

    def loss(self, embeddings: EmbeddingTensors, batch: TensorBatch) -> Tensor:
        """Return the loss of f (B, D) and g (B, D)."""
        image, text = embeddings
        value = contrastive(
            image,
            text,
            self.criterion.log_scale,
            bias=self.criterion.bias,
            kind=self.recipe.loss,
            smoothing=self.recipe.smoothing,
            labels=batch["label"] if self.recipe.shared == "text" else None,
        )
        self._metrics.note(embeddings, batch["label"], batch.arrays["cut"], value)
        return value

    def after_update(self) -> None:
        """Keep the temperature in its bounds."""
        self.criterion.clamp()
        self._metrics.updates += 1

    def metrics(self) -> Mapping[str, float]:
        """Return what the log has besides the loss, of the last batch."""
        log_scale, bias = self.criterion.values()
        more = {} if bias is None else {"bias": bias}
        return self._metrics.read() | {"temperature": math.exp(-log_scale)} | more

    def export(self, model: nn.Module, card: str = "") -> TrainedTowers | FrozenTowersEncoder:
        """Return a copy of a model as an encoder, on the CPU."""
        log_scale, bias = self.criterion.values()
        if self.pixel_towers is not None:
            return self.pixel_towers.encoder(model, log_scale, bias, card)
        heads = heads_of(model)
        return FrozenTowersEncoder(heads, log_scale=log_scale, bias=bias, device="cpu", card=card)


def _towers(recipe: Recipe, pairs: PicturePairs, folder: Path) -> PixelTowers:
    if recipe.init:
        return towers_of(recipe.init, folder, patch_dropout=recipe.patch_dropout, locked=recipe.locked)
    named = {
        field.name: getattr(recipe, field.name) for field in fields(TowerOptions) if field.name != "family"
    }
    texts = (text for n in range(len(pairs)) for text in pairs.captions(n))
    return fresh_towers(TowerOptions(family=cast("Family", recipe.towers), **named), texts, folder)


def _labels(texts: Sequence[str]) -> np.ndarray:
    """Return a number for each text, (B,) int64, the same for texts that differ in case and spaces alone."""
    plain = (" ".join(text.casefold().split()).encode() for text in texts)
    digests = b"".join(hashlib.blake2b(text, digest_size=8).digest() for text in plain)
    return np.frombuffer(digests, np.int64).copy()


class _System:
    name = "clip"
    description = (
        "A joint embedding of pictures and texts, from captioned pictures, as CLIP and its kin learn it."
    )
    recipe = Recipe
    evaluator = "image-retrieval"

    def read(self, path: Path, recipe: Recipe, progress: Progress) -> PicturePairs:  # noqa: ARG002
        """Return captioned pictures: a folder, COCO's captions, shards, a manifest, what curate kept."""
        return read_picture_pairs(path, progress)

    def build(self, recipe: Recipe, data: PicturePairs, folder: Path, progress: Progress) -> Clip:
        """Return the method for captioned pictures."""
        return Clip(recipe, data, folder, progress)


SYSTEM = _System()
