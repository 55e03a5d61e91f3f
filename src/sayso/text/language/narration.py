"""What somebody who shows a task says is done: verbs with their direct objects, and when.

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

from sayso.core.types import Caption, Span
from sayso.text.captions.timed_words import PAUSE_S
from sayso.text.language.actions import CLOSED, DETERMINERS, base_form

_LONG = 160  # letters of a sentence; automatic captions have no full stops
_SENTENCE = re.compile(r"\S.*?(?:[.!?;…]+[\"'”’)]*(?=\s|$)|$)", re.DOTALL)
_SOUND = re.compile(r"\[[^\]]*\]|\([^)]*\)|♪|>>")
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*|\d+(?:[.,/]\d+)*|[^\w\s]")
_LEADS = frozenset(
    """
    to gonna wanna can could will would should must may might just please i we you they i'll we'll
    you'll they'll i'm we're you're they're let's lets don't i've we've you've be i'd you'd we'd
    """.split()  # noqa: SIM905
)
_OPENINGS = frozenset(
    """
    , . : ; - ! ? now next then first second third finally lastly and so here afterwards again okay ok
    well also
    """.split()  # noqa: SIM905
)
_PARTICLES = frozenset(["up", "down", "out", "off", "on", "over", "away", "back", "in", "apart", "together"])
_BEFORE_VERBS = frozenset(["and", "then", "up", "off", "on", "out", "down", "back", "in", "is", "was", "not"])
_QUANTITIES = frozenset(
    """
    all both each every few several more some any two three four five six seven eight nine ten of
    """.split()  # noqa: SIM905
)
_MEASURES = frozenset(
    """
    bit bunch couple cup drop end handful kind lot layer part piece pinch pair rest side slice sort
    spoon spoonful tablespoon teaspoon
    """.split()  # noqa: SIM905
)
_LATE = frozenset(
    """
    counterclockwise clockwise inside outside first last once twice well far away tight like per
    until till because since once please okay ok right left i'm you're we're it's that's there's
    always never really actually basically probably usually often even almost simply maybe hey hi hello
    guys folks yeah yes no kind sort going ahead already
    """.split()  # noqa: SIM905
)
# What is neither done nor seen: speaking, thinking, having, and the verbs of "do it", "let me".
_UNSEEN = frozenset(
    """
    be have do want need like love know think see mean say tell let try hope guess feel believe
    understand remember forget learn wonder ask talk speak call thank subscribe watch look enjoy
    happen become seem start begin keep help show explain notice recommend suggest prefer use make
    get go come give take bring find lead allow cause require contain include involve wish hear read
    play live work own cost charge regret worry welcome listen
    """.split()  # noqa: SIM905
)
_WEAK = frozenset(
    ["use", "make", "get", "give", "take", "bring", "find", "keep", "start", "begin", "let", "play"]
)
_VAGUE = frozenset(
    """
    it this that these those them thing something anything everything nothing one way time bit lot
    stuff kind sort step video channel guy everybody everyone somebody someone i you we they he she
    me us him her what who which idea problem question care sure mistake hour minute second day year
    week part rest job advantage look place reason
    """.split()  # noqa: SIM905
)
# "Baking powder" is nothing that is done.
_THINGS = frozenset(
    """
    board bowl dish form fork knife oil pan paper plate platter pot powder rack sheet soda spoon spray stick
    tape tray wine wire
    """.split()  # noqa: SIM905
)
_PLURALS = {
    "knives": "knife", "leaves": "leaf", "halves": "half", "loaves": "loaf", "teeth": "tooth",
    "feet": "foot", "children": "child", "men": "man", "women": "woman", "shelves": "shelf",
    "pliers": "pliers", "scissors": "scissors", "gas": "gas", "lens": "lens", "tongs": "tongs",
    "cookies": "cookie", "pies": "pie", "ties": "tie", "shoes": "shoe",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mention:
    """A verb and its direct object, as they are said.

    Args:
        verb: base form.
        object: singular.
        span: when the words from the verb to the object are said, seconds.
        text: the sentence, or the captions' lines where sentences have no end.
    """

    verb: str
    object: str
    span: Span
    text: str

    @property
    def phrase(self) -> str:
        """The pair in two words: "loosen nut"."""
        return f"{self.verb} {self.object}"


def mentions(captions: Iterable[Caption], parser: Any = None) -> list[Mention]:
    """Return the verbs with their objects that a narration tells of, in order of time.

    What cannot be seen ("know the answer") and what does not say of what ("do it") is left out.

    Args:
        captions: of one video.
        parser: a spaCy pipeline (``sayso.text.language.actions.load_parser``); None uses the rules.
    """
    found = []
    for told in _told(captions):
        pairs = _by_rules(told.text) if parser is None else _by_parse(parser(told.text))
        for verb, noun, begin, end in pairs:
            if _shows(verb, noun):
                found.append(
                    Mention(verb, noun, Span(told.time(begin), told.time(end)), told.around(begin, end))
                )
    return sorted(found, key=lambda mention: mention.span.start)


def told_sentences(captions: Iterable[Caption]) -> list[Caption]:
    """Return a narration's sentences, timed by where their words stand in the captions.

    Captions are joined until somebody else speaks or nobody does for 2 s; a caption without
    full stops may so become part of a long sentence. Sounds, "[Music]", are left out.
    """
    sentences = []
    for told in _told(captions):
        for found in _SENTENCE.finditer(told.text):
            text = " ".join(found[0].split())
            if re.search(r"\w", text):
                sentences.append(Caption(Span(told.time(found.start()), told.time(found.end())), text))
    return sentences


class _Told:
    """Captions without a pause between them, as one text whose letters have times."""

    def __init__(self, captions: Sequence[Caption]) -> None:
        texts = [_SOUND.sub(lambda sound: " " * len(sound[0]), caption.text) for caption in captions]
        self.text = "\n".join(texts)
        letters = np.cumsum([0] + [len(text) + 1 for text in texts])
        self._letters = np.column_stack([letters[:-1], letters[1:] - 1]).ravel().astype(float)
        times = np.array([(c.span.start, c.span.end) for c in captions], dtype=float).ravel()
        self._times = np.maximum.accumulate(times)

    def time(self, letter: int) -> float:
        """Return when a letter is said, seconds."""
        return round(float(np.interp(letter, self._letters, self._times)), 3)

    def around(self, begin: int, end: int) -> str:
        """Return the sentence around some words; their lines, where it has no end."""
        for found in _SENTENCE.finditer(self.text):
            if found.start() <= begin < found.end() and len(found[0]) <= _LONG:
                return " ".join(found[0].split())
        first, last = self.text.rfind("\n", 0, begin) + 1, self.text.find("\n", end)
        return " ".join(self.text[first : last if last >= 0 else None].split())


def _told(captions: Iterable[Caption]) -> Iterator[_Told]:
    run: list[Caption] = []
    for caption in sorted(captions, key=lambda caption: caption.span):
        apart = bool(run) and (
            caption.span.start - run[-1].span.end > PAUSE_S or caption.speaker != run[-1].speaker
        )
        if apart:
            yield _Told(run)
            run = []
        run.append(caption)
    if run:
        yield _Told(run)


def _shows(verb: str, noun: str) -> bool:
    """Say whether somebody can be seen doing this."""
    return noun not in _VAGUE and len(noun) > 1 and (verb not in _UNSEEN or verb in _WEAK)


def _by_parse(parsed: Any) -> Iterator[tuple[str, str, int, int]]:
    """Yield verb, object, first and last letter, of a spaCy parse."""
    for token in parsed:
        if token.pos_ != "VERB":
            continue
        for child in token.children:
            if child.dep_ not in ("dobj", "obj") or child.pos_ == "PRON":
                continue
            head = child
            if head.lemma_.lower() in _MEASURES:
                inner = [
                    n for of in head.children if of.lower_ == "of" for n in of.children if n.dep_ == "pobj"
                ]
                head = inner[0] if inner else head
            last = max(token.idx + len(token), head.idx + len(head))
            if head.i == token.i + 1 and _is_compound(token.lower_, head.lemma_.lower()):
                continue
            yield token.lemma_.lower(), singular(head.lemma_.lower()), min(token.idx, head.idx), last


def _by_rules(text: str) -> Iterator[tuple[str, str, int, int]]:
    """Yield verb, object, first and last letter, found by the words around them."""
    found = list(_WORD.finditer(text))
    words = [word[0].lower().replace("’", "'") for word in found]
    breaks = {k for k, (a, b) in enumerate(pairwise(found)) if "\n" in text[a.end() : b.start()]}
    verbs = [k for k in range(len(words)) if _is_verb(words, k, k in breaks)]
    for number, k in enumerate(verbs):
        until = verbs[number + 1] if number + 1 < len(verbs) else len(words)
        at = _object(words, k + 1, until)
        if at is not None and not (at == k + 1 and _is_compound(words[k], singular(words[at]))):
            yield _verb(words[k]), singular(words[at]), found[k].start(), found[at].end()


def _is_verb(words: list[str], k: int, broken: bool) -> bool:
    """Say whether a word stands where a verb of an instruction stands, with an object after it.

    A line that is ``broken`` after the word may be the end of a sentence, where one without full stops
    goes on: then only what stands before the word tells.
    """
    word, before = words[k], words[k - 1] if k else ","
    if not _is_open(word) or word in _LATE or word in _VAGUE or word.endswith("ly") or before in DETERMINERS:
        return False
    after = k + 1
    while after < len(words) and words[after] in _PARTICLES:
        after += 1
    if after >= len(words):
        return False
    names = words[after] in DETERMINERS or words[after] in _QUANTITIES or words[after][0].isdigit()
    if before in _LEADS or (before in _OPENINGS and before != "and"):
        return names or _is_open(words[after])
    if broken:
        return False
    if before in CLOSED and before not in _BEFORE_VERBS:
        return names and word.endswith("ing")
    return names and words[after] != "of"


def _object(words: list[str], k: int, until: int) -> int | None:
    """Return where the noun of the phrase after a verb stands: the last word before the phrase ends."""
    while k < until and words[k] in _PARTICLES:
        k += 1
    noun = None
    for at in range(k, min(k + 8, until)):
        word = words[at]
        measured = noun is not None and singular(words[noun]) in _MEASURES and word == "of"
        if measured or (noun is None and (word in DETERMINERS or word in _QUANTITIES or word[0].isdigit())):
            continue
        ended = not _is_open(word) or word in DETERMINERS or word in _LATE or word.endswith("ly")
        if ended:
            break
        noun = at
    return noun


def _is_compound(word: str, noun: str) -> bool:
    """Say whether a word in -ing and the noun right after it name a thing: "baking powder"."""
    return word.endswith("ing") and noun in _THINGS


def _is_open(word: str) -> bool:
    """Say whether a word is none of the small words and signs of the grammar."""
    small = word in CLOSED or word in DETERMINERS or word in _LEADS or word in _OPENINGS
    return word[0].isalpha() and not small


def _verb(word: str) -> str:
    return word if word.endswith(("eed", "ring", "ss")) and len(word) < 7 else base_form(word)


def singular(noun: str) -> str:
    """Return a noun's singular by the rules of English spelling: "nuts" -> "nut", "boxes" -> "box"."""
    if noun in _PLURALS:
        return _PLURALS[noun]
    if noun.endswith("ies") and len(noun) > 4:
        return noun[:-3] + "y"
    if noun.endswith(("sses", "xes", "zzes", "ches", "shes", "oes")):
        return noun[:-2]
    if noun.endswith("s") and not noun.endswith(("ss", "us", "is")) and len(noun) > 3:
        return noun[:-1]
    return noun
