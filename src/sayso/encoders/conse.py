"""ConSE: the class scores of a picture become a point in the space of texts.

With p(c) the probability of class c and t(c) the embedding of its name, a
picture is embedded as

    v = sum_c p_tau(c) (t(c) - m),    p_tau = softmax(logits / tau),    m = mean_c t(c)

and a text x as t(x) - m; both are then scaled to unit norm. [1] is the case
tau = 1, m = 0, with the ten most probable classes and bare names. Here the text of
a class is its name and its WordNet gloss ("a photo of a tench, freshwater
dace-like game fish ..."), all classes take part, softened by tau = 2, since a
photograph shows more than one thing, and the mean, which every sentence shares
and which tells classes apart from nothing, is subtracted.

Sources
    [1] Norouzi et al. 2014, Zero-shot learning by convex combination of
        semantic embeddings. https://arxiv.org/abs/1312.5650
    [2] WordNet 3.0 (names and glosses). https://wordnet.princeton.edu
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sayso.core.io import sha256_of
from sayso.encoders.batching import unit_norm
from sayso.encoders.interface import Embeddings
from sayso.text.language.vocabulary import words_in

if TYPE_CHECKING:
    from torch import Tensor

CLASSES_TSV = Path(__file__).with_name("imagenet_classes.tsv")
CLASSES_NPY = Path(__file__).with_name("imagenet_classes.npy")
TEMPERATURE = 2.0
RECIPE = "conse: names and glosses, all classes, temperature 2, centred; 1"


def imagenet_classes() -> list[tuple[str, str, str]]:
    """Return wnid, WordNet name and gloss of ImageNet's 1,000 classes, by wnid, as they are numbered."""
    lines = CLASSES_TSV.read_text(encoding="utf-8").splitlines()
    return [(wnid, name, gloss) for wnid, name, gloss in (line.split("\t") for line in lines)]


@cache
def class_words() -> frozenset[str]:
    """Return the words of the classes' names and glosses, in lower case."""
    texts = (f"{name} {gloss}" for _, name, gloss in imagenet_classes())
    return frozenset(word for text in texts for word in words_in(text))


def class_texts() -> list[str]:
    """Return one sentence a class: its name and its WordNet gloss."""
    return [f"a photo of {_article(name)} {name}, {gloss}" for _, name, gloss in imagenet_classes()]


def _article(name: str) -> str:
    return "an" if name[0].lower() in "aeiou" else "a"


@cache
def class_embeddings() -> Embeddings:
    """Return the text embeddings of the class texts, (1000, 384), as shipped with the package."""
    return np.asarray(np.load(CLASSES_NPY), np.float32)


@cache
def classes_sha256() -> str:
    """Return the SHA-256 of the shipped class embeddings, hexadecimal."""
    return sha256_of(CLASSES_NPY)


@cache
def mean_text() -> Embeddings:
    """Return m, (384,): what every class text has in common."""
    mean: Embeddings = class_embeddings().mean(0)
    return mean


def embed_logits(logits: Tensor) -> Tensor:
    """Embed pictures from their class scores: (B, 1000) logits -> (B, 384) unit norm.

    It is torch, like what makes the logits: the threads of numpy's matrix product would keep the
    processor busy for a while after each batch, and the tower was 4 times slower for it.
    """
    import torch

    classes = torch.from_numpy(class_embeddings() - mean_text()).to(logits.device)
    embedding = torch.softmax(logits / TEMPERATURE, 1) @ classes
    return torch.nn.functional.normalize(embedding, dim=1)


def embed_sentences(sentences: Embeddings) -> Embeddings:
    """Move sentence embeddings (B, 384) into the space of the pictures: centred, unit norm."""
    return unit_norm(sentences - mean_text())
