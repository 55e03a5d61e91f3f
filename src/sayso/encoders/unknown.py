"""Words of a query that a model cannot know: outside its vocabulary, or in letters that it never saw.

It is told only where it is sure. A model with a list of words passes over all others; the text tower of the
offline encoder saw English alone, and splits other alphabets into letters. Tokenisers of the hub's models
split anything, and many of these models know many languages: of those nothing is said.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from sayso.text.language.vocabulary import WORD

if TYPE_CHECKING:
    from sayso.encoders.interface import Encoder

ENGLISH = frozenset({"offline"})  # encoders that know Latin letters alone


def unknown_words(encoder: Encoder, text: str) -> list[str]:
    """Return the words of a text that an encoder surely does not know, in order."""
    words = [word for word in WORD.findall(text) if any(map(str.isalpha, word))]
    numbers = getattr(getattr(encoder, "tokenizer", None), "numbers", None)
    if numbers is not None:
        return [word for word in words if not numbers(word)]
    return [word for word in words if encoder.name in ENGLISH and not _latin(word)]


def _latin(word: str) -> bool:
    return any(unicodedata.name(letter, "").startswith("LATIN") for letter in word if letter.isalpha())
