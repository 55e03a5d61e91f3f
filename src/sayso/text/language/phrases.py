"""Which phrases name the same step: "hoist mug" and "raise cup", but not "loosen nut" and "tighten nut".

Words alone are a poor guide (in an embedding, opposites are near to each other), so a task's own
narrations decide as well. Somebody who shows a step names it once: two phrases that share a word name
the same step if they hardly ever occur in one video, and two steps if they often do.

    likeness 1      both words are the same, or synonyms (an embedding, a dictionary)
    likeness 1/2    one word is, which is not said of all and sundry (as "add" is in a recipe), and
                    the phrases occur together less often than if they were independent
    likeness 0      otherwise, and where the verbs say opposites (``sayso.text.language.opposites``)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sayso.core.arrays import Bools, Floats
from sayso.text.language.narration import Mention
from sayso.text.language.opposites import DIRECTIONS, opposite

Pair = tuple[str, str]  # verb, object
Embed = Callable[[list[str]], NDArray[np.float32]]
HALF = 0.5
_MAX_TOGETHER = 0.5  # of the videos in which two phrases are expected together if they are independent
_PARTNERS = 6  # a word that goes with more words than that says little


def commonest(videos: Sequence[Sequence[Mention]], limit: int = 45) -> list[Pair]:
    """Return the pairs that most videos name, at most so many of those that two name.

    Source: the public code of Alayrac et al. 2016 keeps the 45 commonest.
    """
    counts = Counter(pair for video in videos for pair in {(m.verb, m.object): None for m in video})
    return [pair for pair, count in counts.most_common(limit) if count > 1]


def with_particles(videos: Sequence[Sequence[Mention]]) -> list[list[Mention]]:
    """Return the mentions with the particle beside the verb where the task needs it to tell two steps apart.

    That is where two videos at least say one way and two the other: "turn on light", "turn off light".
    """
    ways = Counter(key for video in videos for key in {(m.verb, m.object, m.particle) for m in video})
    several = {key for key, count in ways.items() if count > 1}
    apart = {(v, o, way) for v, o, way in several if (v, o, DIRECTIONS.get(way)) in several}
    return [
        [
            replace(m, verb=f"{m.verb} {m.particle}") if (m.verb, m.object, m.particle) in apart else m
            for m in video
        ]
        for video in videos
    ]


def synonyms(words: Sequence[str], embed: Embed | None, least: float = 0.7) -> Bools:
    """Return which words are near enough in an embedding to stand for each other, (V, V).

    Args:
        words: V.
        embed: words -> (V, D) with cosine similarity, as an encoder's ``encode_text``; None: no synonyms.
        least: smallest cosine similarity.
    """
    if embed is None or not words:
        return np.eye(len(words), dtype=bool)
    vectors = np.asarray(embed(list(words)), dtype=np.float64)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    near: Bools = vectors @ vectors.T >= least
    return near | np.eye(len(words), dtype=bool)


def phrase_likeness(
    pairs: Sequence[Pair], videos: Sequence[Sequence[Pair]], embed: Embed | None = None, least: float = 0.7
) -> Floats:
    """Return how far each two phrases name the same step, (P, P): 0, 1/2 or 1.

    Args:
        pairs: P different pairs of verb and object.
        videos: the pairs that each video names, these or others.
        embed: texts -> embeddings with cosine similarity; None counts only equal words as the same.
        least: cosine similarity from which words are synonyms.
    """
    same, telling = [], []
    for part in (0, 1):
        words = list(dict.fromkeys(pair[part] for pair in pairs))
        at = [words.index(pair[part]) for pair in pairs]
        same.append(synonyms(words, embed, least)[np.ix_(at, at)])
        partners = np.bincount(at, minlength=len(words))[at]
        telling.append(np.maximum.outer(partners, partners) <= _PARTNERS)
    named = np.array([[pair in set(video) for pair in pairs] for video in videos], dtype=float)
    named = named.reshape(len(videos), len(pairs))
    together = named.T @ named
    single = np.diag(together)
    expected = np.outer(single, single) / max(1, len(videos))
    apart = together <= _MAX_TOGETHER * expected
    one = (same[0] & telling[0]) | (same[1] & telling[1])
    both = same[0] & same[1]
    apart &= ~np.array([[opposite(a, b) for b, _ in pairs] for a, _ in pairs], bool).reshape(apart.shape)
    likeness: Floats = np.where(both & apart, 1.0, np.where(one & apart, HALF, 0.0))
    np.fill_diagonal(likeness, 1.0)
    return likeness
