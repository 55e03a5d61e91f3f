"""Which examples stand in a prompt, in which order, and with what they are swapped for the controls."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sayso.core.errors import MediaError, SaysoError
from sayso.evaluation.few_shot_data import Item
from sayso.media import read_image

if TYPE_CHECKING:
    from sayso.core.arrays import Pixels
    from sayso.encoders.interface import Encoder

GREY = 127


def nearest_examples(
    encoder: Encoder, items: Sequence[Item], pool: Sequence[Item], shots: int, cache: Path | None = None
) -> list[tuple[Item, ...]]:
    """Return for each of N items its most similar examples, the most similar last (RICES).

    Args:
        encoder: whose embeddings of pictures are compared.
        items: N whose pictures can be read.
        pool: examples; those whose pictures cannot be read are left out.
        shots: how many.
        cache: folder where embeddings are kept.
    """
    from sayso.evaluation.picture_features import embed_pictures

    both = [*pool, *items]
    pictures = embed_pictures(encoder, [item.picture for item in both], cache=cache)
    row = {number: row for row, number in enumerate(pictures.used)}
    kept = [k for k in range(len(pool)) if k in row]
    features = pictures.embeddings[[row[k] for k in kept]]
    found = []
    for number, item in enumerate(items, len(pool)):
        similarity = features @ pictures.embeddings[row[number]]
        ranked = (pool[kept[k]] for k in np.argsort(-similarity, kind="stable"))
        best = list(islice((one for one in ranked if one.picture != item.picture), shots))
        found.append(tuple(reversed(best)))
    return found


def draw_examples(pool: Sequence[Item], shots: int, item: Item, rng: np.random.Generator) -> tuple[Item, ...]:
    """Return examples for an item, none of them with its picture.

    Args:
        pool: to draw from.
        shots: how many.
        item: what is asked.
        rng: draws.

    Raises:
        SaysoError: if the pool has too few.
    """
    drawn = rng.choice(len(pool), min(len(pool), 2 * shots + 8), replace=False)
    others = [pool[k] for k in drawn if pool[k].picture != item.picture]
    if len(others) < shots:  # most of a small pool is questions about this picture
        others = [one for one in pool if one.picture != item.picture]
    if len(others) < shots:
        raise SaysoError(
            f"there are {len(others)} examples with other pictures than {item.picture}, not {shots}"
        )
    return tuple(others[:shots])


def with_other_answers(
    examples: Sequence[tuple[Item, ...]], rng: np.random.Generator
) -> list[tuple[Item, ...]]:
    """Return the examples with answers of others, drawn from the examples of all items."""
    answers = [one.answers for some in examples for one in some]
    rest = (answers[k] for k in rng.permutation(len(answers)))
    return [tuple(Item(one.key, one.picture, one.text, next(rest)) for one in some) for some in examples]


def count_orders(shots: int, most: int | None) -> int:
    """Return how many orders of the examples are averaged."""
    return min(most or 1, math.factorial(shots))


def orders(shots: int, most: int | None, rng: np.random.Generator) -> list[tuple[int, ...]]:
    """Return different orders of the examples, the given one first.

    Args:
        shots: how many examples.
        most: orders; None is one.
        rng: draws.
    """
    found = {tuple(range(shots)): None}
    while len(found) < count_orders(shots, most):
        found.setdefault(tuple(rng.permutation(shots).tolist()))
    return list(found)


def readable(path: Path, wrong: dict[Path, str]) -> bool:
    """Tell whether a file is a picture that can be read; what is wrong with one goes into ``wrong``."""
    if not path.is_file() or path in wrong:
        return False
    try:
        read_pixels(path)
    except MediaError as error:
        wrong[path] = str(error)
        return False
    return True


def blank_picture(path: Path) -> Pixels:
    """Return a grey picture of the size of a file's, (H, W, 3)."""
    return np.full_like(read_pixels(path), GREY)


@lru_cache(maxsize=256)
def read_pixels(path: Path) -> Pixels:
    """Return a picture, (H, W, 3); the last ones are kept."""
    return np.asarray(read_image(path))
