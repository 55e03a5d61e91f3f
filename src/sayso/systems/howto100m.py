"""HowTo100M: a joint embedding of clips and captions over features that others have learned.

Narrated videos give pairs of a clip and the line said over it, about half of them right. With
enough of them, a shallow model on top of good features learns through the noise:

    video:  features of the seconds of the line -> max over time -> gated unit -> f, unit norm
    text:   words -> frozen vectors -> layer, ReLU -> max over words -> gated unit -> g, unit norm
    loss:   max margin; half of the weight is on clips of the same video, so that the model
            learns what is done in a clip rather than what the video is about

Features are any (T, D) arrays: the published 2D and 3D ones, or what an encoder of sayso sees
each second (``backbone``); with the latter, the model takes pixels again and can index videos.

Source
    Miech, Zhukov, Alayrac, Tapaswi, Laptev, Sivic, ICCV 2019. https://arxiv.org/abs/1906.03327
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn

from sayso.core.errors import SaysoError
from sayso.data.features import FeatureClips, Features, open_features
from sayso.encoders.feature_text import HowTo100MEncoder
from sayso.encoders.interface import ClipSpec
from sayso.engine.features import extract_features
from sayso.engine.training_config import Training
from sayso.losses import max_margin
from sayso.models.bow_text import WordTokenizer
from sayso.models.feature_text import HowTo100MNet
from sayso.text.language.vocabulary import vocabulary, word_vectors

if TYPE_CHECKING:
    from sayso.core.progress import Progress
    from sayso.data.batch import Batch
    from sayso.data.corpus import Corpus
    from sayso.encoders.interface import Encoder
    from sayso.engine.gradient_cache import Embeddings


@dataclass(frozen=True, kw_only=True)
class Recipe(Training):
    """What a training run can be told, with the published values where there are such.

    Args:
        features: places of extracted features, folders of ``.npy`` files or Lance tables, which
            stand side by side; none: what ``backbone`` sees each second is extracted first.
        rates: rows a second of each.
        backbone: an encoder's name, where ``features`` are not given.
        per_video: clips drawn of a video for one batch; the hard negatives need several.
        min_s: captions that last less are widened to so many seconds.
        margin: of the loss.
        intra: share of the loss's weight on negatives from the same video; 0 leaves them out.
        dim: D, length of an embedding.
        words: a file of word vectors, frozen as published; or ``learned`` with the rest.
        word_dim: length of the vectors, if they are learned.
        max_words: words of a line that are read.
    """

    lr: float = 1e-4
    features: tuple[str, ...] = ()
    rates: tuple[float, ...] = ()
    backbone: str = "offline"
    per_video: int = 8
    min_s: float = 0.0
    margin: float = 0.1
    intra: float = 0.5
    dim: int = 4096
    words: str = "learned"
    word_dim: int = 300
    max_words: int = 20


class HowTo100M:
    """The method, as the training loop sees it.

    Args:
        recipe: how.
        corpus: whose captions give the vocabulary.
        sources: features of its videos.
        backbone: the encoder that made them, if it was one.
    """

    def __init__(
        self, recipe: Recipe, corpus: Corpus, sources: list[Features], backbone: Encoder | None = None
    ) -> None:
        self.recipe, self.sources, self.backbone = recipe, sources, backbone
        torch.manual_seed(recipe.seed)
        words, vectors = word_vectors(recipe.words, vocabulary(corpus.texts), recipe.word_dim, recipe.seed)
        self.tokenizer = WordTokenizer(words, recipe.max_words, lower=True)
        width = sum(_width(source, corpus) for source in sources)
        self.model = HowTo100MNet(torch.from_numpy(vectors), width, recipe.dim)
        self.model.word_vectors.weight.requires_grad_(recipe.words == "learned")

    def inputs(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return features (B, F) float32 and the numbers of the captions' words (B, L)."""
        return torch.from_numpy(batch.features), self.tokenizer([texts[0] for texts in batch.texts])

    def loss(self, embeddings: Embeddings, batch: Batch) -> Tensor:
        """Return the loss of f and g, both (B, D)."""
        video, text = embeddings
        group = torch.from_numpy(batch.video).to(video.device)
        return max_margin(
            video.float(), text.float(), group, margin=self.recipe.margin, intra=self.recipe.intra
        )

    def export(self, model: nn.Module, card: str = "") -> HowTo100MEncoder:
        """Return a copy of a model as an encoder, on the CPU."""
        net = cast(HowTo100MNet, copy.deepcopy(model))
        made_by: dict[str, Any] = {}
        if self.backbone is not None:
            cut = self.backbone.clip
            made_by = {"backbone": self.backbone.name, "clip": ClipSpec(4, 1.0, cut.size, cut.crop)}
        return HowTo100MEncoder(net, self.tokenizer, **made_by, device="cpu", card=card)

    def save(self, folder: Path, model: nn.Module, about: str) -> None:
        """Write an encoder that ``sayso.load`` takes."""
        self.export(model, about).save_pretrained(folder)

    def examples(self, corpus: Corpus) -> FeatureClips:
        """Return what is learned from: features of clips with their captions."""
        return FeatureClips(
            corpus, self.sources, candidates=1, per_video=self.recipe.per_video, min_s=self.recipe.min_s
        )


def reading(recipe: Recipe) -> dict[str, Any]:
    """Return how ``read_corpus`` should read: with features, the videos need not be there."""
    return {"files": not recipe.features}


def make(recipe: Recipe, corpus: Corpus, folder: Path, progress: Progress) -> HowTo100M:
    """Return the method for a corpus; features are extracted first, if none are given.

    Raises:
        SaysoError: if there are not as many rates as features, or features cannot be had.
    """
    if len(recipe.rates) != len(recipe.features):
        raise SaysoError(
            f"the recipe has {len(recipe.features)} features and {len(recipe.rates)} rates; give each a rate"
        )
    if recipe.features:
        places = zip(recipe.features, recipe.rates, strict=True)
        return HowTo100M(recipe, corpus, [open_features(place, rate) for place, rate in places])
    from sayso.encoders import load_encoder

    backbone = load_encoder(recipe.backbone)
    for failure in extract_features(_files(corpus), backbone, folder / "features", progress=progress):
        progress.message(f"{failure.path}: {failure.error}")
    return HowTo100M(recipe, corpus, [open_features(folder / "features", 1.0)], backbone)


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
