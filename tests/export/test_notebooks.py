"""The lecture's notebooks: all are listed, and each is written as jupytext would write it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sayso.core.errors import UsageError
from sayso.export.notebooks import PARTS, find_notebook, lecture_notebooks, notebook_json

FOLDER = Path(__file__).parents[2] / "docs" / "lecture"


def test_the_list_is_what_is_there():
    assert sorted(PARTS) == sorted(path.stem for path in FOLDER.glob("*.py"))
    found = lecture_notebooks()
    assert [one.number for one in found] == list(range(1, 11))
    assert len({one.title for one in found}) == 10
    assert find_notebook("4") == find_notebook("steps") == found[3]
    for wrong in ("0", "11", "stepz"):
        with pytest.raises(UsageError, match="notebooks 1 to 10"):
            find_notebook(wrong)


@pytest.mark.parametrize("part", PARTS)
def test_the_site_has_a_picture_for_each_plot(part):
    kept = sorted(path.name for path in (FOLDER / "pictures").glob(f"{part}-*.webp"))
    plots = find_notebook(part).source.count("plt.show()")
    every = [f"{part}-{number}.webp" for number in range(1, plots + 1)]
    assert kept == every, "run: python docs/pictures.py"


@pytest.mark.parametrize("part", PARTS)
def test_a_notebook_is_what_jupytext_makes_of_the_source(part):
    jupytext, nbformat = pytest.importorskip("jupytext"), pytest.importorskip("nbformat")
    source = find_notebook(part).source
    ours = nbformat.reads(notebook_json(source), as_version=4)
    nbformat.validate(ours)
    theirs = jupytext.reads(source, fmt="py:percent")
    assert [(c.cell_type, c.source) for c in ours.cells] == [(c.cell_type, c.source) for c in theirs.cells]
    assert json.loads(notebook_json(source))["metadata"]["kernelspec"]["name"] == "python3"
