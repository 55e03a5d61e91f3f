"""Training by name, in Python and by the command, of systems here and of a package outside."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

import command
import sayso
from sayso.cli.main import app
from sayso.core.errors import SaysoError
from sayso.engine.recipes import recipe_path, shipped_recipes
from sayso.engine.system import SYSTEMS
from sayso.training import recipe_of

OUTSIDE = Path(__file__).with_name("outside_system.py")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Twelve pictures in three colours, captioned by their colour; one is damaged."""
    folder = tmp_path_factory.mktemp("pairs")
    colours = {"red": (200, 20, 20), "green": (20, 200, 20), "blue": (20, 20, 200)}
    captions = {}
    for n in range(12):
        word = list(colours)[n % 3]
        Image.fromarray(np.full((9, 12, 3), colours[word], np.uint8)).save(folder / f"{n:02}.png")
        captions[f"{n:02}.png"] = f"a {word} picture" if n % 2 else f"{word}"
    (folder / "07.png").write_bytes(b"no picture")
    (folder / "captions.json").write_text(json.dumps(captions))
    return folder


@pytest.fixture(scope="module")
def outside(tmp_path_factory):
    """A place with the package ``pairs_of_mine``, installed, to stand in sys.path."""
    site = tmp_path_factory.mktemp("site")
    (site / "pairs_of_mine.py").write_bytes(OUTSIDE.read_bytes())
    info = site / "pairs_of_mine-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: pairs-of-mine\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[sayso.systems]\npairs = pairs_of_mine:SYSTEM\n")
    return site


def test_a_system_of_a_package_outside_trains_resumes_and_is_listed(outside, pictures, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(outside))
    assert len(OUTSIDE.read_text().splitlines()) <= 100
    listed = command.sayso("train", "--list")
    assert "pairs             Pictures and their captions, contrastively." in listed.stdout, listed.stderr
    flags = ["--out", tmp_path / "run", "--set", "micro_batch=3", "--set", "workers=2", "--json"]
    done = command.sayso("train", "pairs", pictures, *flags, "--set", "steps=6")
    assert done.returncode == 3, done.stderr
    found = json.loads(done.stdout)
    assert (found["step"], [Path(one["path"]).name for one in found["failures"]]) == (6, ["07.png"])
    assert "07.png" in done.stderr
    more = command.sayso("train", "pairs", pictures, *flags, "--resume", "--set", "steps=60")
    assert json.loads(more.stdout)["step"] == 60, more.stderr
    weights = torch.load(tmp_path / "run" / "latest" / "weights.pt", weights_only=True)
    assert weights["log_scale"] > 0, "the temperature learns"
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert lines[-1]["loss"] < lines[0]["loss"]


def test_what_is_listed_but_missing_is_in_the_result_once(pictures, tmp_path, monkeypatch):
    from outside_system import SYSTEM
    from sayso.data.corpus import CorpusBuilder

    builder = CorpusBuilder()
    builder.miss("gone", "has no file")
    builder.fail("broken", "its captions cannot be read")
    corpus = builder.finish()
    read = type(SYSTEM).read

    def with_missing(self, *arguments):
        found = read(self, *arguments)
        found.missing, found.failures = corpus.missing, corpus.failures
        return found

    monkeypatch.setattr(type(SYSTEM), "read", with_missing)
    done = sayso.train(SYSTEM, pictures, tmp_path / "run", steps=3, warmup=1, workers=0)
    assert [(one.path, one.error) for one in done.failures if one.stage != "item"][:2] == [
        ("broken", "its captions cannot be read"),
        ("gone", "has no file"),
    ]


def test_a_system_itself_can_be_trained_without_being_registered(pictures, tmp_path):
    from outside_system import SYSTEM

    done = sayso.train(SYSTEM, pictures, tmp_path / "run", steps=3, warmup=1, workers=0)
    assert (done.step, done.interrupted, done.scores) == (3, False, {})
    assert [failure.path for failure in done.failures] == [str(pictures / "07.png")]
    assert "steps = 3\n" in (tmp_path / "run" / "config.toml").read_text()
    more = sayso.train(SYSTEM, pictures, tmp_path / "run", resume=True, steps=5)
    assert more.step == 5
    assert "warmup = 1\n" in (tmp_path / "run" / "latest" / "README.md").read_text(), "the recipe of the run"


def test_what_is_asked_wrongly_is_said_in_a_sentence(pictures, tmp_path):
    with pytest.raises(SaysoError, match="there is no system 'mil_nce'; did you mean 'mil-nce'"):
        sayso.train("mil_nce", pictures, tmp_path)
    with pytest.raises(SaysoError, match="the recipe of mil-nce has the unknown key 'step'; did you mean"):
        sayso.train("mil-nce", pictures, tmp_path, step=3)
    with pytest.raises(SaysoError, match="crosstask takes no --test; measure the run with: sayso evaluate"):
        sayso.train("crosstask", pictures, tmp_path / "x", test=pictures)
    with pytest.raises(
        SaysoError, match="there is no recipe 'toy'; name a TOML file, or one of align, basic,"
    ):
        sayso.train("mil-nce", pictures, tmp_path, recipe="toy")


@pytest.mark.parametrize("name", list(SYSTEMS.built_in))
def test_every_system_says_what_it_is_and_has_a_recipe_of_its_name(name):
    system = SYSTEMS[name]
    assert system.name == name
    assert system.description.endswith(".")
    assert system.recipe().steps > 0
    recipe = recipe_of(system, name)
    assert isinstance(recipe, system.recipe)
    head = recipe_path(name).read_text().splitlines()
    for word in ("# Command:", "# Cost:", "# Expect:"):
        assert any(line.startswith(word) for line in head)


def test_shipped_recipes_are_of_their_systems():
    for name in shipped_recipes():
        kin = "clip" if name in ("align", "basic", "florence", "siglip", "lit") else name
        system = next(one for one in SYSTEMS.built_in if kin.startswith(one))
        assert recipe_of(SYSTEMS[system], name).save_every > 0


def test_the_command_lists_systems_and_recipes_and_shows_recipes():
    run = CliRunner().invoke
    rows = [json.loads(line) for line in run(app, ["train", "--list", "--json"]).stdout.splitlines()]
    assert [row["name"] for row in rows if row["kind"] == "system"] == list(SYSTEMS)
    assert {"mil-nce-toy", "localize-toy"} <= {row["name"] for row in rows if row["kind"] == "recipe"}
    assert all(row["description"] for row in rows)
    shown = run(app, ["train", "localize", "--recipe", "localize-toy", "--set", "size=64", "--show-recipe"])
    assert 'learn = "all"\n' in shown.stdout
    assert "size = 64\n" in shown.stdout
    for wrong in ([], ["mil-nce"], ["mil-nce", "data"]):
        assert run(app, ["train", *wrong]).exit_code == 2
