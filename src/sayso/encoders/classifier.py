"""A classifier made of words: the name of a class, put into sentences, is its weight.

    w_c = unit(mean_k unit(g(template_k with the name c)))
    p(c | x) = softmax_c(exp(t) <f(x), w_c>)           CLIP
             = sigmoid(exp(t) <f(x), w_c> + b)         SigLIP

f and g are the towers of a dual encoder, t its temperature and b its bias. The softmax says which of
the names it is, given that it is one of them; the sigmoid asks of each name by itself. Of an encoder that
was not trained to give probabilities, they are a softmax at ``SCALE`` and only order the names. Where
vectors are compared by their dot product, nothing is scaled to unit norm.

Sources
    [1] Radford et al. 2021, CLIP, section 3.1. https://arxiv.org/abs/2103.00020
    [2] Zhai et al. 2023, SigLIP. https://arxiv.org/abs/2303.15343
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from sayso.core.arrays import Floats, Pixels
from sayso.core.errors import SaysoError
from sayso.core.progress import Progress, Silent
from sayso.encoders.batching import as_texts, unit_norm
from sayso.encoders.interface import Embeddings, Encoder, Scaled

if TYPE_CHECKING:
    from PIL.Image import Image

    from sayso.data.class_names import Names, Templates

log = logging.getLogger(__name__)
TEMPLATES = ("a photo of a {c}.",)
SCALE = 100.0
TEXTS = 2000  # sentences embedded, and kept, at once
Sentences = tuple[str, ...]  # of one class
Keep = Callable[[Sequence[Sentences], Callable[[], Embeddings]], Embeddings]
_PUNCTUATION = re.compile(r"[^\w\s]|_")


@dataclass(frozen=True, eq=False)
class Classifier:
    """Tells which of C classes a picture shows.

    Attributes:
        encoder: the dual encoder.
        names: of the classes; of several that mean the same, the first.
        weights: (C, D) float32.
        equal: classes that have the same vector, by number, two or more each: nothing can tell them apart.
    """

    encoder: Encoder
    names: tuple[str, ...]
    weights: Embeddings
    equal: tuple[tuple[int, ...], ...]

    @property
    def exclusive(self) -> bool:
        """Whether exactly one name is taken to be right (softmax), and not each by itself (sigmoid)."""
        return not isinstance(self.encoder, Scaled) or self.encoder.bias is None

    def scores(self, embeddings: Embeddings) -> Floats:
        """Return the similarities (B, C) of embedded pictures (B, D) and the classes.

        Sums are in float64 and rounded to float32, so that equal vectors tie whatever their order.
        """
        products = embeddings.astype(np.float64) @ self.weights.astype(np.float64).T
        return products.astype(np.float32).astype(np.float64)

    def probabilities(self, embeddings: Embeddings) -> Floats:
        """Return the probabilities (B, C) of the classes, given embedded pictures (B, D)."""
        scale = SCALE if self.encoder.similarity == "cosine" else 1.0
        if isinstance(self.encoder, Scaled):
            scale = np.exp(self.encoder.log_scale)
        logits = scale * self.scores(embeddings)
        if isinstance(self.encoder, Scaled) and self.encoder.bias is not None:
            return np.asarray(1 / (1 + np.exp(-(logits + self.encoder.bias))))
        odds = np.exp(logits - logits.max(1, keepdims=True))
        return np.asarray(odds / odds.sum(1, keepdims=True))

    def __call__(self, images: Sequence[Image | Pixels]) -> Floats:
        """Return the probabilities (B, C) of the classes of B pictures."""
        return self.probabilities(self.encoder.encode_images(images))


def classifier(
    encoder: Encoder, names: Names, templates: Templates = TEMPLATES, *, progress: Progress | None = None
) -> Classifier:
    """Make a classifier of words.

    Each sentence is embedded once, so that classes with the same sentences have the same vector; those
    are told, by a warning and in ``Classifier.equal``.

    Args:
        encoder: any dual encoder.
        names: C classes, two or more: a name each, or several that mean the same, such as
            ``["cat", ["dog", "hound"]]``.
        templates: sentences with ``{c}`` or ``{}`` in the place of the name; their vectors are averaged. Or a
            dict of each (first) name's own sentences, which are taken as they are.
        progress: updated with how many sentences are embedded.

    Raises:
        SaysoError: if there are fewer than two names, one is empty, or there is no template for one.

    Examples:
        ``sayso.classifier(sayso.load("offline"), ["cat", "dog"])([picture])``
    """
    if not isinstance(encoder, Scaled):
        log.warning("%s was not trained to give probabilities; those of names only order them", encoder.name)
    weights = class_weights(encoder, names, templates, progress=progress)
    return with_weights(encoder, names, weights)


def class_weights(
    encoder: Encoder,
    names: Names,
    templates: Templates,
    *,
    keep: Keep | None = None,
    progress: Progress | None = None,
) -> Embeddings:
    """Return the weights (C, D) of classes; see ``classifier``. Classes with the same sentences share one.

    Args:
        encoder: any dual encoder.
        names: of the C classes.
        templates: sentences for them.
        keep: called with the sentences of some classes and what makes their weights; returns these, which
            it may have from a cache.
        progress: updated with how many sentences are embedded.

    Raises:
        SaysoError: as of ``classifier``.
    """
    prompts = [tuple(_prompts(aliases, templates)) for aliases in _aliases(names)]
    if isinstance(encoder, Scaled) and encoder.bias is not None:
        prompts = [tuple(map(canonical, texts)) for texts in prompts]
    unique = list(dict.fromkeys(prompts))
    done, total = 0, sum(map(len, unique))
    found: list[Embeddings] = []
    for some in _groups(unique):
        make = partial(_weights, encoder, some)
        found.append(keep(some, make) if keep else make())
        done += sum(map(len, some))
        (progress or Silent()).update(done, total, "sentences")
    number = {texts: k for k, texts in enumerate(unique)}
    return np.concatenate(found)[[number[texts] for texts in prompts]]


def with_weights(encoder: Encoder, names: Names, weights: Embeddings) -> Classifier:
    """Return the classifier of given weights, and tell which classes have equal ones.

    Args:
        encoder: whose texts the weights were made of.
        names: of the C classes.
        weights: (C, D) float32.

    Raises:
        SaysoError: as of ``classifier``.
    """
    first = tuple(aliases[0] for aliases in _aliases(names))
    where: dict[bytes, list[int]] = {}
    for number, row in enumerate(weights + np.float32(0)):  # -0 is 0
        where.setdefault(row.tobytes(), []).append(number)
    equal = tuple(tuple(numbers) for numbers in where.values() if len(numbers) > 1)
    for numbers in equal:
        told = " and ".join(f"{first[k]!r} (name {k + 1})" for k in numbers)
        log.warning("%s have the same vector: the model cannot tell them apart", told)
    return Classifier(encoder, first, weights, equal)


def canonical(text: str) -> str:
    """Return a text as SigLIP reads it: lower case, no punctuation, ``_`` a space, single spaces."""
    return " ".join(_PUNCTUATION.sub("", text.replace("_", " ")).lower().split())


def _aliases(names: Names) -> list[list[str]]:
    """Return the names of each class.

    Raises:
        SaysoError: if there are fewer than two classes, or one has no name.
    """
    if isinstance(names, str):
        raise SaysoError(f"names must be a list of names; got {names!r:.60}")
    found = [as_texts([one] if isinstance(one, str) else one) for one in names]
    if len(found) < 2:
        raise SaysoError(f"a classifier needs two names or more, to choose among; got {len(found)}")
    for number, aliases in enumerate(found, 1):
        if not aliases or not all(name.strip() for name in aliases):
            raise SaysoError(f"name {number} of {len(found)} is empty")
    return found


def _prompts(aliases: Sequence[str], templates: Templates) -> list[str]:
    """Return the sentences of a class.

    Raises:
        SaysoError: if there is none, or a template has no place for the name.
    """
    if isinstance(templates, Mapping):
        texts = as_texts(templates.get(aliases[0], ()))
        if not texts:
            raise SaysoError(f"there are templates for {len(templates)} names, and none for {aliases[0]!r}")
        return texts
    given = as_texts(templates)
    lacking = next((one for one in given if "{c}" not in one and "{}" not in one), None)
    if lacking is not None or not given:
        what = "there is no template" if lacking is None else f"the template {lacking!r} has no {{c}}"
        raise SaysoError(f"{what}: write {{c}} where the name goes, as in {TEMPLATES[0]!r}")
    return [text.replace("{c}", name).replace("{}", name) for name in aliases for text in given]


def _groups(classes: Sequence[Sentences]) -> Iterator[list[Sentences]]:
    """Yield classes in groups of about ``TEXTS`` sentences."""
    group: list[Sentences] = []
    for texts in classes:
        group.append(texts)
        if sum(map(len, group)) >= TEXTS:
            yield group
            group = []
    if group:
        yield group


def _weights(encoder: Encoder, classes: Sequence[Sentences]) -> Embeddings:
    """Return the weights (K, D) of classes, given the sentences of each."""
    normed = unit_norm if encoder.similarity == "cosine" else np.asarray
    number = {text: k for k, text in enumerate(dict.fromkeys(text for texts in classes for text in texts))}
    vectors = normed(encoder.encode_text(list(number)))
    return normed(np.stack([vectors[[number[text] for text in texts]].mean(0) for texts in classes]))
