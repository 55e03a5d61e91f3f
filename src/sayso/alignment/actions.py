"""Which of a user's action classes a description mentions, in three ways.

1. A regular expression for each class: precise, and misses what is worded otherwise.
2. A bag-of-words classifier trained on labelled descriptions [1]: regularised
   logistic regression, one class against the rest,

       minimise over w, b:  mean_n log(1 + exp(-y_n (w . x_n + b))) + l2 / 2 |w|^2,   y_n = +-1,

   x_n holds a 1 for each word and each pair of neighbouring words, scaled to unit length.
3. The verb and object of each sentence, compared with the class names by a sentence
   embedding: no training, any class.

Sources
    [1] Laptev et al., CVPR 2008, section 2.2 (regularised perceptron on a bag of features);
        a logistic loss is used here.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from sayso.core.errors import SaysoError
from sayso.text.language.actions import verb_objects
from sayso.text.language.spoken import spoken_tokens

Embed = Callable[[list[str]], NDArray[np.float32]]
L2 = 1e-3
STEPS = 300


def actions_by_pattern(texts: Sequence[str], patterns: Mapping[str, str]) -> list[list[str]]:
    """Return for each text the classes whose regular expression is found in it, without case.

    Raises:
        SaysoError: if an expression is broken.
    """
    try:
        compiled = {name: re.compile(pattern, re.IGNORECASE) for name, pattern in patterns.items()}
    except re.error as error:
        raise SaysoError(f"the pattern {error.pattern!r} is no regular expression: {error}") from error
    return [[name for name, pattern in compiled.items() if pattern.search(text)] for text in texts]


class ActionWords:
    """The bag-of-words classifier, trained by ``fit``.

    Args:
        l2: weight of the regulariser.

    Attributes:
        classes: names, in the order of the scores.
    """

    def __init__(self, l2: float = L2) -> None:
        self.l2 = l2
        self.classes: list[str] = []
        self.vocabulary: dict[str, int] = {}
        self.weight = np.zeros((0, 0))  # (D + 1, C), the last row is b

    def fit(self, texts: Sequence[str], labels: Sequence[Sequence[str]]) -> ActionWords:
        """Learn from descriptions and the classes that each mentions (maybe none).

        Raises:
            ValueError: if the lengths differ or no text has a class.
        """
        self.classes = sorted({name for names in labels for name in names})
        if len(texts) != len(labels) or not self.classes:
            raise ValueError(
                f"expected as many label lists as texts, some not empty; got {len(labels)} for {len(texts)}"
            )
        words = dict.fromkeys(word for text in texts for word in _bag(text))
        self.vocabulary = {word: number for number, word in enumerate(words)}
        x = self._features(texts)
        y = np.array([[1.0 if name in names else -1.0 for name in self.classes] for names in labels])
        self.weight = _logistic(x, y, self.l2)
        return self

    def predict(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return (B, C) probabilities that each text mentions each class."""
        scores = self._features(texts) @ self.weight
        probability: NDArray[np.float64] = 1 / (1 + np.exp(-np.clip(scores, -500, 500)))
        return probability

    def _features(self, texts: Sequence[str]) -> NDArray[np.float64]:
        x = np.zeros((len(texts), len(self.vocabulary) + 1))
        for row, text in enumerate(texts):
            known = [self.vocabulary[word] for word in _bag(text) if word in self.vocabulary]
            x[row, known] = 1 / np.sqrt(max(len(known), 1))
        x[:, -1] = 1
        return x


def actions_by_meaning(
    texts: Sequence[str], classes: Sequence[str], embed: Embed, *, least: float = 0.5
) -> list[dict[str, float]]:
    """Return for each text the classes that one of its actions is near to, with the similarity.

    Args:
        texts: descriptions.
        classes: names such as "open door".
        embed: texts -> (B, D) embeddings with cosine similarity, as an encoder's ``encode_text``.
        least: smallest cosine similarity that counts.
    """
    phrases = [[action.phrase for action in verb_objects(text)] for text in texts]
    wanted = list(dict.fromkeys([*classes, *(phrase for group in phrases for phrase in group)]))
    if not classes:
        return [{} for _ in texts]
    vectors = np.asarray(embed(wanted), dtype=np.float64)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    at = {phrase: number for number, phrase in enumerate(wanted)}
    found = []
    for group in phrases:
        near = vectors[[at[phrase] for phrase in group]] @ vectors[[at[name] for name in classes]].T
        best = near.max(axis=0) if len(group) else np.full(len(classes), -1.0)
        found.append({name: float(s) for name, s in zip(classes, best, strict=True) if s >= least})
    return found


def _bag(text: str) -> list[str]:
    words = [token.word for token in spoken_tokens(text)]
    return list(dict.fromkeys([*words, *map(" ".join, itertools.pairwise(words))]))


def _logistic(x: NDArray[np.float64], y: NDArray[np.float64], l2: float) -> NDArray[np.float64]:
    """Minimise the objective by accelerated gradient steps of 1 / L (Nesterov)."""
    weight = np.zeros((x.shape[1], y.shape[1]))
    ahead, momentum = weight, 1.0
    decay = np.full((x.shape[1], 1), l2)
    decay[-1] = 0  # b is not held small
    step = 1 / (np.linalg.norm(x, 2) ** 2 / (4 * len(x)) + l2)
    for _ in range(STEPS):
        slope = x.T @ (-y / (1 + np.exp(y * (x @ ahead)))) / len(x) + decay * ahead
        after = ahead - step * slope
        following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = after + (momentum - 1) / following * (after - weight)
        weight, momentum = after, following
    return weight
