"""Whether a short text, such as a query, is in a language other than English that has Latin letters.

Two signs, because a query is too short for statistics: the little words of other languages, and words that an
English vocabulary can only spell out. "Un" in "UN assembly" or "la" in "La La Land" alone are no sign.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_WORD = re.compile(r"[^\W\d_]+")
LITTLE = frozenset(
    """
    der dem und eine einen einem einer eines mit auf beim zum zur vom ist sind nicht ohne unter über für
    vor nach zwei drei wie wer jemand sich nebst dans avec une sous chez aux deux trois qui devant près
    leur ils quelqu comment où entre está están qué quién cómo alguien delante gli nel nella nello sulla
    sulle dello delle dei sono davanti senza tre duas três não mais quem ao pelo pela een voor naar bij
    uit twee drie zijn niet zonder aan ett och på av till för två är inte från af ikke fra się nie bir
    için sul
    """.split()  # noqa: SIM905
)
# Such words that are also in names and loans, or another word of English.
UNSURE = frozenset(
    """
    la le el un de des en los las den die il del di do da du van het au con por para sur sans sin chi im
    am von om na no nas nos em e y ein das dos due med op det pour um uma elle che est alla della una et
    """.split()  # noqa: SIM905
)
ENGLISH = frozenset(
    """
    a an the of on in at with and to for is are his her their its it he she who what how by from into
    onto near next this that while there up down out off over under two three some i you we my your they
    not but if or can could
    """.split()  # noqa: SIM905
)
SHARE = 6  # at least one word in so many is a sure sign
PER_ENGLISH = 1.5  # more signs than so many for each little word of English
SPELLED = 3  # a word whose pieces have fewer letters than this is spelled out


def foreign_words(text: str, pieces: Callable[[str], int] = lambda _: 1) -> list[str]:
    """Return the words that show that a text is not English, in order; none if it may be.

    Args:
        text: a query.
        pieces: into how many pieces an English vocabulary splits a word; 1: it has the word.
    """
    words = list(dict.fromkeys(_WORD.findall(text.lower())))
    english = sum(word in ENGLISH for word in words)
    split = {word: number for word in words if (number := pieces(word)) > 1}
    sure = [word for word in words if word in LITTLE or (word in split and not word.isascii())]
    unsure = [word for word in words if word in UNSURE and word not in sure]
    spelled = [word for word, number in split.items() if len(word) < SPELLED * number]
    score = len(sure) + len(unsure) / 2
    told = SHARE * score >= len(words) and score > PER_ENGLISH * english
    odd = (
        not english
        and bool(spelled)
        and len(words) > 1
        and (score > 0 or 2 <= len(spelled) >= len(words) / 2)
    )
    signs = {*sure, *unsure, *spelled}
    return [word for word in words if word in signs] if (told and score >= 1) or odd else []
