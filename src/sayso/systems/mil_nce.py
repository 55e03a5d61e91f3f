"""MIL-NCE: a joint embedding of pixels and words, from narrated videos alone.

People who show how to do something talk about it, but rarely in the same second. So a clip is
not paired with the one caption of its seconds: it gets a *bag*, the K captions nearest in time,
of which one at least is hoped to describe it. The loss asks that the bag as a whole scores
higher than the captions of other clips, and leaves open which caption of the bag does it.

    video:  T frames -> S3D -> f(x), D numbers
    text:   words -> frozen vectors -> layer, ReLU -> max over words -> g(y), D numbers
    loss:   - mean_i log ( sum_bag e^<f, g> / sum_(bag and negatives) e^<f, g> )

A bag of one caption is NCE; the other ablations of the paper are one option away.

Source
    Miech, Alayrac, Smaira, Laptev, Sivic, Zisserman, CVPR 2020. https://arxiv.org/abs/1912.06430
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from sayso.data.bags import BagRule
from sayso.data.batch import Batch, Example, stack
from sayso.data.clips import Clips
from sayso.data.corpus_reader import read_training_corpus
from sayso.encoders.interface import ClipSpec
from sayso.encoders.video_text import TextVideoEncoder
from sayso.engine.system import EmbeddingMethod
from sayso.engine.training_config import TrainingConfig
from sayso.losses import max_margin, mil_nce
from sayso.models.bow_text import SentenceNet, WordTokenizer
from sayso.models.s3d import S3D
from sayso.models.video_text import TextVideoNet
from sayso.text.language.vocabulary import vocabulary, word_vectors

if TYPE_CHECKING:
    from sayso.core.progress import Progress
    from sayso.data.corpus import Corpus
    from sayso.engine.gradient_cache import EmbeddingTensors
    from sayso.engine.tensor_batch import TensorBatch


@dataclass(frozen=True, kw_only=True)
class Recipe(TrainingConfig):
    """The options of a run, with the published values where there are such.

    Args:
        frames: T, frames of a clip.
        fps: frames a second.
        size: side of the square that is shown, pixels.
        min_s: captions that last less are widened to so many seconds.
        bag_size: K, captions in a bag.
        bag_rule: the ``nearest`` captions, or the ``window`` that the public code grows.
        per_video: clips sampled of a video for one batch; max margin's hard negatives need several.
        loss: ``mil_nce``, or ``max_margin`` over cosines, the paper's baseline.
        bag: ``sum`` is MIL-NCE; ``first`` NCE; ``max``, ``attention`` and ``cat`` the other ablations.
        double_count: positives twice in the denominator, as the public code does.
        margin: of max margin.
        intra: share of max margin's weight on negatives from the same video.
        dim: D, length of an embedding.
        width: of S3D; 1 is as published.
        space_to_depth: S3D's stem, as in the published model.
        hidden: width of the text network's layer.
        text_lr_multiplier: factor on the learning rate of the text network: a few large layers run ahead of a
            deep video network, and with small batches their embeddings may blow up and stay alike.
        text_scale: initial factor on the text network's last layer; small, the first steps
            are not spent on unlearning random scores.
        word_vectors: a file in word2vec's or GloVe's format, frozen as published; or ``learned`` with
            the rest.
        word_dim: length of the word vectors, if they are learned.
        max_words: words of a caption that are read.
    """

    frames: int = 32
    fps: float = 10.0
    size: int = 200
    min_s: float = 5.0
    bag_size: int = 5
    bag_rule: BagRule = "nearest"
    per_video: int = 1
    loss: Literal["mil_nce", "max_margin"] = "mil_nce"
    bag: Literal["sum", "first", "max", "attention", "cat"] = "sum"
    double_count: bool = False
    margin: float = 0.1
    intra: float = 0.5
    dim: int = 512
    width: float = 1.0
    space_to_depth: bool = True
    hidden: int = 2048
    text_lr_multiplier: float = 1.0
    text_scale: float = 1.0
    word_vectors: str = "learned"
    word_dim: int = 300
    max_words: int = 16


class Towers(TextVideoNet):
    """The two networks, fed with frames as they are decoded: they become numbers a micro-batch at a time."""

    def forward(self, frames: Tensor, words: Tensor) -> tuple[Tensor, Tensor]:
        """Return f (B, D) and g (B, K, D) of frames (B, T, H, W, 3) uint8 and words (B, K, L) int64."""
        return super().forward(frames.permute(0, 4, 1, 2, 3).float() / 255, words)


class MilNce(EmbeddingMethod):
    """The method, as the training loop sees it.

    Args:
        recipe: how.
        corpus: narrated videos, whose captions give the vocabulary.
    """

    def __init__(self, recipe: Recipe, corpus: Corpus) -> None:
        self.recipe = recipe
        torch.manual_seed(recipe.seed)
        known = vocabulary(corpus.texts)
        words, vectors = word_vectors(recipe.word_vectors, known, recipe.word_dim, recipe.seed)
        most = recipe.max_words * (recipe.bag_size if recipe.bag == "cat" else 1)
        self.tokenizer = WordTokenizer(words, most, lower=True)
        text = SentenceNet(torch.from_numpy(vectors), recipe.dim, hidden=recipe.hidden)
        text.word_embd.weight.requires_grad_(recipe.word_vectors == "learned")
        with torch.no_grad():
            text.fc2.weight.mul_(recipe.text_scale)
            text.fc2.bias.mul_(recipe.text_scale)
        video = S3D(recipe.dim, space_to_depth=recipe.space_to_depth, width=recipe.width)
        # frames lie in memory like this, which saves turning them over
        video.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]  # torch's stubs lack it
        self.model = Towers(video, text)
        self.lr_multipliers = {"text.": recipe.text_lr_multiplier}
        self.dataset = _clips(recipe, corpus)

    def collate(self, examples: Sequence[Example]) -> Batch:
        """Return ``frames`` (B, T, H, W, 3) uint8, ``words`` (B, K, L) int64 and ``video`` (B,)."""
        cat = self.recipe.bag == "cat"
        bags = [(" ".join(one["texts"]),) if cat else one["texts"] for one in examples]
        words = self.tokenizer([text for bag in bags for text in bag]).numpy()
        batch = stack([{"frames": one["frames"], "video": one["video"]} for one in examples])
        return batch | {"words": words.reshape(len(bags), -1, words.shape[1])}

    def embed(self, model: nn.Module, batch: TensorBatch) -> EmbeddingTensors:
        """Return f (B, D) and g (B, K, D)."""
        embeddings: EmbeddingTensors = model(batch["frames"], batch["words"])
        return embeddings

    def loss(self, embeddings: EmbeddingTensors, batch: TensorBatch) -> Tensor:
        """Return the loss of f (B, D) and g (B, K, D)."""
        video, text = embeddings
        if self.recipe.loss == "max_margin":
            f, g = F.normalize(video.float(), dim=1), F.normalize(text[:, 0].float(), dim=1)
            return max_margin(f, g, batch["video"], margin=self.recipe.margin, intra=self.recipe.intra)
        bag = "sum" if self.recipe.bag == "cat" else self.recipe.bag
        how = {"double_count": self.recipe.double_count, "bfloat16": self.recipe.precision == "bf16"}
        return mil_nce(video, text, bag=bag, **how)

    def export(self, model: nn.Module, card: str = "") -> TextVideoEncoder:
        """Return a copy of a model as an encoder, on the CPU."""
        recipe, net = self.recipe, cast(TextVideoNet, copy.deepcopy(model))
        clip = ClipSpec(recipe.frames, recipe.fps, recipe.size)
        by: Literal["cosine", "dot"] = "cosine" if recipe.loss == "max_margin" else "dot"
        return TextVideoEncoder(net, self.tokenizer, clip, similarity=by, device="cpu", card=card)


def _clips(recipe: Recipe, corpus: Corpus) -> Clips:
    return Clips(
        corpus,
        frames=recipe.frames,
        fps=recipe.fps,
        size=recipe.size,
        bag_size=1 if recipe.bag == "first" or recipe.loss == "max_margin" else recipe.bag_size,
        per_video=recipe.per_video,
        min_s=recipe.min_s,
        bag_rule=recipe.bag_rule,
    )


class _System:
    name = "mil-nce"
    description = "A joint embedding of pixels and words, from narrated videos whose narration is misaligned."
    recipe = Recipe
    evaluator = "clip-retrieval"

    def read(self, path: Path, recipe: Recipe, progress: Progress) -> Corpus:  # noqa: ARG002
        """Return narrated videos: a folder with captions beside them, a manifest, a release, shards."""
        return read_training_corpus(path, progress=progress)

    def build(self, recipe: Recipe, data: Corpus, folder: Path, progress: Progress) -> MilNce:  # noqa: ARG002
        """Return the method for a corpus."""
        return MilNce(recipe, data)


SYSTEM = _System()
