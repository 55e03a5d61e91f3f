"""What a few-shot protocol is made of: items with pictures, the items that become examples, a task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from sayso.generators.base import Generator
    from sayso.generators.prompt import Prompt, TemplateName

Answer = str | float


@dataclass(frozen=True, slots=True)
class Item:
    """A picture, what is asked about it, and what people answered.

    Args:
        key: the data set's id of the picture or question.
        picture: the file.
        text: the question; empty for a caption.
        answers: of people; the first one is shown where the item is an example.
    """

    key: int | str
    picture: Path
    text: str
    answers: tuple[str, ...]


@dataclass(frozen=True)
class FewShotData:
    """What is tested, and what examples are drawn from.

    Args:
        test: items; their pictures need not exist.
        train: the same; those of ``test`` where there is no training set.
        source: what decides the numbers: files, splits.
        problems: records that are left out, a sentence each.
    """

    test: Sequence[Item]
    train: Sequence[Item]
    source: dict[str, object]
    problems: tuple[str, ...] = ()


class FewShotTask(Protocol):
    """How a task is asked and scored."""

    @property
    def metric(self) -> str:
        """The name of its number."""

    @property
    def template(self) -> TemplateName:
        """How a prompt is spelled."""

    def answer(self, model: Generator, prompts: Sequence[Prompt]) -> Sequence[Answer]:
        """Answer B prompts: words, or a probability."""

    def score(self, answers: Sequence[Answer], items: Sequence[Item]) -> float:
        """Return the number for N answers."""

    def upload(self, answers: Sequence[Answer], items: Sequence[Item]) -> str:
        """Return N answers as the file that the benchmark's server takes."""
