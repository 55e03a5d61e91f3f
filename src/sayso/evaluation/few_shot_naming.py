"""Whether a generator learns from examples: two classes under invented names, and a picture to name.

Each episode draws two classes and two invented words, shows ``SHOTS`` pictures of each with their word, and
asks for the word of another picture of one of them; the word that is likelier a token is the answer. By
construction nothing but the examples tells what the words mean, so without examples (``0 shots``) it is
chance, and so it is where the examples' words are shuffled. ``gain`` is what the examples add, episode by
episode. Intervals are 95 %, by the bootstrap over episodes.

Source
    The task: Tsimpoukelli et al. 2021, open-ended fast binding. https://arxiv.org/abs/2106.13884
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sayso.core.progress import Silent
from sayso.evaluation.evaluator import DEFAULTS, Count, EvaluationOptions, EvaluationResult, Primary, Row

if TYPE_CHECKING:
    from sayso.core.progress import Progress
    from sayso.data.picture_pairs import PicturePairs
    from sayso.generators.base import Generator

COLUMNS = ("accuracy", "low", "high", "n")
SHOTS, EPISODES, SIDE, DRAWS = 2, 100, 384, 2000


@dataclass(frozen=True)
class FewShotNaming:
    """Names that only examples teach."""

    name = "few-shot-naming"
    title = "pictures of classes"
    measures = "which of two invented names a picture gets after examples of both"
    needs = ("generator",)
    data = "captioned pictures whose caption is the name of their class, in any form"
    takes = ()

    def __call__(
        self,
        model: Generator,
        data: Path,
        options: EvaluationOptions = DEFAULTS,  # noqa: ARG002
        progress: Progress | None = None,
    ) -> EvaluationResult:
        """Measure on 100 episodes, always the same; see ``Evaluator``."""
        from sayso.data.picture_pairs import read_picture_pairs

        pairs = read_picture_pairs(data)
        rows = measure_episodes(model, pairs, SHOTS, EPISODES, progress or Silent())
        return EvaluationResult(
            protocol=f"two invented names, {2 * SHOTS} shots",
            primary=Primary("accuracy", float(rows[f"{2 * SHOTS} shots"]["accuracy"] or 0.0)),
            columns=COLUMNS,
            rows=rows,
            counts={"episodes": Count(EPISODES, EPISODES)},
            definition={"shots_a_class": SHOTS},
        )


FEW_SHOT_NAMING = FewShotNaming()


def measure_episodes(
    model: Generator, pairs: PicturePairs, shots: int, episodes: int, progress: Progress
) -> dict[str, Row]:
    """Return the table: with examples, without, with their words shuffled, and the gain over no examples.

    Args:
        model: any generator.
        pairs: pictures whose first caption is the name of their class.
        shots: examples of each class.
        episodes: how many are drawn.
        progress: updated with how many are done.

    Raises:
        SaysoError: if there are too few pictures of a class.
    """
    from sayso.data.episodes import Episodes
    from sayso.generators.prompt import Exchange, Prompt

    drawn = Episodes(pairs, lambda answer: answer, shots, between="\n")
    right: dict[str, list[float]] = {f"{2 * shots} shots": [], "0 shots": [], "shuffled": []}
    for n in range(episodes):
        rng = np.random.default_rng([n, shots])
        text, media = drawn.page(n, rng)
        *words, answer = text.split("\n")
        pictures = [np.asarray(pairs.read(number, SIDE).convert("RGB")) for number in media]
        names = sorted(set(words))
        mixed = [words[k] for k in rng.permutation(len(words))]
        for way, said in zip(right, (words, [], mixed), strict=True):
            told = [Exchange("", (one,), word) for one, word in zip(pictures, said, strict=False)]
            prompt = Prompt.ask("", [pictures[-1]], shots=told)
            scores = model.log_likelihood([prompt], names, per_token=True)[0]
            right[way].append(_won(scores, names.index(answer)))
        progress.update(n + 1, episodes)
    table = {way: np.array(values) for way, values in right.items()}
    table["gain"] = table[f"{2 * shots} shots"] - table["0 shots"]
    return {way: _row(values) for way, values in table.items()}


def _won(scores: NDArray[np.float64], answer: int) -> float:
    """Return 1 if the answer is the likeliest, a half if both are alike, else 0."""
    own, other = scores[answer], scores[1 - answer]
    return float(own > other) + 0.5 * float(own == other)


def _row(values: NDArray[np.float64]) -> Row:
    draws = np.random.default_rng(0).integers(len(values), size=(DRAWS, len(values)))
    low, high = np.quantile(values[draws].mean(1), [0.025, 0.975])
    return {"accuracy": float(values.mean()), "low": float(low), "high": float(high), "n": len(values)}
