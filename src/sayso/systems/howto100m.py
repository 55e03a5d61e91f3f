"""HowTo100M: a joint embedding of clips and captions over features that others have learned.

Narrated videos give pairs of a clip and its caption, about half of them right. With
enough of them, a shallow model on top of good features learns through the noise:

    video:  features of the seconds of the caption -> max over time -> gated unit -> f, unit norm
    text:   words -> frozen vectors -> layer, ReLU -> max over words -> gated unit -> g, unit norm
    loss:   max margin; half of the weight is on clips of the same video, so that the model
            learns what is done in a clip rather than what the video is about

Features are any (T, D) arrays: the published 2D and 3D ones, or those that an encoder of sayso
gives each second (``backbone``); with the latter, the model takes pixels again and can index videos.

Source
    Miech, Zhukov, Alayrac, Tapaswi, Laptev, Sivic, ICCV 2019. https://arxiv.org/abs/1906.03327
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import torch
from torch import Tensor, nn

from sayso.core.counted import counted
from sayso.core.errors import SaysoError
from sayso.data.batch import Batch, Example, stack
from sayso.data.corpus_reader import read_training_corpus
from sayso.data.features import FeatureClips, Features, open_features
from sayso.encoders.feature_text import HowTo100MEncoder
from sayso.encoders.interface import ClipSpec
from sayso.engine.features import extract_features
from sayso.engine.system import EmbeddingMethod
from sayso.engine.training_config import TrainingConfig
from sayso.losses import info_nce, max_margin
from sayso.models.bow_text import WordTokenizer
from sayso.models.feature_text import HowTo100MNet
from sayso.text.language.stop_words import without_stop_words
from sayso.text.language.vocabulary import vocabulary, word_vectors

if TYPE_CHECKING:
    from sayso.core.progress import Progress
    from sayso.data.corpus import Corpus
    from sayso.encoders.interface import Encoder
    from sayso.engine.gradient_cache import EmbeddingTensors
    from sayso.engine.tensor_batch import TensorBatch

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Recipe(TrainingConfig):
    """The options of a run, with the published values where there are such.

    Args:
        features: where extracted features are, folders of ``.npy`` files or Lance tables, which
            stand side by side; none: those of ``backbone`` are extracted first, one a second.
        feature_rates: rows a second of each.
        backbone: an encoder's name, where ``features`` are not given.
        per_video: clips sampled of a video for one batch; the hard negatives need several.
        min_s: captions that last less are widened to so many seconds.
        stop_words: ``kept``, or ``dropped`` from the captions that are learned from, as in the release.
        join_s: captions that last less are joined with their neighbours, as the public code does (5 s).
        loss: ``max_margin``, or ``info_nce`` with a temperature that is learned.
        margin: of max margin.
        intra: share of max margin's weight on negatives from the same video; 0 leaves them out.
        count_own: count the pair itself among its video's negatives, as the public code does.
        dim: D, length of an embedding.
        word_vectors: a file in word2vec's or GloVe's format, frozen as published; or ``learned`` with
            the rest.
        word_dim: length of the word vectors, if they are learned.
        max_words: words of a caption that are read.
    """

    lr: float = 1e-4
    features: tuple[str, ...] = ()
    feature_rates: tuple[float, ...] = ()
    backbone: str = "offline"
    per_video: int = 8
    min_s: float = 0.0
    stop_words: Literal["kept", "dropped"] = "kept"
    join_s: float = 0.0
    loss: Literal["max_margin", "info_nce"] = "max_margin"
    margin: float = 0.1
    intra: float = 0.5
    count_own: bool = False
    dim: int = 4096
    word_vectors: str = "learned"
    word_dim: int = 300
    max_words: int = 20


class HowTo100M(EmbeddingMethod):
    """The method, as the training loop sees it.

    Args:
        recipe: how.
        corpus: narrated videos, whose captions give the vocabulary.
        sources: features of its videos.
        backbone: the encoder that made them, if it was one.
    """

    def __init__(
        self, recipe: Recipe, corpus: Corpus, sources: list[Features], backbone: Encoder | None = None
    ) -> None:
        self.recipe, self.backbone = recipe, backbone
        torch.manual_seed(recipe.seed)
        learned = recipe.word_vectors == "learned"
        known = vocabulary(map(self._read, corpus.texts) if learned else corpus.texts)
        words, vectors = word_vectors(recipe.word_vectors, known, recipe.word_dim, recipe.seed)
        self.tokenizer = WordTokenizer(words, recipe.max_words, lower=True)
        width = sum(_width(source, corpus) for source in sources)
        self.model = HowTo100MNet(torch.from_numpy(vectors), width, recipe.dim)
        self.model.word_vectors.weight.requires_grad_(learned)
        if recipe.loss == "info_nce":
            self.criterion = nn.ParameterDict({"log_scale": torch.tensor(1 / 0.07).log()})
        self.dataset = FeatureClips(
            corpus,
            sources,
            bag_size=1,
            per_video=recipe.per_video,
            min_s=recipe.min_s,
            join_s=recipe.join_s,
        )

    def collate(self, examples: Sequence[Example]) -> Batch:
        """Return ``features`` (B, F) float32, ``words`` (B, L) int64 and ``video`` (B,)."""
        words = self.tokenizer([self._read(one["texts"][0]) for one in examples]).numpy()
        return stack([{"features": one["features"], "video": one["video"]} for one in examples]) | {
            "words": words
        }

    def _read(self, text: str) -> str:
        """Return what is learned from of a caption."""
        return without_stop_words(text) if self.recipe.stop_words == "dropped" else text

    def embed(self, model: nn.Module, batch: TensorBatch) -> EmbeddingTensors:
        """Return f and g, both (B, D)."""
        embeddings: EmbeddingTensors = model(batch["features"], batch["words"])
        return embeddings

    def loss(self, embeddings: EmbeddingTensors, batch: TensorBatch) -> Tensor:
        """Return the loss of f and g, both (B, D)."""
        video, text = (embedding.float() for embedding in embeddings)
        if self.criterion is not None:
            return info_nce(video, text, self.criterion.get_parameter("log_scale").exp())
        how = self.recipe
        return max_margin(
            video, text, batch["video"], margin=how.margin, intra=how.intra, count_own=how.count_own
        )

    def export(self, model: nn.Module, card: str = "") -> HowTo100MEncoder:
        """Return a copy of a model as an encoder, on the CPU."""
        net = cast(HowTo100MNet, copy.deepcopy(model))
        pixels: dict[str, Any] = {}
        if self.backbone is not None:
            clip = self.backbone.clip
            pixels = {"backbone": self.backbone.name, "clip": ClipSpec(4, 1.0, clip.size, clip.crop)}
        return HowTo100MEncoder(net, self.tokenizer, **pixels, device="cpu", card=card)


class _System:
    name = "howto100m"
    description = "A joint embedding of clips and captions over features, from narrated videos."
    recipe = Recipe
    evaluator = "clip-retrieval"

    def read(self, path: Path, recipe: Recipe, progress: Progress) -> Corpus:
        """Return narrated videos; where features are given, the videos need not be there."""
        return read_training_corpus(path, files=not recipe.features, progress=progress)

    def build(self, recipe: Recipe, data: Corpus, folder: Path, progress: Progress) -> HowTo100M:
        """Return the method for a corpus; features are extracted first, if none are given.

        Raises:
            SaysoError: if there are not as many rates as features, or features cannot be had.
        """
        if len(recipe.feature_rates) != len(recipe.features):
            raise SaysoError(
                f"the recipe has {len(recipe.features)} features and {len(recipe.feature_rates)} "
                "feature_rates; give each a rate"
            )
        if recipe.features:
            sources = zip(recipe.features, recipe.feature_rates, strict=True)
            return HowTo100M(recipe, data, [open_features(source, rate) for source, rate in sources])
        from sayso.encoders import load_encoder

        backbone = load_encoder(recipe.backbone)
        lost = extract_features(_files(data), backbone, folder / "features", progress=progress)
        if lost:
            log.warning("%s cannot be read, such as: %s", counted(len(lost), "video"), lost[0].error)
        data.failures += tuple(lost)
        return HowTo100M(recipe, data, [open_features(folder / "features", 1.0)], backbone)


SYSTEM = _System()


def _files(corpus: Corpus) -> dict[str, str]:
    """Return id -> file.

    Raises:
        SaysoError: if two videos have one id, or a video lies in a shard.
    """
    files: dict[str, str] = {}
    for name, path, (_, size) in zip(corpus.ids, corpus.paths, corpus.parts, strict=True):
        if name in files:
            raise SaysoError(f"{files[name]} and {path} have one name, and features go by names; rename one")
        if size >= 0:
            raise SaysoError(f"{path} is a shard; unpack it, or extract features and give them as 'features'")
        files[name] = path
    return files


def _width(source: Features, corpus: Corpus) -> int:
    """Return D of a source, from the first video that it knows.

    Raises:
        SaysoError: if it knows none of the corpus.
    """
    for name in corpus.ids:
        try:
            return int(source.read(name).shape[1])
        except SaysoError:
            continue
    raise SaysoError(
        f"there are features of none of the {len(corpus)} videos; their names must be the videos' ids"
    )
