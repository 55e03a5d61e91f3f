"""Questions about pictures with ten people's answers: VQA v2 and OK-VQA, in the official files.

DIR holds, at any depth of one folder, ``*OpenEnded*train2014_questions.json``,
``*train2014_annotations.json``, the same of ``val2014``, and the pictures in ``train2014`` and
``val2014`` (or in ``images``).

Sources
    Goyal et al., CVPR 2017 (VQA v2). https://visualqa.org/vqa_v2_teaser.html
    Marino et al., CVPR 2019 (OK-VQA). https://okvqa.allenai.org
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sayso.core.errors import SaysoError
from sayso.data.datasets.coco_json import find_picture

SPLITS = ("train", "val", "test-dev", "test")


@dataclass(frozen=True, slots=True)
class VisualQuestion:
    """A question about a picture.

    Args:
        id: of the question.
        picture: the file, which need not exist.
        text: what is asked.
        answers: of people; none where they are not published.
    """

    id: int
    picture: Path
    text: str
    answers: tuple[str, ...]


def read_questions(
    folder: Path, split: str, images: Path | None = None
) -> tuple[list[VisualQuestion], list[str]]:
    """Read the questions of a split; a sentence for each record that cannot be used.

    Args:
        folder: of the official files.
        split: ``train``, ``val``, ``test-dev`` or ``test``.
        images: folder of the pictures; default: ``<split>2014`` or ``images`` in ``folder``.

    Raises:
        SaysoError: if the file of questions is missing, or a file is not in the official form.
    """
    questions = find_questions(folder, split)
    if questions is None:
        raise SaysoError(f"{folder} has no *OpenEnded*{split}*_questions.json")
    annotations = _beside(questions)
    answers: dict[int, tuple[str, ...]] = {}
    problems: list[str] = []
    if annotations is not None:
        for row in _rows(annotations, "annotations"):
            try:
                answers[int(row["question_id"])] = tuple(str(one["answer"]) for one in row["answers"])
            except (KeyError, TypeError, ValueError):
                problems.append(f"{annotations.name}: an annotation has no question_id or no answers")
    year = "2015" if split.startswith("test") else "2014"
    name = f"{split.partition('-')[0]}{year}"
    folders = [images] if images else [folder / name, folder / "images" / name, folder / "images", folder]
    read = []
    for row in _rows(questions, "questions"):
        try:
            id_, number, text = int(row["question_id"]), int(row["image_id"]), str(row["question"])
        except (KeyError, TypeError, ValueError):
            problems.append(f"{questions.name}: a question has no question_id, image_id or question")
            continue
        read.append(VisualQuestion(id_, _picture(number, name, folders), text, answers.get(id_, ())))
    return read, problems


def find_questions(folder: Path, split: str) -> Path | None:
    """Return the file of questions of a split, or None."""
    found = sorted(folder.rglob(f"*OpenEnded*{split}201[45]_questions.json"))
    return found[0] if found else None


def _beside(questions: Path) -> Path | None:
    """Return the annotations of a file of questions."""
    name = questions.name.replace("OpenEnded_", "").replace("_questions.json", "_annotations.json")
    near = (questions.with_name(name), *sorted(questions.parent.parent.rglob(name)))
    return next((path for path in near if path.is_file()), None)


def _rows(path: Path, key: str) -> Iterator[dict[str, Any]]:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))[key]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise SaysoError(f"{path} is not in the official form, with a list {key!r}: {error}") from error
    yield from (row for row in content if isinstance(row, dict))


def _picture(number: int, name: str, folders: list[Path]) -> Path:
    spelled = (f"COCO_{name}_{number:012d}.jpg", f"{number:012d}.jpg")
    for one in spelled:
        if (found := find_picture(one, folders)) is not None:
            return found
    return folders[0] / spelled[0]
