"""Which words of a drawn script are found again in drawn subtitles, beside difflib.

Two versions of one drawn text: words as frequent as in speech (Zipf), in the second 6 % dropped, 4 %
replaced, 4 % misspelt or inflected, stretches of 10 to 80 words cut. Recall is the share of the words
that stayed which are paired with themselves; precision the share of the pairs that are.
"""

from __future__ import annotations

import difflib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sayso.core.progress import Silent
from sayso.evaluation.evaluator import DEFAULTS, EvaluationOptions, EvaluationResult, Primary, Row
from sayso.solvers import align_words

if TYPE_CHECKING:
    from sayso.core.progress import Progress

Pair = tuple[int, int]  # a word of the script, a word of the subtitles
SIZES = (12_000, 25_000)
SUBTITLES = 10 / 12  # as many subtitle words for each word of the script
_LETTERS = "abcdefghijklmnoprstuvwy"


@dataclass(frozen=True)
class WordAlignment:
    """Pairs of words that are the same.

    Args:
        sizes: words of the drawn scripts.
    """

    sizes: tuple[int, ...] = SIZES
    name = "word-alignment"
    title = "drawn texts"
    measures = "recall and precision of the pairs of words that align a script with subtitles"
    needs = ()
    data = ""
    takes = ()

    def __call__(
        self,
        model: None = None,  # noqa: ARG002  the solver itself is measured
        data: Path | None = None,  # noqa: ARG002  it draws its own
        options: EvaluationOptions = DEFAULTS,  # noqa: ARG002  it takes none
        progress: Progress | None = None,
    ) -> EvaluationResult:
        """Align drawn texts; see ``Evaluator``."""
        rows: dict[str, Row] = {}
        for number, size in enumerate(self.sizes, 1):
            script, subtitles, true = drawn_texts(size)
            blocks = difflib.SequenceMatcher(None, script, subtitles, autojunk=False).get_matching_blocks()
            plain = [(block.a + k, block.b + k) for block in blocks for k in range(block.size)]
            ours = [(int(i), int(j)) for i, j in align_words(script, subtitles)]
            rows[f"{size:,} words"] = pair_scores(ours, true)
            rows[f"{size:,} words, difflib"] = pair_scores(plain, true)
            (progress or Silent()).update(number, len(self.sizes))
        first = rows[f"{self.sizes[0]:,} words"]
        return EvaluationResult(
            protocol="words of a script in subtitles",
            primary=Primary("recall", first["recall"]),
            columns=("recall", "precision"),
            rows=rows,
            definition={"sizes": list(self.sizes), "seed": 0},
        )


WORD_ALIGNMENT = WordAlignment()


def pair_scores(pairs: Sequence[Pair], true: Sequence[Pair]) -> dict[str, float]:
    """Return the ``recall`` of the true pairs, and the ``precision`` of those that were found."""
    right = len(set(pairs) & set(true))
    return {"recall": right / max(1, len(true)), "precision": right / max(1, len(pairs))}


def drawn_texts(size: int, seed: int = 0) -> tuple[list[str], list[str], list[Pair]]:
    """Return the words of a script, those of its subtitles, and the pairs that are true.

    Args:
        size: words of the script.
        seed: of what is drawn.
    """
    rng = random.Random(seed)  # noqa: S311
    vocabulary = ["".join(rng.choices(_LETTERS, k=rng.randint(2, 9))) for _ in range(8000)]
    frequency = [1 / (rank + 2.7) for rank in range(len(vocabulary))]
    script = rng.choices(vocabulary, frequency, k=size)
    other = rng.choices(vocabulary, frequency, k=size)
    subtitles: list[str] = []
    pairs: list[Pair] = []
    i = 0
    while i < size and len(subtitles) < size * SUBTITLES:
        dice = rng.random()
        if rng.random() < 0.004:
            i += rng.randint(10, 80)
            continue
        if dice >= 0.06:
            if dice >= 0.10:
                pairs.append((i, len(subtitles)))
            word = other[i] if dice < 0.10 else script[i]
            subtitles.append(_misspelt(word, rng) if 0.10 <= dice < 0.14 else word)
        i += 1
    return script, subtitles, pairs


def _misspelt(word: str, rng: random.Random) -> str:
    if rng.random() < 0.5 or len(word) < 5:
        return word + "s"
    at = rng.randrange(len(word))
    return word[:at] + word[at + 1 :]
