"""What is known of a how-to title before anything is learned: its verb, its object, and words that tell."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np

from sayso.core.arrays import Float32s
from sayso.models.minilm import MiniLM

SENTENCE, VERB, SIGNS = 3.0, 2.0, 0.7  # how much each part of the features weighs
_WORDS = """
adverbs: always carefully how humanely never not quickly safely simply successfully to
prepositions: after and as at before by during for from if in into like of on or so than that to using when
    while with without
articles: a an any her his my our some the their these this your
particles: away back down in off on out over up
"""
_ADVERBS, _AFTER_OBJECT, _ARTICLES, _PARTICLES = (
    frozenset(words.split()) for words in re.split(r"\w+:", _WORDS)[1:]
)


@dataclass(frozen=True, slots=True)
class TitleWords:
    """A title's verb and object, and the topic words after the verb.

    Args:
        verb: in small letters; with its particle: "put on".
        object: what follows, up to the first preposition; empty if there is none.
        topics: words of things that are hardly ever seen being done.
        words: how many words there are.
    """

    verb: str
    object: str
    topics: tuple[str, ...]
    words: int


def read_words(title: str) -> TitleWords:
    """Take a title apart: the first word that is no adverb is its verb."""
    words = re.findall(r"[a-z0-9][a-z0-9'&.+-]*", title.lower().replace("’", "'"))
    while len(words) > 1 and (words[0] in _ADVERBS or words[0].endswith("ly")):
        words = words[1:]
    if not words:
        return TitleWords("", "", (), 0)
    verb, *rest = words
    topics = tuple(word for word in rest if word in _lists().topics)
    if rest and rest[0] in _PARTICLES and len(rest) > 1 and rest[1] in _ARTICLES | _AFTER_OBJECT:
        verb, rest = f"{verb} {rest[0]}", rest[1:]
    end = next((k for k, word in enumerate(rest) if word in _AFTER_OBJECT), len(rest))
    found = [word for word in rest[:end] if word not in _ARTICLES]
    while found and found[-1] in _PARTICLES:
        found.pop()
    return TitleWords(verb, " ".join(found), topics, len(words))


def verb_kind(verb: str) -> str:
    """Return whether a verb is ``physical``, ``other``, ``either``, or ``unknown``."""
    first, lists = verb.partition(" ")[0], _lists()
    physical, other = first in lists.physical, first in lists.other
    return "either" if physical and other else "physical" if physical else "other" if other else "unknown"


def title_features(titles: Sequence[str], embed: MiniLM) -> Float32s:
    """Return the features (N, 776) of titles: the sentence "How to ...", its verb, and what is known of both.

    Args:
        titles: N of them, readable.
        embed: the text tower; equal verbs are embedded once.
    """
    known = [read_words(title) for title in titles]
    first = [words.verb.partition(" ")[0] or "do" for words in known]
    verbs = {verb: k for k, verb in enumerate(dict.fromkeys(first))}
    sentences = embed([f"How to {title}" for title in titles])
    vectors = embed([*verbs])[[verbs[verb] for verb in first]]
    signs = np.array([_signs(words) for words in known], np.float32).reshape(len(titles), -1)
    return np.concatenate([SENTENCE * sentences, VERB * vectors, SIGNS * signs], 1)


def _signs(words: TitleWords) -> list[float]:
    kind, topics = verb_kind(words.verb), len(words.topics)
    return [
        kind == "physical",
        kind == "other",
        kind == "either",
        words.verb.startswith("make"),
        topics > 0,
        topics > 1,
        words.words == 1,
        min(words.words, 10) / 10,
    ]


@dataclass(frozen=True, slots=True)
class _Lists:
    physical: frozenset[str]
    other: frozenset[str]
    topics: frozenset[str]


@cache
def _lists() -> _Lists:
    file = resources.files("sayso.systems.corpus") / "title_words.toml"
    read = tomllib.loads(file.read_text(encoding="utf-8"))
    names = ("physical_verbs", "other_verbs", "topics")
    return _Lists(*(frozenset(read[name].split()) for name in names))
