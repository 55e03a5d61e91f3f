"""Titles without blanks, as WikiHow's public list has them: ``HowtoGetKoolAidoutofHair1`` made readable.

All but letters and digits is gone from them. Large words begin with a capital, small ones (a, of, out) stick
to the word before. Capitals give the large words; what one of them ends in is cut off as small words where
the parts are more usual than the whole. The last digit is the number of the article's section.

Source
    Koupaee and Wang 2018, WikiHow. https://arxiv.org/abs/1810.09305
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from sayso.core.lazy import need

_SMALL_WORDS = """
a about after against an and around as at be before between by during for from if in into is it its not of off
on onto or out over per so than that the through to under up using via vs when while with within without you
your
"""
_BRAND_NAMES = """
AutoCAD DVD DVDs EBook FaceTime HotMail InDesign JavaScript LaTeX LibreOffice LinkedIn MacBook MapleStory
McDonalds MySQL MySpace OpenOffice PayPal PlayStation PowerPoint RuneScape SimCity TikTok WhatsApp WiFi
WordPress YouTube eBay eBook eBooks iCloud iMessage iMovie iOS iPad iPhone iPhoto iPod iTunes mRNA pH
"""
_SMALL, _BRANDS = frozenset(_SMALL_WORDS.split()), tuple(_BRAND_NAMES.split())
_NUMBER_NAMES = re.compile(r"(?:911|360|365|(?:19|20)\d\d)$")
_TOKEN = re.compile(
    r"[A-Z]+\d+|[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+(?:st|nd|rd|th|s)(?![a-rt-z])|\d+"
)
_ACRONYM = re.compile(r"([A-Z]{2,}|\d+s)([a-z]+)(?=[A-Z0-9]|$)")
_UNKNOWN = 9.0  # the cost of a word that nobody uses, and more for each of its letters
_USUAL = 8.5  # Zipf frequency of the most usual word, about
_JOINT = 1.6  # the cost of a further word
_VERB = 3.0  # how much likelier a title begins with a verb and its particle: Put in, not Putin
_PARTICLES = frozenset({"in", "off", "on", "out", "up"})
_LONGEST = 500  # letters; a longer one is no title, and its names would be sought for long
_SHORTEST_UNKNOWN = 6  # letters of a head that nobody uses; Pokmon, which lost a letter, ends in no "on"


def split_title(title: str) -> str:
    """Return a run-together title in words, without "How to"; one with blanks comes back as it is.

    Args:
        title: such as ``HowtoGetKoolAidoutofHair1``.

    Raises:
        MissingExtra: if wordfreq is not installed and the title has no blanks.
    """
    title = title.strip()
    if (
        " " in title
        or len(title) > _LONGEST
        or not re.fullmatch(r"[A-Za-z0-9]*[a-z][A-Z0-9][A-Za-z0-9]*", title)
    ):
        return re.sub(r"^how to\s+", "", title, flags=re.IGNORECASE)
    body = re.sub(r"^[Hh]ow[Tt]o(?=[A-Z0-9])", "", title)
    if not _NUMBER_NAMES.search(body):
        body = re.sub(r"(?<=.)\d$", "", body)
    words: list[str] = []
    for part, brand in _brands(body):
        words += [part] if brand else _words(part, first=not words)
    return re.sub(r"\bMake up\b", "Makeup", " ".join(words))


def _brands(body: str) -> Iterator[tuple[str, bool]]:
    """Yield the parts between names that are written with capitals inside, and those names."""
    names, smalls = ("|".join(sorted(words, key=len, reverse=True)) for words in (_BRANDS, _SMALL))
    at = 0
    for found in re.finditer(rf"(?:{names})(?=(?:{smalls})*(?:[A-Z0-9]|{names}|$))", body):
        before = body[at : found.start()]
        if found[0][0].islower() and before and _is_word(before, found[0]):
            continue
        yield from [(before, False)] if before else []
        yield found[0], True
        at = found.end()
    yield from [(body[at:], False)] if body[at:] else []


def _is_word(before: str, name: str) -> bool:
    """Tell whether the small letter of a name ends the word before: Homemade Book is no Homemad eBook."""
    token = re.search(r"[A-Z]?[a-z]*$", before)
    head = token[0] if token else ""
    return bool(head) and _cut(head + name[0])[0] <= _cut(head)[0]


def _words(part: str, *, first: bool) -> list[str]:
    """Return the words of a part of a title; the first one is a verb if it begins the title."""
    spaced = _ACRONYM.sub(_after_acronym, part)
    words: list[str] = []
    for token in (token for piece in spaced.split() for token in _TOKEN.findall(piece)):
        whole = len(token) == 1 or token.isupper() or token[0].isdigit()
        words += [token] if whole else _cut(token, verb=first and not words)[1]
    return words


def _after_acronym(found: re.Match[str]) -> str:
    """Cut small words off capitals: PCorMac is PC or Mac, and PHPand is PHP and."""
    smalls = min(_smalls(found[2]), key=len, default=None)
    return f"{found[1]} {' '.join(smalls)} " if smalls else found[0]


@lru_cache(maxsize=1 << 16)
def _cut(token: str, *, verb: bool = False) -> tuple[float, list[str]]:
    """Return the cost and the words of a token: itself, or a head and small words: Moneyfora, Money for a."""
    best = (_cost(token), [token])
    for k in range(1 if token[0] in "AI" else 2, len(token)):
        if k < _SHORTEST_UNKNOWN and not _frequency(token[:k]):
            continue
        for smalls in _smalls(token[k:]):
            further = sum(_JOINT + 0.25 * (_USUAL - _frequency(word)) for word in smalls)
            further -= _VERB if verb and smalls[0] in _PARTICLES else 0.0
            best = min(best, (_cost(token[:k]) + further, [token[:k], *smalls]), key=lambda one: one[0])
    return best


@lru_cache(maxsize=1 << 16)
def _smalls(letters: str) -> list[list[str]]:
    """Return the ways to read letters as small words alone."""
    if not letters:
        return [[]]
    heads = [letters[:k] for k in range(1, len(letters) + 1) if letters[:k] in _SMALL]
    return [[head, *rest] for head in heads for rest in _smalls(letters[len(head) :])]


def _cost(word: str) -> float:
    if len(word) == 1 and word not in ("A", "I"):
        return 30.0
    frequency = _frequency(word)
    return _USUAL - frequency if frequency else _UNKNOWN + 1.5 * len(word)


@lru_cache(maxsize=1 << 16)
def _frequency(word: str) -> float:
    """Return the Zipf frequency of an English word, 0 if nobody uses it."""
    wordfreq: Any = need("wordfreq", "corpus")
    frequency: Callable[[str, str], float] = wordfreq.zipf_frequency
    return frequency(word.lower(), "en")
