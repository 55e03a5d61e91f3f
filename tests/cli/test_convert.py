"""``sayso convert`` makes a model folder of a published file, and says what is wrong with others."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from published_files import WORDS, save_howto100m, save_s3d, save_vectors, save_words
from typer.testing import CliRunner, Result

import sayso
from sayso.cli.main import app
from sayso.core.errors import SaysoError
from sayso.encoders import convert_published


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["convert", *map(str, arguments)])


def test_the_folder_is_a_model_that_loads(tmp_path: Path) -> None:
    file, words, out = save_s3d(tmp_path), save_words(tmp_path), tmp_path / "model"
    done = run(file, "--words", words, "--out", out)
    assert done.exit_code == 0, done.output
    assert done.stdout == f"{out}: 7 words, embeddings of 512; use it with --model {out}\n"
    parts = {f"{part}.json" for part in ("config", "transform", "vocabulary", "reference")}
    assert {path.name for path in out.iterdir()} == {*parts, "model.safetensors", "README.md"}
    assert json.loads((out / "vocabulary.json").read_text()) == WORDS
    assert "converted from s3d_howto100m.pth" in (out / "README.md").read_text()
    model, direct = sayso.load_encoder(str(out), device="cpu"), convert_published(file, words)
    assert (model.sha256, model.clip) == (direct.sha256, direct.clip)
    np.testing.assert_allclose(
        model.encode_text(["pour water"]), direct.encode_text(["pour water"]), rtol=1e-5
    )
    again = run(file, "--words", words, "--out", out)
    assert isinstance(again.exception, SaysoError)
    assert "not an empty folder" in str(again.exception)


def test_json_says_the_same_of_howto100ms_network(tmp_path: Path) -> None:
    file, words, out = save_howto100m(tmp_path), save_words(tmp_path), tmp_path / "model"
    done = run(file, "--words", words, "--vectors", save_vectors(tmp_path), "-o", out, "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    model = sayso.load_encoder(str(out), device="cpu")
    assert told == {
        "path": str(out),
        "kind": "feature_text",
        "words": 7,
        "dim": 16,
        "sha256": model.sha256,
    }


def test_the_size_of_clips_can_be_told(tmp_path: Path) -> None:
    done = run(save_s3d(tmp_path), "--words", save_words(tmp_path), "--out", tmp_path / "m", "--size", 64)
    assert done.exit_code == 0, done.output
    assert json.loads((tmp_path / "m" / "transform.json").read_text())["size"] == 64


@pytest.mark.parametrize(
    ("weights", "message"),
    [({"a": torch.zeros(1)}, "none of the published checkpoints"), (None, "cannot be read")],
)
def test_other_files_are_refused_and_nothing_is_left_behind(
    tmp_path: Path, weights: object, message: str
) -> None:
    if weights is None:
        (tmp_path / "x.pth").write_bytes(b"no checkpoint")
    else:
        torch.save(weights, tmp_path / "x.pth")
    done = run(tmp_path / "x.pth", "--words", save_words(tmp_path), "--out", tmp_path / "model")
    assert isinstance(done.exception, SaysoError)
    assert message in str(done.exception)
    assert not (tmp_path / "model").exists()
    assert run(tmp_path / "x.pth").exit_code == 2  # --out and --words are needed
