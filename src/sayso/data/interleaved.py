"""Interleaved pages: text with a mark ``<image>`` for each picture or clip; ``<|endofchunk|>`` ends a part.

Pages come from captioned pictures (a page each, ``PairPages``), from a file of pages (``PageFile``: JSON
lines with ``text`` and ``images``), and from pictures of known classes (``sayso.data.episodes``).
``PageDataset`` gives them to a loader with the features of their pictures, and ``MixedPages`` several of
them in one batch, as Flamingo adds the gradients of several data sets before each step.

Source
    Alayrac et al., NeurIPS 2022, sections 2.4 and 3.2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sayso.core.errors import SaysoError
from sayso.data.batch import Dataset, Example
from sayso.data.json_lines import json_lines
from sayso.data.listed_media import ListedMedia, Media
from sayso.data.manifest import Failure

if TYPE_CHECKING:
    from PIL.Image import Image

    from sayso.data.picture_pairs import PicturePairs

IMAGE, END = "<image>", "<|endofchunk|>"
SpellAnswer = Callable[[str], str]  # an answer as a page has it, its picture's mark before it
Look = Callable[[int, np.random.Generator], NDArray[Any]]  # a picture's features (F, V, D), perhaps augmented


class Pages(Media, Protocol):
    """Pages, and the pictures and clips they speak of."""

    def __len__(self) -> int:
        """Return how many pages there are."""
        ...

    def page(self, number: int, rng: np.random.Generator) -> tuple[str, Sequence[int]]:
        """Return a page's text, and the numbers of its pictures in the order of their marks."""
        ...


class PairPages:
    """A page for each captioned picture, with one of its captions.

    Args:
        pairs: the pictures.
        spell: how a caption stands in a page.
    """

    def __init__(self, pairs: PicturePairs, spell: SpellAnswer) -> None:
        self.pairs, self.spell = pairs, spell

    @property
    def media(self) -> int:
        """How many pictures there are."""
        return len(self.pairs)

    def __len__(self) -> int:
        """Return how many pages there are: one a picture."""
        return len(self.pairs)

    def page(self, number: int, rng: np.random.Generator) -> tuple[str, Sequence[int]]:
        """Return a picture with one of its captions."""
        captions = self.pairs.captions(number)
        return self.spell(captions[int(rng.integers(len(captions)))]), (number,)

    def texts(self) -> set[str]:
        """Return all texts that pages may have."""
        return {self.spell(text) for n in range(len(self.pairs)) for text in self.pairs.captions(n)}

    def read(self, number: int, size: int) -> list[Image | NDArray[np.uint8]]:
        """Return a picture; see ``Media``."""
        return [self.pairs.read(number, size)]

    def name(self, number: int) -> str:
        """Return what to call a picture."""
        return self.pairs.name(number)


@dataclass(frozen=True, slots=True)
class _PageRow:
    text: str
    media: tuple[int, ...]


class PageFile(ListedMedia):
    """Pages of a file: JSON lines with ``text``, which has a mark for each of ``images``.

    An image is named as ``ListedMedia`` says.

    Args:
        path: the ``.jsonl`` file.

    Attributes:
        failures: the lines that cannot be used.

    Raises:
        SaysoError: if it cannot be read, or no line of it can be used.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path.parent)
        self.path, self.failures = path, list[Failure]()
        self._rows: list[_PageRow] = []
        try:
            for n, row in json_lines(path):
                self._add_page(row, f"{path}, line {n}")
        except (OSError, ValueError) as error:
            raise SaysoError(f"the pages {path} cannot be read: {error}") from error
        if not self._rows:
            why = f": {self.failures[0].error}" if self.failures else ""
            raise SaysoError(f"{path} holds no page (text, with a mark {IMAGE} for each of images){why}")

    def __len__(self) -> int:
        """Return how many pages there are."""
        return len(self._rows)

    def page(self, number: int, rng: np.random.Generator) -> tuple[str, Sequence[int]]:  # noqa: ARG002
        """Return a page."""
        row = self._rows[number]
        return row.text, row.media

    def _add_page(self, row: dict[str, Any] | str, where: str) -> None:
        if isinstance(row, str):
            self.failures.append(Failure(str(self.path), "record", f"{where} is no page: {row}"))
            return
        try:
            text, images = str(row["text"]), [str(image) for image in row["images"]]
        except (KeyError, TypeError) as error:
            why = f"{where} is no page: {type(error).__name__} {error}"
            self.failures.append(Failure(str(self.path), "record", why))
            return
        if text.count(IMAGE) != len(images):
            why = f"{where} has {text.count(IMAGE)} {IMAGE} marks and {len(images)} images"
            self.failures.append(Failure(str(self.path), "record", why))
            return
        self._rows.append(_PageRow(text, tuple(self.add(image) for image in images)))


class PageDataset:
    """Pages with the features of their pictures; see ``sayso.data.batch.Dataset``.

    Args:
        pages: the pages.
        look: gives a picture's features.
        ahead: share of the pages with several pictures whose text sees the next picture, not the last.
    """

    group = 1

    def __init__(self, pages: Pages, look: Look, ahead: float = 0.0) -> None:
        self.pages, self.look, self.ahead = pages, look, ahead

    def __len__(self) -> int:
        """Return how many pages there are."""
        return len(self.pages)

    def name(self, item: int) -> str:
        """Return what to call a page."""
        return f"page {item}"

    def sample(self, item: int, rng: np.random.Generator) -> list[Example]:
        """Return one page: ``text``, ``pictures`` [(F, V, D), ...] and ``ahead``, whether it looks ahead.

        Raises:
            SaysoError: if a picture cannot be read.
        """
        text, media = self.pages.page(item, rng)
        pictures = [self.look(number, rng) for number in media]
        ahead = len(media) > 1 and bool(rng.random() < self.ahead)
        return [{"text": text, "pictures": pictures, "ahead": ahead}]


class MixedPages:
    """Pages of several data sets in every batch, so many of each; ``source`` (from 0) says of which.

    Args:
        datasets: the first one is gone through, the others are drawn from.
        shares: how many examples of each are in an item.

    Raises:
        SaysoError: if there are not as many shares as data sets, or one is below 1.
    """

    def __init__(self, datasets: Sequence[Dataset], shares: Sequence[int]) -> None:
        if len(datasets) != len(shares) or not datasets or min(shares) < 1:
            raise SaysoError(
                f"{len(datasets)} data sets need as many shares, of 1 or more; got {list(shares)}"
            )
        self.datasets, self.shares = tuple(datasets), tuple(shares)

    @property
    def group(self) -> int:
        """How many examples an item gives."""
        return sum(self.shares)

    def __len__(self) -> int:
        """Return how many items go through the first data set."""
        return max(1, len(self.datasets[0]) // self.shares[0])

    def name(self, item: int) -> str:
        """Return what to call an item: the first page of it."""
        return self.datasets[0].name(item * self.shares[0] % len(self.datasets[0]))

    def sample(self, item: int, rng: np.random.Generator) -> list[Example]:
        """Return the examples of an item, those of one data set side by side.

        Raises:
            SaysoError: if one cannot be read.
        """
        examples: list[Example] = []
        for source, (dataset, share) in enumerate(zip(self.datasets, self.shares, strict=True)):
            for n in range(share):
                of = (item * share + n) % len(dataset) if source == 0 else int(rng.integers(len(dataset)))
                examples += [{**one, "source": source} for one in dataset.sample(of, rng)]
        return examples
