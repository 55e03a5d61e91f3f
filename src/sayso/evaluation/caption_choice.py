"""Whether a generator sees: a caption must be likelier with its own picture than with another.

For each of N captions, log p(caption | picture) is asked for its own picture and for M others, drawn once:

* ``two_way``: how often its own picture makes it likelier than another (one half by chance, ties half);
* ``gain``: log p(caption | own picture) - log mean p(caption | other picture), nats. The mean is this
  model's own text-only baseline: a gain of style alone, words that fit any picture, is none.

Both have 95 % intervals, by the bootstrap over captions. The same with controls: ``blank`` shows a grey
picture in place of each one, ``shuffled`` takes yet another picture for the caption's own. Both must be at
chance.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sayso.core.arrays import Pixels
from sayso.core.errors import SaysoError
from sayso.evaluation.evaluator import (
    Count,
    EvaluationOptions,
    EvaluationResult,
    FunctionEvaluator,
    Primary,
    Row,
)

if TYPE_CHECKING:
    from sayso.core.progress import Progress
    from sayso.data.picture_pairs import PicturePairs
    from sayso.generators.base import Generator

Scores = NDArray[np.float64]
COLUMNS = ("two_way", "two_way_low", "two_way_high", "gain", "gain_low", "gain_high", "n")
OTHERS, MOST, SIDE, DRAWS = 8, 100, 384, 2000
_GREY = 127


def _caption_choice(
    model: Generator, data: Path, options: EvaluationOptions, progress: Progress
) -> EvaluationResult:
    """Measure at most 100 pictures, chosen at random but always the same; see ``Evaluator``."""
    from sayso.data.picture_pairs import read_picture_pairs

    pairs = read_picture_pairs(data, images=options.images)
    chosen = _distinct(pairs, np.random.default_rng(0))
    pictures, captions, unreadable = [], [], []
    for n in chosen:
        try:
            pictures.append(np.asarray(pairs.read(n, SIDE).convert("RGB")))
            captions.append(pairs.captions(n)[0])
        except SaysoError as error:
            unreadable.append(str(error))
    if len(captions) < 3:
        raise SaysoError(f"{data} has {len(captions)} pictures with captions of their own; 3 are needed")
    rows = measure_choice(model, pictures, captions, progress)
    return EvaluationResult(
        protocol="a caption's own picture against others",
        primary=Primary("two_way", float(rows["pictures"]["two_way"] or 0.0)),
        columns=COLUMNS,
        rows=rows,
        counts={"pictures": Count(len(captions), len(chosen))},
        unreadable=tuple(unreadable),
        definition={"others": min(OTHERS, len(captions) - 2)},
    )


CAPTION_CHOICE = FunctionEvaluator(
    name="caption-choice",
    title="captioned pictures of any form",
    measures="how often a caption is likelier with its own picture than with another, and by how much",
    data="captioned pictures: a folder with texts beside them, a .json in COCO's format, shards, a manifest",
    measure=_caption_choice,
    needs=("generator",),
    takes=("images",),
)


def measure_choice(
    model: Generator, pictures: list[Pixels], captions: list[str], progress: Progress
) -> dict[str, Row]:
    """Return the table: ``pictures``, and the controls ``blank`` and ``shuffled``.

    Args:
        model: any generator.
        pictures: N, (H, W, 3) uint8 each.
        captions: N, of the pictures, no two alike.
        progress: updated with how many captions are done.
    """
    N, M = len(captions), min(OTHERS, len(captions) - 2)
    rng = np.random.default_rng(7)
    scores = np.empty((N, M + 2))
    for n, caption in enumerate(captions):
        steps = 1 + rng.permutation(N - 1)[: M + 1]  # of a circle: no caption meets its own picture
        shown = [pictures[n], *(pictures[(n + int(step)) % N] for step in steps)]
        scores[n] = _likelihood(model, shown, caption)
        progress.update(n + 1, N)
    blank = np.full_like(pictures[0], _GREY)
    grey = np.stack([np.repeat(_likelihood(model, [blank], caption), M + 1) for caption in captions])
    return {
        "pictures": _row(scores[:, :-1]),
        "blank": _row(grey),
        "shuffled": _row(np.concatenate([scores[:, -1:], scores[:, 1:-1]], 1)),
    }


def _likelihood(model: Generator, pictures: list[Pixels], caption: str) -> Scores:
    """Return log p (M,) of a caption with each of some pictures."""
    from sayso.generators.prompt import Prompt

    return model.log_likelihood([Prompt.ask("", [one]) for one in pictures], [caption])[:, 0]


def _row(scores: Scores) -> Row:
    """Return a row of the table, of log p (N, 1 + M), one's own picture first."""
    own, others = scores[:, :1], scores[:, 1:]
    wins = ((own > others) + 0.5 * (own == others)).mean(1)
    highest = others.max(1, keepdims=True)
    mean = highest[:, 0] + np.log(np.exp(others - highest).mean(1))
    gain = own[:, 0] - mean
    draws = np.random.default_rng(0).integers(len(scores), size=(DRAWS, len(scores)))
    row: dict[str, float | int | None] = {"n": len(scores)}
    for name, values in (("two_way", wins), ("gain", gain)):
        low, high = np.quantile(values[draws].mean(1), [0.025, 0.975])
        row |= {name: float(values.mean()), f"{name}_low": float(low), f"{name}_high": float(high)}
    return row


def _distinct(pairs: PicturePairs, rng: np.random.Generator) -> list[int]:
    """Return at most ``MOST`` pictures whose first captions differ."""
    first: dict[str, int] = {}
    for n in rng.permutation(len(pairs)):
        first.setdefault(pairs.captions(int(n))[0], int(n))
    return list(first.values())[:MOST]
