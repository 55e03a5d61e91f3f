"""Encoders and kinds of models of packages outside are found by name, as soon as they are installed."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

import sayso
import toy
from sayso.cli.main import app
from sayso.core.errors import SaysoError
from sayso.hub import list_models
from sayso.hub.catalog import nearest

CODE = '''
import json
from pathlib import Path
import numpy as np
from sayso.encoders import ClipSpec

class Brightness:
    """Texts are numbers, pictures are their brightness."""
    name, sha256, dim, similarity = "brightness", "b" * 64, 2, "cosine"
    clip = ClipSpec(2, 1.0, 8)

    def __init__(self, device="auto"):
        self.device = device

    def encode_text(self, texts):
        return self._on_circle([float(text) for text in texts])

    def encode_images(self, images):
        return self._on_circle([np.asarray(image).mean() / 255 for image in images])

    def encode_video(self, frames):
        return self.encode_images(frames)

    def _on_circle(self, values):
        angle = np.asarray(values, np.float32) * np.pi / 2
        return np.stack([np.cos(angle), np.sin(angle)], -1).astype(np.float32)

class Folder:
    kind = "bright_folder"

    @classmethod
    def from_pretrained(cls, folder, *, name, device, verify):
        made = Brightness(device)
        made.name, made.folder = name, Path(folder)
        return made

def renamed(device):
    made = Brightness(device)
    made.name = "luminance"
    return made
'''
DECLARED = """[sayso.encoders]
brightness = bright_package:Brightness
lost = bright_package:nothing
other-name = bright_package:renamed

[sayso.kinds]
bright_folder = bright_package:Folder
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a package as pip does: a module, and its metadata beside it."""
    site = tmp_path / "site"
    metadata = site / "bright_package-1.0.dist-info"
    metadata.mkdir(parents=True)
    (site / "bright_package.py").write_text(CODE)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: bright-package\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(DECLARED)
    monkeypatch.syspath_prepend(site)


@pytest.mark.usefixtures("installed")
def test_an_index_made_by_an_encoder_from_outside_is_reopened_by_name(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    for name, colour in (("dark", "black"), ("light", "white")):
        toy.make_picture(tmp_path / "files" / f"{name}.png", colour)
    index = sayso.Index.open(tmp_path / "x.index", "brightness")
    assert not index.add(tmp_path / "files").failures
    again = sayso.Index.open(tmp_path / "x.index", create=False)
    assert [hit.title for hit in again.search("1.0", text_weight=0)] == ["light", "dark"]
    assert again.encoder.name == "brightness"
    assert type(again.encoder).__module__ == "bright_package"


@pytest.mark.usefixtures("installed")
def test_a_registered_name_is_listed_and_suggested() -> None:
    row = next(row for row in list_models() if row.name == "brightness")
    assert (row.kind, row.dim, row.cached) == ("package", None, True)
    assert nearest("brightnes") == "; did you mean 'brightness'?"
    assert "brightness" in CliRunner().invoke(app, ["models"]).stdout
    with pytest.raises(SaysoError, match="the encoder 'lost' cannot be loaded from bright_package:nothing"):
        sayso.load("lost")
    with pytest.raises(SaysoError, match="registers as 'other-name' has the name 'luminance'"):
        sayso.load("other-name")


@pytest.mark.usefixtures("installed")
def test_a_kind_from_outside_is_loaded_by_its_folder(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "config.json").write_text('{"sayso": 1, "kind": "bright_folder", "options": {}}')
    loaded = sayso.load_encoder(str(tmp_path / "m"), device="cpu")
    assert (loaded.name, loaded.device) == (str(tmp_path / "m"), "cpu")


def test_without_the_package_there_is_no_such_model() -> None:
    with pytest.raises(SaysoError, match="no model is called 'brightness'"):
        sayso.load("brightness")
