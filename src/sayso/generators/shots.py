"""Examples from a file: pictures and moments with the answers that a person wants.

JSON lines: ``{"path": "a.jpg", "answer": "a cat"}``, and ``question`` where it differs from the one asked.
Paths are relative to the file, and may name a moment, such as ``talk.mp4@12.5-18``.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from sayso.core.errors import MediaError, SaysoError
from sayso.data.json_lines import json_lines
from sayso.generators.media_part import MediaPart
from sayso.generators.prompt import Exchange


def read_shots(path: str | os.PathLike[str], question: str = "") -> list[Exchange]:
    """Read examples.

    Args:
        path: the file of JSON lines.
        question: of rows that have none.

    Raises:
        SaysoError: if the file, a row or a picture cannot be read: an example less would be another question.
    """
    file = Path(path).expanduser()
    try:
        rows = list(json_lines(file))
    except (OSError, ValueError) as error:
        raise SaysoError(f"the examples {file} cannot be read: {error}") from error
    shots = [_shot(file, number, row, question) for number, row in rows]
    if not shots:
        raise SaysoError(f'{file} holds no examples; a line of it is {{"path": "a.jpg", "answer": "a cat"}}')
    return shots


def _shot(file: Path, number: int, row: dict[str, Any] | str, question: str) -> Exchange:
    if isinstance(row, str):
        raise SaysoError(f"{file}, line {number}: no JSON with path and answer ({row})")
    try:
        name, answer = str(row["path"]), str(row["answer"])
    except KeyError as error:
        raise SaysoError(f"{file}, line {number}: no JSON with path and answer") from error
    try:
        picture = MediaPart.parse(str(file.parent / Path(name).expanduser())).read()
        return Exchange(str(row.get("question") or question), (picture,), answer)
    except (MediaError, SaysoError) as error:
        raise SaysoError(f"{file}, line {number}: {error}") from error
