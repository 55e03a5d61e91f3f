"""A generator that answers from what it is shown: the brightness of the picture, or the examples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from sayso.generators.base import Decoding, LogLikelihood, candidates_of
from sayso.generators.prompt import Prompt


class Bright:
    """Says how bright the picture asked about is, or in which of its examples the picture is most alike.

    Args:
        by_examples: the answer is that of the example with the most similar brightness.
    """

    name, sha256, made_by = "bright", "0" * 64, "a test"

    def __init__(self, *, by_examples: bool = False) -> None:
        self.by_examples = by_examples
        self.prompts: list[Prompt] = []

    def answer(self, prompt: Prompt) -> str:
        *shots, asked = prompt.exchanges
        value = brightness(asked.pictures[0])
        if not self.by_examples:
            return f"shade {value}"
        with_picture = [one for one in shots if one.pictures]
        nearest = min(with_picture, key=lambda one: abs(brightness(one.pictures[0]) - value), default=None)
        return "" if nearest is None else str(nearest.answer)

    def generate(self, prompts: Sequence[Prompt], decoding: Decoding | None = None) -> list[str]:
        self.prompts += prompts
        return [self.answer(prompt) for prompt in prompts]

    def stream(self, prompt: Prompt, decoding: Decoding | None = None) -> Iterator[str]:
        self.prompts.append(prompt)
        yield self.answer(prompt)

    def log_likelihood(
        self, prompts: Sequence[Prompt], candidates: Sequence[str], *, per_token: bool = False
    ) -> LogLikelihood:
        assert per_token
        self.prompts += prompts
        rows = candidates_of(candidates, len(prompts))
        return np.array(
            [
                [0.01 * brightness(prompt.exchanges[-1].pictures[0]) * (one == "yes") for one in row]
                for prompt, row in zip(prompts, rows, strict=True)
            ]
        )


def brightness(picture: object) -> int:
    return round(float(np.asarray(picture).mean()))
