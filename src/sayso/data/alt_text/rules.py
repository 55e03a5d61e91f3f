"""The rules that say which pairs of the web are worth training on, as ALIGN and DataComp published them.

Sources
    Jia et al., ICML 2021 (ALIGN), section 3. https://arxiv.org/abs/2102.05918
    Gadre et al., NeurIPS 2023 (DataComp), basic filtering. https://arxiv.org/abs/2304.14108
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from sayso.core.errors import SaysoError

RuleSet = Literal["datacomp", "align", "none"]

UNREADABLE, MISSING = "unreadable", "missing"
RULES = {
    UNREADABLE: "the record or its picture is damaged",
    MISSING: "listed, but not there",
    "side": "the short side has too few pixels",
    "aspect": "too long for its width",
    "words": "too few words, or too many",
    "characters": "too few characters",
    "language": "not English",
    "test-set": "nearly a picture of the test set",
    "picture-texts": "a picture with too many texts",
    "text-pictures": "a text of too many pictures",
    "rare-words": "a word, or two in a row, that is rare in the corpus",
    "score": "picture and text do not fit each other",
    "no-name": "no name of the list is in the text",
    "balance": "left out so that frequent names do not outweigh the others",
}
"""Every rule, in the order in which they are applied; the first that drops a pair is noted with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CurationRules:
    """What a pair must be; the defaults are DataComp's basic filtering without its language.

    Args:
        min_side: pixels of the short side, at least; before it was made smaller, where that is known.
        max_aspect: long by short side, at most.
        min_words: words of the text, parted by white space, at least.
        max_words: at most.
        min_characters: characters of the text, at least.
        english: whether the text must be English, as fastText says.
        max_picture_texts: different texts of one picture, at most; more and all of them are out.
        max_text_pictures: different pictures of one text, at most; more and all of them are out.
        common_words: every word and two in a row must be among so many, the commonest of the corpus.
        min_score: cosine of picture and text, at least.
        best_share: of the pairs that other rules keep, the share with the best scores, 0 to 1.
        per_name: t of MetaCLIP's balancing, texts that a name may count for.
        seed: of the draws of balancing.
    """

    min_side: int = 200
    max_aspect: float = 3.0
    min_words: int = 3
    max_words: int | None = None
    min_characters: int = 6
    english: bool = False
    max_picture_texts: int | None = None
    max_text_pictures: int | None = None
    common_words: int | None = None
    min_score: float | None = None
    best_share: float | None = None
    per_name: int = 20_000
    seed: int = 0


DATACOMP = CurationRules()
ALIGN = CurationRules(
    min_side=201,
    max_aspect=math.nextafter(3.0, 0.0),
    max_words=20,
    min_characters=0,
    max_picture_texts=1_000,
    max_text_pictures=10,
    common_words=100_000_000,
)
NO_RULES = CurationRules(min_side=0, max_aspect=math.inf, min_words=0, min_characters=0)
RULE_SETS: dict[RuleSet, CurationRules] = {"datacomp": DATACOMP, "align": ALIGN, "none": NO_RULES}


def check_rules(rules: CurationRules, *, scored: bool) -> None:
    """Check that rules make sense.

    Raises:
        SaysoError: if they ask for a score that is not computed, or a number is impossible.
    """
    wants = rules.min_score is not None or rules.best_share is not None
    if wants and not scored:
        raise SaysoError("min_score and best_share need a model that scores; add --score-with MODEL")
    if rules.best_share is not None and not 0 < rules.best_share <= 1:
        raise SaysoError(f"best_share must be above 0 and at most 1; got {rules.best_share}")
    if rules.per_name < 1:
        raise SaysoError(f"per_name must be at least 1; got {rules.per_name}")


def picture_rule(width: int, height: int, rules: CurationRules) -> str:
    """Return the rule that drops a picture of a size; nothing if none does.

    Args:
        width: pixels.
        height: pixels.
        rules: which.
    """
    short, long = sorted((width, height))
    if short < rules.min_side:
        return "side"
    return "aspect" if long > rules.max_aspect * short else ""


def text_rule(text: str, rules: CurationRules) -> str:
    """Return the rule that drops a text for itself; nothing if none does."""
    words = len(text.split())
    if words < rules.min_words or (rules.max_words is not None and words > rules.max_words):
        return "words"
    if len(text) < rules.min_characters:
        return "characters"
    if rules.english:
        from sayso.data.alt_text.language import is_english

        return "" if is_english(text) else "language"
    return ""
