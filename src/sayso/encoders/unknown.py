"""Words of a query that a model cannot know: outside its vocabulary, or in letters, in another language.

It is told only where it is sure. A model with a list of words passes over all others; the text towers of the
offline encoder and of OpenAI's CLIP saw English alone, and split other languages into letters. Tokenisers
of other models of the hub split anything, and many of these models know many languages: of those nothing is
said.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from sayso.text.language.foreign import foreign_words
from sayso.text.language.vocabulary import WORD

if TYPE_CHECKING:
    from sayso.encoders.interface import Encoder

ENGLISH = ("offline", "openai/clip-")  # how the names of encoders begin that know English alone


def unknown_words(encoder: Encoder, text: str) -> list[str]:
    """Return the words of a text that an encoder surely does not know, in order."""
    words = [word for word in WORD.findall(text) if any(map(str.isalpha, word))]
    numbers = getattr(getattr(encoder, "tokenizer", None), "numbers", None)
    if numbers is not None:
        return [word for word in words if not numbers(word)]
    return [word for word in words if _knows_english_alone(encoder) and not _latin(word)]


def foreign_to(encoder: Encoder, text: str) -> list[str]:
    """Return the words that show that a text is in another language than the one an encoder knows.

    Languages in other than Latin letters are left to ``unknown_words``.
    """
    if not _knows_english_alone(encoder):
        return []
    pieces = getattr(encoder, "pieces", None)
    found = foreign_words(text, pieces) if pieces else foreign_words(text)
    return found if all(map(_latin, found)) else []


def _knows_english_alone(encoder: Encoder) -> bool:
    return encoder.name.startswith(ENGLISH)


def _latin(word: str) -> bool:
    return any(unicodedata.name(letter, "").startswith("LATIN") for letter in word if letter.isalpha())
