"""The extensions that CONTRIBUTING.md describes do what it says: installed beside sayso, by name alone."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

import sayso
from sayso.cli.main import app
from sayso.evaluation import EvaluationOptions, evaluate
from sayso.toyworld import write_corpus

FOLDER = Path(__file__).parents[2] / "examples" / "extensions"
COLOURS = {"red": (200, 30, 40), "green": (50, 150, 60), "blue": (40, 80, 190), "yellow": (240, 220, 50)}


@pytest.fixture(autouse=True)
def installed(tmp_path, monkeypatch):
    """Install the package as pip does: its modules, and beside them what its pyproject.toml declares."""
    project = tomllib.loads((FOLDER / "pyproject.toml").read_text())["project"]
    info = tmp_path / "site" / "sayso_extensions-1.0.dist-info"
    info.mkdir(parents=True)
    groups = [
        f"[{group}]\n" + "".join(f"{name} = {place}\n" for name, place in points.items())
        for group, points in project["entry-points"].items()
    ]
    (info / "entry_points.txt").write_text("\n".join(groups))
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: 1.0\n")
    monkeypatch.syspath_prepend(str(info.parent))
    monkeypatch.syspath_prepend(str(FOLDER))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def pictures(tmp_path):
    """Captioned and tagged pictures in plain colours: ``captions.json``, ``tags.csv``, ``images/``."""
    (tmp_path / "images").mkdir()
    images, captions, tags = [], [], ["path,tags"]
    for number, (name, colour) in enumerate([*COLOURS.items()] * 2):
        file = f"{number}.png"
        Image.new("RGB", (40, 32), colour).save(tmp_path / "images" / file)
        images.append({"id": number, "file_name": file})
        captions += [{"image_id": number, "caption": f"all {name}"}, {"image_id": number, "caption": name}]
        tags.append(f"images/{file},{name}")
    (tmp_path / "captions.json").write_text(json.dumps({"images": images, "annotations": captions}))
    (tmp_path / "tags.csv").write_text("\n".join(tags) + "\n")
    return tmp_path


def command(*words, code=0):
    """Run ``sayso`` with some words; return what it prints."""
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == code, done.output
    return done.stdout


def test_the_encoder_indexes_and_is_found_again_by_the_index(pictures):
    command("index", pictures / "x.index", pictures / "images", "--model", "colour-names")
    index = sayso.Index.open(pictures / "x.index", create=False)
    assert type(index.encoder).__module__ == "colours"
    (found,) = index.search("something blue", limit=1)  # the two are alike, and so one hit
    assert {found.title, *(Path(copy.path).stem for copy in found.copies)} == {"2", "6"}


def test_the_evaluator_is_listed_and_measures(pictures):
    assert "zero_shot_tagging" in command("evaluate", "--list")
    words = ("evaluate", "zero_shot_tagging", "--data", pictures / "tags.csv", "--model", "colour-names")
    result = json.loads(command(*words, "--json"))
    assert result["primary"] == {"key": "AP", "value": 1.0, "greater_is_better": True}
    assert result["counts"] == {"pictures": {"used": 8, "listed": 8}}


def test_the_protocol_is_measured_as_the_manifest_is(tmp_path):
    toy = write_corpus(tmp_path / "toy", videos=1, test_clips=6, size=32) / "test"
    model = sayso.load("colour-names")
    found = evaluate(str(FOLDER / "toy_clips.toml"), model, toy)
    expected = evaluate(str(toy / "manifest.csv"), model, options=EvaluationOptions(windows=2))
    assert found.rows == expected.rows
    assert len(found.published) == 2


def test_the_system_trains_and_its_run_is_evaluated_and_indexes(pictures):
    pytest.importorskip("accelerate")
    run, captions = pictures / "run", pictures / "captions.json"
    small = [
        f"--set={x}" for x in ("steps=2", "size=32", "dim=8", "batch_size=8", "micro_batch=2", "warmup=1")
    ]
    done = json.loads(command("train", "captioned-pictures", captions, "--out", run, "--json", *small))
    assert done["step"] == 2
    model = sayso.load(str(run))
    assert (type(model).__module__, model.dim, model.clip.size) == ("captioned_pictures", 8, 32)
    assert "text to picture" in command("evaluate", captions, "--model", run)
    command("index", pictures / "my.index", pictures / "images", "--model", run)
    assert len(sayso.Index.open(pictures / "my.index", create=False).search("all red")) > 0
