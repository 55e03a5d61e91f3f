"""Steps in narration: verbs with their direct objects, and when they are spoken.

People name a step by a verb and its object, "now loosen the lug nuts", in sentences that run
over several captions and, in automatic ones, have no full stops. So captions are first joined
to sentences, then the pairs are found, and each is timed by where its words stand.

With a spaCy pipeline (``sayso.text.language.actions.load_parser``) the pairs are its direct-object
relations. Without one, rules find verbs by what stands around them: speech that instructs
is imperative ("loosen the nuts") or says "you want to", "we", "let's".

Source
    Alayrac et al., CVPR 2016, section 4.1 (direct-object relations). https://arxiv.org/abs/1506.09215
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from sayso.core.types import PAUSE_S, Caption, Span
from sayso.text.language.actions import CLOSED, DETERMINERS, base_form
from sayso.text.language.narration_words import (
    BEFORE_VERBS,
    LATE,
    LEADS,
    MEASURES,
    OPENINGS,
    PARTICLES,
    PLURALS,
    QUANTITIES,
    THINGS,
    UNSEEN,
    VAGUE,
    WEAK,
)
from sayso.text.language.opposites import DIRECTIONS

_Pair = tuple[str, str, int, int, str]  # verb, object, first letter, last letter, particle
_LONG = 160  # letters of a sentence; automatic captions have no full stops
_SENTENCE = re.compile(r"\S.*?(?:[.!?;…]+[\"'”’)]*(?=\s|$)|$)", re.DOTALL)
_SOUND = re.compile(r"\[[^\]]{0,500}\]|\([^)]{0,500}\)|♪|>>")
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*|\d+(?:[.,/]\d+)*|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Mention:
    """A verb and its direct object, as they are spoken.

    Args:
        verb: base form.
        object: singular.
        span: when the words from the verb to the object are spoken, seconds.
        text: the sentence, or the captions' lines where sentences have no end.
        particle: which way ("up" of "jack up the car", "off" of "turn the light off"); empty if not said.
    """

    verb: str
    object: str
    span: Span
    text: str
    particle: str = ""

    @property
    def phrase(self) -> str:
        """The pair in two words: "loosen nut"."""
        return f"{self.verb} {self.object}"


def mentions(captions: Iterable[Caption], parser: Any = None) -> list[Mention]:
    """Return the verbs with their objects that a narration names, in order of time.

    What cannot be seen ("know the answer") and what does not say of what ("do it") is left out.

    Args:
        captions: of one video.
        parser: a spaCy pipeline (``sayso.text.language.actions.load_parser``); None uses the rules.
    """
    found = []
    for run in _runs(captions):
        pairs = _by_rules(run.text) if parser is None else _by_parse(parser(run.text))
        for verb, noun, begin, end, particle in pairs:
            if _shows(verb, noun):
                span = Span(run.time(begin), run.time(end))
                found.append(Mention(verb, noun, span, run.around(begin, end), particle))
    return sorted(found, key=lambda mention: mention.span.start)


def narrated_sentences(captions: Iterable[Caption]) -> list[Caption]:
    """Return a narration's sentences, timed by where their words stand in the captions.

    Captions are joined until somebody else speaks or nobody does for 2 s; a caption without
    full stops may so become part of a long sentence. Sounds, "[Music]", are left out.
    """
    sentences = []
    for run in _runs(captions):
        for found in _SENTENCE.finditer(run.text):
            text = " ".join(found[0].split())
            if re.search(r"\w", text):
                sentences.append(Caption(Span(run.time(found.start()), run.time(found.end())), text))
    return sentences


class _Run:
    """Captions without a pause between them, as one text whose letters have times."""

    def __init__(self, captions: Sequence[Caption]) -> None:
        texts = [_SOUND.sub(lambda sound: " " * len(sound[0]), caption.text) for caption in captions]
        self.text = "\n".join(texts)
        letters = np.cumsum([0] + [len(text) + 1 for text in texts])
        self._letters = np.column_stack([letters[:-1], letters[1:] - 1]).ravel().astype(float)
        times = np.array([(c.span.start, c.span.end) for c in captions], dtype=float).ravel()
        self._times = np.maximum.accumulate(times)

    def time(self, letter: int) -> float:
        """Return when a letter is spoken, seconds."""
        return round(float(np.interp(letter, self._letters, self._times)), 3)

    def around(self, begin: int, end: int) -> str:
        """Return the sentence around some words; their lines, where it has no end."""
        for found in _SENTENCE.finditer(self.text):
            if found.start() <= begin < found.end() and len(found[0]) <= _LONG:
                return " ".join(found[0].split())
        first, last = self.text.rfind("\n", 0, begin) + 1, self.text.find("\n", end)
        return " ".join(self.text[first : last if last >= 0 else None].split())


def _runs(captions: Iterable[Caption]) -> Iterator[_Run]:
    run: list[Caption] = []
    for caption in sorted(captions, key=lambda caption: caption.span):
        apart = bool(run) and (
            caption.span.start - run[-1].span.end > PAUSE_S or caption.speaker != run[-1].speaker
        )
        if apart:
            yield _Run(run)
            run = []
        run.append(caption)
    if run:
        yield _Run(run)


def _shows(verb: str, noun: str) -> bool:
    """Say whether somebody can be seen doing this."""
    return noun not in VAGUE and len(noun) > 1 and (verb not in UNSEEN or verb in WEAK)


def _by_parse(parsed: Any) -> Iterator[_Pair]:
    """Yield what a spaCy parse finds."""
    for token in parsed:
        if token.pos_ != "VERB":
            continue
        ways = (child.lower_ for child in token.children if child.dep_ in ("prt", "advmod"))
        way = next((word for word in ways if word in DIRECTIONS), "")
        for child in token.children:
            if child.dep_ not in ("dobj", "obj") or child.pos_ == "PRON":
                continue
            head = child
            if head.lemma_.lower() in MEASURES:
                inner = [
                    n for of in head.children if of.lower_ == "of" for n in of.children if n.dep_ == "pobj"
                ]
                head = inner[0] if inner else head
            last = max(token.idx + len(token), head.idx + len(head))
            if head.i == token.i + 1 and _is_compound(token.lower_, head.lemma_.lower()):
                continue
            yield token.lemma_.lower(), singular(head.lemma_.lower()), min(token.idx, head.idx), last, way


def _by_rules(text: str) -> Iterator[_Pair]:
    """Yield what the words around verbs and objects tell."""
    found = list(_WORD.finditer(text))
    words = [word[0].lower().replace("’", "'") for word in found]
    breaks = {k for k, (a, b) in enumerate(pairwise(found)) if "\n" in text[a.end() : b.start()]}
    verbs = [k for k in range(len(words)) if _is_verb(words, k, k in breaks)]
    for number, k in enumerate(verbs):
        until = verbs[number + 1] if number + 1 < len(verbs) else len(words)
        at = _object(words, k + 1, until)
        if at is not None and not (at == k + 1 and _is_compound(words[k], singular(words[at]))):
            way = _way(words, k, at)
            yield _verb(words[k]), singular(words[at]), found[k].start(), found[at].end(), way


def _is_verb(words: list[str], k: int, broken: bool) -> bool:
    """Say whether a word stands where a verb of an instruction stands, with an object after it.

    A line that is ``broken`` after the word may be the end of a sentence, where one without full stops
    goes on: then only what stands before the word decides.
    """
    word, before = words[k], words[k - 1] if k else ","
    if not _is_open(word) or word in LATE or word in VAGUE or word.endswith("ly") or before in DETERMINERS:
        return False
    after = k + 1
    while after < len(words) and words[after] in PARTICLES:
        after += 1
    if after >= len(words):
        return False
    names = words[after] in DETERMINERS or words[after] in QUANTITIES or words[after][0].isdigit()
    if before in LEADS or (before in OPENINGS and before != "and"):
        return names or _is_open(words[after])
    if broken:
        return False
    if before in CLOSED and before not in BEFORE_VERBS:
        return names and word.endswith("ing")
    return names and words[after] != "of"


def _object(words: list[str], k: int, until: int) -> int | None:
    """Return where the noun of the phrase after a verb stands: the last word before the phrase ends."""
    while k < until and words[k] in PARTICLES:
        k += 1
    noun = None
    for at in range(k, min(k + 8, until)):
        word = words[at]
        measured = noun is not None and singular(words[noun]) in MEASURES and word == "of"
        if measured or (noun is None and (word in DETERMINERS or word in QUANTITIES or word[0].isdigit())):
            continue
        ended = not _is_open(word) or word in DETERMINERS or word in LATE or word.endswith("ly")
        if ended:
            break
        noun = at
    return noun


def _way(words: list[str], k: int, at: int) -> str:
    """Return which way a verb at ``k`` goes: what stands right after it, or at the end after its object."""
    if words[k + 1] in DIRECTIONS:
        return words[k + 1]
    ends = at + 2 >= len(words) or (not _is_open(words[at + 2]) and words[at + 2] not in DETERMINERS)
    return words[at + 1] if ends and at + 1 < len(words) and words[at + 1] in DIRECTIONS else ""


def _is_compound(word: str, noun: str) -> bool:
    """Say whether a word in -ing and the noun right after it name a thing: "baking powder"."""
    return word.endswith("ing") and noun in THINGS


def _is_open(word: str) -> bool:
    """Say whether a word is none of the small words and signs of the grammar."""
    small = word in CLOSED or word in DETERMINERS or word in LEADS or word in OPENINGS
    return word[0].isalpha() and not small


def _verb(word: str) -> str:
    return word if word.endswith(("eed", "ring", "ss")) and len(word) < 7 else base_form(word)


def singular(noun: str) -> str:
    """Return a noun's singular by the rules of English spelling: "nuts" -> "nut", "boxes" -> "box"."""
    if noun in PLURALS:
        return PLURALS[noun]
    if noun.endswith("ies") and len(noun) > 4:
        return noun[:-3] + "y"
    if noun.endswith(("sses", "xes", "zzes", "ches", "shes", "oes")):
        return noun[:-2]
    if noun.endswith("s") and not noun.endswith(("ss", "us", "is")) and len(noun) > 3:
        return noun[:-1]
    return noun
