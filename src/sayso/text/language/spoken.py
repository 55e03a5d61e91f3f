"""Written text as the words one hears: folded to plain letters, numbers spelt out.

Scripts and subtitles of one film differ in case, accents, apostrophes, hyphens,
markup and in how they write numbers. Words that sound alike come out alike here,
each with the characters it was written with.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

# A word of letters and digits, with inner apostrophes; a character of a script without spaces is a word.
UNSPACED = "\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
WORD = re.compile(rf"[{UNSPACED}]|(?:(?![{UNSPACED}])[^\W_])+(?:['’`´](?:(?![{UNSPACED}])[^\W_])+)*")
NUMBER = re.compile(r"[0-9]{1,6}")
ONES = """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
    sixteen seventeen eighteen nineteen
""".split()  # noqa: SIM905
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()  # noqa: SIM905


class SpokenToken(NamedTuple):
    """A word as it sounds, and where it stands in the text: ``text[start:end]``."""

    word: str
    start: int
    end: int


def spoken_tokens(text: str) -> list[SpokenToken]:
    """Return the words of a text in order; a number gives several with the same characters.

    Examples:
        >>> [token.word for token in spoken_tokens("I'm 21, café!")]
        ['im', 'twenty', 'one', 'cafe']
    """
    found: list[SpokenToken] = []
    for match in WORD.finditer(text):
        word = match.group()
        sounds = spell_number(int(word)) if NUMBER.fullmatch(word) else [fold_word(word)]
        found.extend(SpokenToken(sound, match.start(), match.end()) for sound in sounds if sound)
    return found


def fold_word(word: str) -> str:
    """Return a word in lower case without accents and punctuation; "" if it holds no letter or digit."""
    if word.isascii():
        return "".join(filter(str.isalnum, word)).lower()
    plain = unicodedata.normalize("NFKD", word.casefold())
    return "".join(letter for letter in plain if letter.isalnum()).casefold()


def spell_number(number: int) -> list[str]:
    """Return a number from 0 to 999,999 in English words, without "and".

    Examples:
        >>> spell_number(1204)
        ['one', 'thousand', 'two', 'hundred', 'four']
    """
    if number < 20:
        return [ONES[number]]
    if number < 100:
        tens, ones = divmod(number, 10)
        return [TENS[tens - 2], *([ONES[ones]] if ones else [])]
    unit, name = (1000, "thousand") if number >= 1000 else (100, "hundred")
    many, rest = divmod(number, unit)
    return [*spell_number(many), name, *(spell_number(rest) if rest else [])]
