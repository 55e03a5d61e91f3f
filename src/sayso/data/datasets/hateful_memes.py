"""Hateful Memes: pictures with words on them, hateful or not.

DIR holds ``train.jsonl`` and ``dev_seen.jsonl`` (``test_seen.jsonl``, ``dev.jsonl``), each line with
``id``, ``img`` (a path in DIR), ``text`` (the words) and ``label`` (1: hateful).

Source: Kiela et al., NeurIPS 2020. https://arxiv.org/abs/2005.04790
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sayso.core.errors import SaysoError
from sayso.data.json_lines import json_lines

TESTS = ("test_seen", "dev_seen", "dev")  # the first that is there and has labels is tested


@dataclass(frozen=True, slots=True)
class Meme:
    """A picture and the words on it.

    Args:
        id: of the data set.
        picture: the file, which need not exist.
        text: the words.
        hateful: None where it is not published.
    """

    id: int | str
    picture: Path
    text: str
    hateful: bool | None


def read_memes(folder: Path, name: str) -> tuple[list[Meme], list[str]]:
    """Read ``<name>.jsonl``; a sentence for each line that cannot be used.

    Args:
        folder: of the data set.
        name: of the part, such as ``train``.

    Raises:
        SaysoError: if the file cannot be read.
    """
    path = folder / f"{name}.jsonl"
    try:
        rows = list(json_lines(path))
    except (OSError, ValueError) as error:
        raise SaysoError(f"{path} cannot be read: {error}") from error
    memes: list[Meme] = []
    problems: list[str] = []
    for number, row in rows:
        held = {} if isinstance(row, str) else row
        try:
            label = {0: False, 1: True, None: None}[held.get("label")]
            memes.append(Meme(held["id"], folder / str(held["img"]), str(held["text"]), label))
        except (KeyError, TypeError):
            problems.append(f"{path.name}, line {number}: no JSON with id, img, text, and a label of 0 or 1")
    return memes, problems


def find_test(folder: Path) -> str:
    """Return the name of the part that is tested.

    Raises:
        SaysoError: if none is there with labels.
    """
    for name in TESTS:
        if (folder / f"{name}.jsonl").is_file() and any(
            m.hateful is not None for m in read_memes(folder, name)[0]
        ):
            return name
    raise SaysoError(f"{folder} has no {', '.join(f'{name}.jsonl' for name in TESTS)} with labels")
