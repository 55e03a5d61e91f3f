"""Dialogues about pictures: what is asked and what is answered in turn; only answers are to be learned.

``DialogueFile`` reads LLaVA's files: a JSON list, or JSON lines, of

    {"image": "a.jpg", "conversations": [{"from": "human", "value": "<image> What is it?"},
                                         {"from": "gpt", "value": "A cat."}, ...]}

``image`` may be missing, a list, or seconds of a video (``ListedMedia``). A captioned picture is a dialogue
of one turn in which nothing is asked (``CaptionDialogues``).

Source
    Liu et al., NeurIPS 2023, section 3. https://github.com/haotian-liu/LLaVA
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from sayso.core.errors import SaysoError
from sayso.data.batch import Example
from sayso.data.interleaved import IMAGE, Look, PairPages
from sayso.data.json_lines import json_lines
from sayso.data.listed_media import ListedMedia, Media
from sayso.data.manifest import Failure

if TYPE_CHECKING:
    from sayso.data.picture_pairs import PicturePairs

Turn = tuple[str, str]  # what is asked, with a mark for each picture, and the answer
_SPEAKERS = ("human", "gpt")


class Dialogues(Media, Protocol):
    """Dialogues, and the pictures and clips they speak of."""

    def __len__(self) -> int:
        """Return how many dialogues there are."""
        ...

    def dialogue(self, number: int, rng: np.random.Generator) -> tuple[Sequence[Turn], Sequence[int]]:
        """Return a dialogue's turns, and the numbers of its pictures in the order of their marks."""
        ...


class CaptionDialogues(PairPages):
    """A dialogue of one turn for each captioned picture: nothing is asked, one of its captions is the answer.

    Args:
        pairs: the pictures.
    """

    def __init__(self, pairs: PicturePairs) -> None:
        super().__init__(pairs, str)

    def dialogue(self, number: int, rng: np.random.Generator) -> tuple[Sequence[Turn], Sequence[int]]:
        """Return a picture with one of its captions."""
        caption, media = self.page(number, rng)
        return [(IMAGE, caption)], media


class DialogueFile(ListedMedia):
    """Dialogues of a file in LLaVA's format.

    Args:
        path: ``.json`` or ``.jsonl``; it is read whole.

    Attributes:
        failures: the records that cannot be used.

    Raises:
        SaysoError: if it cannot be read, or no record of it can be used.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path.parent)
        self.path, self.failures = path, list[Failure]()
        self._rows: list[tuple[tuple[Turn, ...], tuple[int, ...]]] = []
        for n, record in enumerate(_records(path), 1):
            try:
                turns, images = _turns(record)
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                why = f"{path}, record {n} is no dialogue: {error}"
                self.failures.append(Failure(str(path), "record", why))
                continue
            self._rows.append((turns, tuple(self.add(image) for image in images)))
        if not self._rows:
            why = f": {self.failures[0].error}" if self.failures else ""
            raise SaysoError(f"{path} holds no dialogue (conversations, and an image){why}")

    def __len__(self) -> int:
        """Return how many dialogues there are."""
        return len(self._rows)

    def dialogue(self, number: int, rng: np.random.Generator) -> tuple[Sequence[Turn], Sequence[int]]:  # noqa: ARG002
        """Return a dialogue."""
        return self._rows[number]


class DialogueDataset:
    """Dialogues with the features of their pictures; see ``sayso.data.batch.Dataset``.

    Args:
        dialogues: the dialogues.
        look: gives a picture's features.
    """

    group = 1

    def __init__(self, dialogues: Dialogues, look: Look) -> None:
        self.dialogues, self.look = dialogues, look

    def __len__(self) -> int:
        """Return how many dialogues there are."""
        return len(self.dialogues)

    def name(self, item: int) -> str:
        """Return what to call a dialogue."""
        return f"dialogue {item}"

    def sample(self, item: int, rng: np.random.Generator) -> list[Example]:
        """Return one dialogue: ``turns`` [(asked, answer), ...] and ``pictures`` [(F, V, D), ...].

        Raises:
            SaysoError: if a picture cannot be read.
        """
        turns, media = self.dialogues.dialogue(item, rng)
        return [{"turns": list(turns), "pictures": [self.look(number, rng) for number in media]}]


def holds_dialogues(path: Path) -> bool:
    """Tell whether a file is in LLaVA's format, by its beginning."""
    if path.suffix not in (".json", ".jsonl") or not path.is_file():
        return False
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        begins = file.read(1 << 16).lstrip()
    return begins.startswith("[") or '"conversations"' in begins.partition("\n")[0]


def _records(path: Path) -> Iterable[Any]:
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            in_list = file.read(1 << 16).lstrip().startswith("[")
        if in_list:
            return list(json.loads(path.read_text(encoding="utf-8-sig")))
        return [row for _, row in json_lines(path)]
    except (OSError, ValueError, RecursionError) as error:
        raise SaysoError(f"the dialogues {path} cannot be read: {error}") from error


def _turns(record: Any) -> tuple[tuple[Turn, ...], list[str]]:
    """Return the turns and pictures of a record.

    Raises:
        TypeError: if its line holds none.
        ValueError: if speakers do not take turns, or marks and pictures are not as many.
    """
    if isinstance(record, str):
        raise TypeError(record)  # why its line holds no object
    image = record.get("image") if isinstance(record, dict) else None
    images = [image] if isinstance(image, str) else list(image or [])
    told = [(str(one["from"]), str(one["value"])) for one in record["conversations"]]
    if not told or len(told) % 2 or any(who != _SPEAKERS[n % 2] for n, (who, _) in enumerate(told)):
        raise ValueError("human and gpt must speak in turn, beginning and ending so")
    marks = sum(text.count(IMAGE) for _, text in told[::2])
    if marks != len(images) or any(IMAGE in text for _, text in told[1::2]):
        raise ValueError(f"it has {marks} {IMAGE} marks and {len(images)} images")
    asked = [_marks_first(text) for _, text in told[::2]]
    return tuple(zip(asked, (text.strip() for _, text in told[1::2]), strict=True)), [*map(str, images)]


def _marks_first(text: str) -> str:
    """Return what is asked with its marks in front, as questions have them, and single blanks."""
    words = " ".join(text.replace(IMAGE, " ").split())
    return IMAGE * text.count(IMAGE) + words
