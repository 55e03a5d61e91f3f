"""How alike two words are, in quarters: the same, inflected, misspelt, or not at all.

The grades are defined so that all similar pairs of two vocabularies are found
through shared keys (stems; spellings with a letter left out, as in SymSpell),
without comparing every word with every other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

SAME, INFLECTED, MISSPELT = 4, 3, 2  # quarters
SHORTEST_STEM, SHORTEST_MISSPELT = 3, 5
ENDINGS = ("ings", "ing", "ies", "ied", "ers", "est", "es", "ed", "er", "ly", "in", "s", "d", "y")


def similarity(a: str, b: str) -> int:
    """Return how alike two folded words are, in quarters.

    4: equal. 3: the same stem. 2: words of five letters or more that become equal
    when at most one letter is left out of each. 0: otherwise, and for empty words.
    """
    if a == b:
        return SAME if a else 0
    if stem(a) == stem(b):
        return INFLECTED
    return MISSPELT if not _spellings(a).isdisjoint(_spellings(b)) else 0


def stem(word: str) -> str:
    """Return a word without a common English ending, if three letters or more are left."""
    if not word.endswith(ENDINGS):
        return word
    for ending in ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= SHORTEST_STEM:
            return word[: -len(ending)]
    return word


def similar_words(a: Iterable[str], b: Iterable[str]) -> dict[str, list[tuple[str, int]]]:
    """Return for each word of ``a`` the words of ``b`` that are alike, with their similarity (> 0)."""
    asked, vocabulary = {word for word in a if word}, {word for word in b if word}
    stems = {word: stem(word) for word in asked | vocabulary}
    spellings = {word: _spellings(word) for word in asked | vocabulary}
    by_stem: dict[str, list[str]] = defaultdict(list)
    by_spelling: dict[str, list[str]] = defaultdict(list)
    for word in vocabulary:
        by_stem[stems[word]].append(word)
        for spelling in spellings[word]:
            by_spelling[spelling].append(word)
    found = {}
    for word in asked:
        grades = {other: MISSPELT for key in spellings[word] for other in by_spelling.get(key, ())}
        grades.update(dict.fromkeys(by_stem.get(stems[word], ()), INFLECTED))
        if word in vocabulary:
            grades[word] = SAME
        found[word] = sorted(grades.items())
    return found


def _spellings(word: str) -> set[str]:
    """Return the word and what is left of it without one letter; nothing for short words."""
    if len(word) < SHORTEST_MISSPELT:
        return set()
    return {word, *(word[:i] + word[i + 1 :] for i in range(len(word)))}
