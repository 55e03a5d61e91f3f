"""``sayso train`` as a person runs it: the lists, recipes, mistakes, resuming; with a system from outside."""

from __future__ import annotations

import json
import sys
import textwrap
import tomllib
from pathlib import Path

import pytest

from sayso.cli.main import main

SYSTEMS = pytest.importorskip("sayso.engine.system").SYSTEMS

PACKAGE = '''
"""A system that somebody else wrote: the slope of a line through the points of a file, one "x y" a line."""

import os
import signal
from dataclasses import dataclass

import numpy as np
import torch

from sayso.core.errors import SaysoError
from sayso.engine.system import LossesMethod
from sayso.engine.training_config import TrainingConfig


@dataclass(frozen=True, kw_only=True)
class Recipe(TrainingConfig):
    steps: int = 30
    batch_size: int = 4
    lr: float = 0.1
    warmup: int = 0
    save_every: int = 5
    log_every: int = 1
    workers: int | None = 1
    interrupt_at: int = 0


class Points:
    group = 1

    def __init__(self, rows, interrupt_at):
        self.rows, self.interrupt_at, self.made = rows, interrupt_at, 0

    def __len__(self):
        return len(self.rows)

    def name(self, item):
        return f"point {item}"

    def sample(self, item, rng):
        self.made += 1
        if self.made == self.interrupt_at:  # as a person does
            os.kill(os.getpid(), signal.SIGINT)
        if np.isnan(self.rows[item]).any():
            raise SaysoError(f"point {item} is no number")
        return [{"x": self.rows[item, :1], "y": self.rows[item, 1:]}]


class Slope(LossesMethod):
    def __init__(self, dataset):
        self.model, self.dataset = torch.nn.Linear(1, 1, bias=False), dataset
        torch.nn.init.zeros_(self.model.weight)

    def losses(self, model, batch):
        error = model(batch["x"]) - batch["y"]
        return {"square": ((error**2).sum(), float(len(error)))}

    def export(self, model, card):
        return Line(float(model.weight.detach()))


class Line:
    def __init__(self, slope):
        self.slope = slope

    def save_pretrained(self, folder):
        (folder / "slope.txt").write_text(str(self.slope))


class SlopeSystem:
    name, description, recipe, evaluator = "slope", "the slope of a line, from points", Recipe, None

    def read(self, path, recipe, progress):
        rows = np.loadtxt(path, np.float32, ndmin=2)
        if not len(rows):
            raise SaysoError(f"{path} holds no point")
        return rows

    def build(self, recipe, data, folder, progress):
        return Slope(Points(data, recipe.interrupt_at))


SYSTEM = SlopeSystem()
'''


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """A folder of installed packages that holds one with a system."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "lines_of_mine.py").write_text(PACKAGE)
    info = folder / "lines_of_mine-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lines-of-mine\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[sayso.systems]\nlost = lines_of_mine:nothing\nslope = lines_of_mine:SYSTEM\n"
    )
    points = "".join(f"{x / 10} {3 * x / 10}\n" for x in range(1, 21))
    (folder / "points.txt").write_text(points)
    (folder / "holes.txt").write_text(points + "nan 1\n" * 3)
    return folder


@pytest.fixture
def sayso_train(site, monkeypatch, capfd):
    """Run ``sayso train`` in this process, as the command does: arguments -> (exit code, stdout, stderr)."""
    monkeypatch.syspath_prepend(str(site))

    def run(*arguments) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["sayso", "train", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capfd.readouterr()
        return end.value.code or 0, out, err

    return run


def test_the_list_has_every_system_and_recipe_and_that_of_another_package(sayso_train):
    code, out, _ = sayso_train("--list", "--json")
    rows = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    names = [row["name"] for row in rows if row["kind"] == "system"]
    assert names == [*SYSTEMS.built_in, "lost", "slope"]
    lost = next(row for row in rows if row["name"] == "lost")
    assert "the system 'lost' cannot be loaded from lines_of_mine:nothing" in lost["description"]
    assert {row["name"] for row in rows if row["kind"] == "recipe"} >= set(SYSTEMS.built_in)
    assert all(row["description"] for row in rows)
    plain = sayso_train("--list")[1]
    assert all(row["name"] in plain and row["description"] in plain for row in rows)


@pytest.mark.parametrize("system", [*SYSTEMS.built_in, "slope"])
def test_show_recipe_prints_what_reads_back(sayso_train, tmp_path, system):
    code, out, err = sayso_train(system, "--show-recipe", "--set", "steps=7")
    assert (code, err) == (0, "")
    assert tomllib.loads(out)["steps"] == 7
    (tmp_path / "mine.toml").write_text(out)
    assert sayso_train(system, "--show-recipe", "--recipe", tmp_path / "mine.toml")[1] == out


def test_it_learns_resumes_and_refuses_to_write_over_a_run(sayso_train, site, tmp_path):
    run = tmp_path / "run"
    code, out, err = sayso_train("slope", site / "points.txt", "--out", run, "--set", "steps=10", "--json")
    assert code == 0, err
    assert json.loads(out)["step"] == 10
    code, out, err = sayso_train("slope", site / "points.txt", "--out", run)
    assert (code, out) == (1, "")
    assert err.splitlines()[-1].startswith("sayso: ") and "--resume" in err
    done = sayso_train(
        "slope",
        site / "points.txt",
        "--out",
        run,
        "--resume",
        "--set",
        "steps=120",
        "--set",
        "save_every=60",
        "--json",
    )
    assert done[0] == 0, done[2]
    assert json.loads(done[1])["step"] == 120
    slopes = {int(path.parent.name[5:]): float(path.read_text()) for path in run.glob("step_*/slope.txt")}
    assert slopes[120] == pytest.approx(3, abs=0.1)


def test_an_interrupt_keeps_the_step_and_resuming_ends_where_an_unbroken_run_does(
    sayso_train, site, tmp_path
):
    points = site / "points.txt"
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert sayso_train("slope", points, "--out", whole, "--set", "save_every=1000")[0] == 0
    code, _, err = sayso_train(
        "slope", points, "--out", broken, "--set", "interrupt_at=20", "--set", "save_every=1000"
    )
    assert code == 130, err
    assert "the same command goes on" in err
    (kept,) = (int(path.name[5:]) for path in broken.glob("step_*"))
    assert 0 < kept < 30
    assert sayso_train("slope", points, "--out", broken, "--resume", "--set", "interrupt_at=0")[0] == 0
    last = "step_*30/slope.txt"
    (one,), (other,) = whole.glob(last), broken.glob(last)
    assert one.read_text() == other.read_text()


def test_items_that_cannot_be_read_are_listed_and_the_exit_code_is_3(sayso_train, site, tmp_path):
    code, out, err = sayso_train("slope", site / "holes.txt", "--out", tmp_path / "run", "--json")
    assert code == 3, err
    assert "is no number" in err
    assert len(json.loads(out)["failures"]) >= 1


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["slop", "points.txt", "--out", "x"], 2, "sayso: there is no system 'slop'; did you mean 'slope'?"),
        (["slope", "points.txt", "--out", "x", "--set", "step=3"], 2, "'step'; did you mean 'steps'?"),
        (["slope", "points.txt", "--out", "x", "--set", "steps=many"], 2, "steps"),
        (["slope", "points.txt", "--out", "x", "--recipe", "none"], 2, "there is no recipe 'none'"),
        (
            ["slope", "points.txt", "--out", "x", "--test", "points.txt"],
            2,
            "sayso evaluate EVALUATOR --model RUN",
        ),
        (["slope", "points.txt"], 2, "--out"),
        ([], 2, "--list"),
    ],
)
def test_a_mistake_is_one_sentence(sayso_train, site, arguments, code, said):
    placed = [site / part if part == "points.txt" else part for part in arguments]
    found, out, err = sayso_train(*placed)
    assert (found, out) == (code, "")
    assert said in err
    assert "Traceback" not in err
    if code == 1:
        assert len(err.splitlines()) == 1, err
    assert not Path("x").exists()


def test_the_package_of_the_test_is_no_longer_than_an_extension_should_be():
    assert len(textwrap.dedent(PACKAGE).strip().splitlines()) <= 100
