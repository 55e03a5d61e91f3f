"""VQA accuracy: how many of ten people gave the same answer.

Antol et al., ICCV 2015, as the official evaluation computes it: each of the ten answers is
left out in turn, and three agreeing answers among the other nine are enough for 1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np

from sayso.core.arrays import Floats

Variant = Literal["official", "open_flamingo"]

_MARKS = ';/[]"{}()=+\\_-><@`,?!'
_NUMBER_WITH_COMMA = re.compile(r"\d,\d")
# The official pattern means to spare the full stop after a digit too, but its look-behind is
# misspelt, and its flag re.UNICODE stands where the count of replacements belongs.
_FULL_STOP = re.compile(r"\.(?!\d)")
_MOST_FULL_STOPS = 32
_NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_DIGITS = {word: str(number) for number, word in enumerate(_NUMBERS)}
_DIGITS["none"] = "0"
_ARTICLES = frozenset(("a", "an", "the"))
_WHOLE = re.findall(
    r"\S+",
    """
    'ow's'at 'twas ain't aren't can't could've couldn't couldn't've didn't doesn't don't hadn't
    hadn't've hasn't haven't he'd he'd've he's how'd how'll how's isn't it'd it'd've it'll ma'am
    might've mightn't mightn't've must've mustn't needn't not've o'clock oughtn't shan't she'd've
    should've shouldn't shouldn't've somebody'd've somebody'll somebody's someone'd someone'd've
    someone'll someone's something'd something'd've something'll that's there'd there'd've there're
    there's they'd they'd've they'll they're they've wasn't we'd've we've weren't what'll what're
    what's what've when's where'd where's where've who'd who'd've who'll who's who've why'll why're
    why's won't would've wouldn't wouldn't've y'all y'all'd've y'all'll you'd you'd've you'll you're
    you've
    """,
)
_CONTRACTIONS = {
    word[:i] + word[i + 1 :]: word for word in _WHOLE for i, letter in enumerate(word) if letter == "'"
} | {"somebody'd": "somebodyd"}


def vqa_accuracy(
    answers: Sequence[str],
    references: Sequence[Sequence[str]],
    *,
    variant: Variant = "official",
    lemmatize: Callable[[str], str] | None = None,
) -> float:
    """Return the mean accuracy of N answers, 0 to 1.

    Args:
        answers: (N,) one answer to each question.
        references: (N, about 10) what people answered.
        variant: "official" normalises the answers of a question only where people disagree;
            "open_flamingo" (lmms-eval too) always does.
        lemmatize: applied to each normalised answer (not to the references, whose file has
            lemmas already): OK-VQA needs one.

    Raises:
        ValueError: if the lengths differ, nothing is given, or a question has no reference.
    """
    return float(vqa_accuracy_each(answers, references, variant=variant, lemmatize=lemmatize).mean())


def vqa_accuracy_each(
    answers: Sequence[str],
    references: Sequence[Sequence[str]],
    *,
    variant: Variant = "official",
    lemmatize: Callable[[str], str] | None = None,
) -> Floats:
    """Return the accuracy of each answer, (N,).

    Args:
        answers: as for ``vqa_accuracy``.
        references: as for ``vqa_accuracy``.
        variant: as for ``vqa_accuracy``.
        lemmatize: as for ``vqa_accuracy``.

    Raises:
        ValueError: as for ``vqa_accuracy``.
    """
    if len(answers) != len(references) or not len(answers):
        raise ValueError(f"{len(answers)} answers to the references of {len(references)} questions")
    if not all(len(given) for given in references):
        raise ValueError("a question that nobody answered has no VQA accuracy")
    return np.array(
        [
            _accuracy(answer, given, variant, lemmatize)
            for answer, given in zip(answers, references, strict=True)
        ]
    )


def _accuracy(
    answer: str, references: Sequence[str], variant: Variant, lemmatize: Callable[[str], str] | None
) -> float:
    answer, *references = (re.sub(r"[\n\t]", " ", text).strip() for text in (answer, *references))
    if variant == "open_flamingo" or len(set(references)) > 1:
        answer, *references = map(normalize_answer, (answer, *references))
    if lemmatize:
        answer = lemmatize(answer)
    matches = sum(reference == answer for reference in references)
    left_out = [min(1.0, (matches - (reference == answer)) / 3) for reference in references]
    return sum(left_out) / len(left_out)


def normalize_answer(text: str) -> str:
    """Return an answer without articles and punctuation and with digits for numbers, as officially."""
    drop_all = bool(_NUMBER_WITH_COMMA.search(text))
    plain = text
    for mark in _MARKS:
        beside_blank = f"{mark} " in text or f" {mark}" in text
        plain = plain.replace(mark, "" if drop_all or beside_blank else " ")
    plain = _FULL_STOP.sub("", plain, count=_MOST_FULL_STOPS)
    words = (_DIGITS.get(word, word) for word in plain.lower().split())
    return " ".join(_CONTRACTIONS.get(word, word) for word in words if word not in _ARTICLES)
