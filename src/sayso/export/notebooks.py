"""The lecture's notebooks: which there are, and each as a file that Jupyter opens.

Their sources are Python files in jupytext's percent format: a line that begins with ``# %%`` begins a cell.
The wheel holds them beside this package's modules; a clone of the repository in ``docs/lecture``.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import sayso
from sayso.core.errors import SaysoError, UsageError

PARTS = (
    *("localisation", "scripts", "naming", "steps", "crosstask"),
    *("howto100m", "mil_nce", "zero_shot", "flamingo", "search"),
)
_CELL = re.compile(r"^# %%(.*)\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class LectureNotebook:
    """A notebook of the lecture.

    Args:
        number: its place in the lecture, from 1.
        name: of its file, without the ending.
        title: its heading.
        source: Python in percent format.
    """

    number: int
    name: str
    title: str
    source: str


def lecture_notebooks() -> list[LectureNotebook]:
    """Return the notebooks in the lecture's order.

    Raises:
        SaysoError: if they were not installed.
    """
    package = Path(sayso.__file__).parent
    places = (package / "lecture", package.parents[1] / "docs" / "lecture")
    folder = next((place for place in places if (place / f"{PARTS[0]}.py").is_file()), None)
    if folder is None:
        raise SaysoError(f"the notebooks of the lecture are not in {places[0]}; install sayso from its wheel")
    found = []
    for number, name in enumerate(PARTS, 1):
        source = (folder / f"{name}.py").read_text(encoding="utf-8")
        heading = re.search(r"^# # (.+)$", source, re.MULTILINE)
        found.append(LectureNotebook(number, name, heading[1] if heading else name, source))
    return found


def find_notebook(wanted: str) -> LectureNotebook:
    """Return the notebook of a number or a name.

    Raises:
        UsageError: if there is none.
        SaysoError: if they were not installed.
    """
    every = lecture_notebooks()
    for one in every:
        if wanted in (str(one.number), one.name):
            return one
    raise UsageError(
        f"the lecture has the notebooks 1 to {len(every)}, and no {wanted!r}; see: sayso lecture"
    )


def notebook_json(source: str) -> str:
    """Return a Python file in percent format as a Jupyter notebook (nbformat 4.5).

    Args:
        source: what stands before the first cell is left out.
    """
    marks = list(_CELL.finditer(source))
    ends = [mark.start() for mark in marks[1:]] + [len(source)]
    cells = []
    for number, (mark, end) in enumerate(zip(marks, ends, strict=True)):
        text = source[mark.end() : end].strip("\n")
        cell: dict[str, object] = {"id": f"cell-{number}", "metadata": {}}
        if "[markdown]" in mark[1]:
            text = "\n".join(line.removeprefix("#").removeprefix(" ") for line in text.split("\n"))
            cell |= {"cell_type": "markdown"}
        else:
            cell |= {"cell_type": "code", "execution_count": None, "outputs": []}
        cells.append(cell | {"source": text.splitlines(keepends=True)})
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return json.dumps(
        {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5},
        indent=1,
        ensure_ascii=False,
    )
