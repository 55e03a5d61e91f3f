"""Step classifiers: components, narration windows, training on narration and order, their folder."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from planted_steps import TASKS, batch_of, plant
from sayso.cli.main import app
from sayso.core.errors import SaysoError
from sayso.core.progress import Silent
from sayso.core.types import Caption, Span
from sayso.data.datasets.crosstask import read_tasks
from sayso.data.narration_windows import mention_windows, span_windows
from sayso.engine.tensor_batch import TensorBatch
from sayso.evaluation.crosstask import left_to_test
from sayso.systems import crosstask
from sayso.systems.crosstask.components import component_names, mixing
from sayso.systems.crosstask.train import SYSTEM

RECIPE = crosstask.Recipe(steps=60, batch_size=8, save_every=60, uniform_epochs=4, warmup=1, workers=1)


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return plant(tmp_path_factory.mktemp("crosstask"))


def test_tasks_share_words_but_not_steps() -> None:
    words = component_names(TASKS, "words")
    assert words == ("add", "ice", "milk", "pour", "stir", "water")
    table = mixing("7", TASKS["7"], words, "words")
    assert table[0].tolist() == [0, 0, 0, 0.5, 0, 0.5]
    assert len(component_names(TASKS, "task_words")) == 10
    assert len(component_names(TASKS | {"9": ("add  water",)}, "steps")) == 5
    assert np.array_equal(mixing("8", TASKS["8"], component_names(TASKS, "none"), "none")[:, -2:], np.eye(2))


def test_words_are_what_blanks_separate() -> None:
    steps = {"1": ("top with whipped_cream", "flip tri-tip", "Top with Tea")}
    assert component_names(steps, "words") == (
        *("Tea", "Top", "flip", "top", "tri-tip", "whipped_cream", "with"),
    )
    table = mixing("1", ["pour milk pour"], ("milk", "pour"), "words")
    assert table.tolist() == [[0.5, 0.5]]


def test_equal_names_are_one_step_of_a_task_and_shared_by_tasks_only_where_steps_are() -> None:
    tasks = {"1": ("add onion", "stir", "add onion"), "2": ("add onion",)}
    assert component_names(tasks, "none") == ("1/add onion", "1/stir", "2/add onion")
    assert component_names(tasks, "steps") == ("add onion", "stir")
    table = mixing("1", tasks["1"], component_names(tasks, "none"), "none")
    assert table.tolist() == [[1, 0, 0], [0, 1, 0], [1, 0, 0]]


def test_the_release_has_406_words(shared_data: Path) -> None:
    folder = shared_data / "crosstask_release"
    tasks = read_tasks(folder / "tasks_primary.txt") | read_tasks(folder / "tasks_related.txt")
    assert len(component_names({task: one.steps for task, one in tasks.items()}, "words")) == 406
    chili = {"103832": tasks["103832"].steps}
    assert (len(chili["103832"]), len(component_names(chili, "none"))) == (11, 10)


def test_a_step_of_unknown_words_is_refused_and_of_some_known_ones_is_not() -> None:
    words = component_names(TASKS, "words")
    assert mixing("x", ["pour oil"], words, "words")[0].sum() == 1
    with pytest.raises(SaysoError, match="'fry egg' shares no component"):
        mixing("x", ["fry egg"], words, "words")


def test_narration_tells_of_the_step_whose_own_word_is_said() -> None:
    lines = [
        Caption(Span(3.0, 4.0), "Now you want to be pouring the milks."),
        Caption(Span(20.0, 21.0), "I just love water."),
        Caption(Span(27.0, 28.0), "Thanks for watching!"),
    ]
    windows = mention_windows(lines, ["pour water", "pour milk", "add ice"], 30, before_s=1, after_s=5)
    assert [np.flatnonzero(column).tolist() for column in windows.T] == [
        list(range(19, 26)),
        list(range(2, 9)),
        [],
    ]


def method_of(release: Path, **changes: object) -> crosstask.CrossTask:
    recipe = replace(RECIPE, features=str(release / "features"), **changes)
    return SYSTEM.build(recipe, SYSTEM.read(release, recipe, Silent()), release, Silent())


def test_loss_is_the_cross_entropy_over_the_steps_of_each_task(release: Path) -> None:
    method = method_of(release)
    items = [0, 3, len(method.dataset) - 1]
    batch = batch_of(method, items, 9)
    scores = torch.randn(3, 30, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    losses = method.losses(lambda features, task: scores, TensorBatch(batch, torch.device("cpu")))
    targets = method.targets(scores.float().numpy(), batch)
    total = count = 0.0
    for b, item in enumerate(items):
        C = len(TASKS[method.dataset.videos[item].task])
        for t, c in np.argwhere(targets[b] > 0):
            total -= float(scores[b, t, :C].log_softmax(0)[c])
            count += 1
        assert targets[b].sum() == C
        assert (np.diff(targets[b, :, :C].argmax(0)) > 0).all()
    ((found, weight),) = losses.values()
    assert (float(found), float(weight)) == (pytest.approx(total, rel=1e-9), count)


def test_the_first_targets_are_the_narration_windows(release: Path) -> None:
    method = method_of(release)
    targets = method.targets(np.zeros((2, 30, 3), np.float32), batch_of(method, [0, 1], 0))
    allowed = method.dataset.allowed[0]
    assert np.allclose(targets[0, :, : allowed.shape[1]], allowed / allowed.sum(0))
    alone = method_of(release, windows=str(release / "features"))
    assert not any(table.any() for table in alone.dataset.allowed)
    told = method_of(release, windows=str(release / "annotations"))
    assert all((table.sum(0) == 3).all() for table in told.dataset.allowed)


def test_a_broken_file_costs_its_video_alone(release: Path, tmp_path: Path) -> None:
    windows = tmp_path / "constraints"
    shutil.copytree(release / "constraints", windows)
    (windows / "7_v72.csv").write_text("1,0,4\nnine,1,2\n")
    found = method_of(release, windows=str(windows)).dataset
    assert "v72" not in {video.video for video in found.videos}
    (failure,) = found.failures
    assert failure.path == "v72"
    assert "line 2: expected step,start,end; got 'nine,1,2'" in failure.error


def test_videos_are_padded_to_the_longest_of_their_batch(release: Path) -> None:
    method = method_of(release)
    one, other = (
        method.dataset.sample(item, np.random.default_rng(0))[0] for item in (0, len(method.dataset) - 1)
    )
    short = {**one, "features": one["features"][:20], "allowed": one["allowed"][:20]}
    batch = method.collate([short, other])
    assert batch["features"].shape == (2, 30, 16)
    assert not batch["features"][0, 20:].any()
    assert not batch["allowed"][1, :, 2].any()
    assert (batch["seconds"].tolist(), batch["steps"].tolist(), batch["task"].tolist()) == (
        [20, 30],
        [3, 2],
        [0, 1],
    )


def test_windows_of_spans_lie_around_them() -> None:
    spans = [Span(10, 11), None]
    assert span_windows(spans, 30, rate=2.0, before_s=2, after_s=3).tolist() == [[16, 28], [0, 30]]
    assert span_windows(spans, 15, rate=2.0, before_s=2, after_s=3).tolist() == [[14, 15], [0, 15]]


def test_captions_stand_for_constraints(release: Path, tmp_path: Path) -> None:
    (tmp_path / "v70.vtt").write_text("WEBVTT\n\n00:04.000 --> 00:05.000\nNow add the ice.\n")
    videos = method_of(release, windows=str(tmp_path)).dataset
    told = {
        video.video: np.flatnonzero(t[:, -1]) for video, t in zip(videos.videos, videos.allowed, strict=True)
    }
    assert told.pop("v70").tolist() == list(range(4, 15))
    assert not any(map(len, told.values()))


def test_validation_videos_are_never_learned_from(release: Path) -> None:
    learned = {video.video for video in method_of(release).dataset.videos}
    aside = {row.split(",")[1] for row in (release / "videos_val.csv").read_text().split()}
    assert len(learned) == 16
    assert not learned & aside


def test_trains_and_finds_steps_where_half_of_the_narration_is_wrong(release: Path, tmp_path: Path) -> None:
    run = CliRunner().invoke
    options = [
        f"--set={key}={getattr(RECIPE, key)}" for key in ("steps", "batch_size", "uniform_epochs", "workers")
    ]
    features = release / "features"
    told = run(
        app,
        [
            "train",
            "crosstask",
            str(release),
            "-o",
            str(tmp_path / "run"),
            f"--set=features={features}",
            *options,
        ],
    )
    assert told.exit_code == 0, told.output
    out = tmp_path / "found.json"
    asked = ["evaluate", "crosstask", "--data", str(release), "--features", str(features)]
    found = run(app, [*asked, "--model", str(tmp_path / "run"), "--out", str(out)])
    assert found.exit_code == 0, found.output
    result = json.loads(out.read_text())
    assert result["primary"]["value"] > 0.9 > 0.6 > result["published"][0]["recall"]
    assert result["counts"]["videos"]["used"] == 8


def test_a_folder_gives_the_same_classifiers_back(release: Path, tmp_path: Path) -> None:
    method = method_of(release)
    with torch.no_grad():
        for parameter in method.model.parameters():
            parameter.normal_(generator=torch.Generator().manual_seed(1))
    model = method.export(method.model)
    model.save_pretrained(tmp_path)
    again = crosstask.StepClassifier.from_pretrained(tmp_path)
    X = np.load(release / "features" / "v70.npy")
    mean, scale = method.dataset.moments
    rows = torch.from_numpy((X - mean) * scale)[None]
    wanted = method.model(rows, torch.tensor([0]))[0].detach().numpy()
    assert np.allclose(again.scores(X, "7"), wanted, atol=1e-5)
    assert again.sha256 == model.sha256
    assert again.place(X, "new", ["pour milk", "add ice"]).shape == (2,)
    with pytest.raises(SaysoError, match=r"expected features \(T, 16\)"):
        again.scores(X[:, :3], "7")
    with pytest.raises(SaysoError, match="task 99 was not learned"):
        again.scores(X, "99")
    (tmp_path / "model.safetensors").write_bytes(b"no")
    with pytest.raises(SaysoError, match="cannot be read"):
        crosstask.StepClassifier.from_pretrained(tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"features": ""}, "needs the features of its videos"),
        ({"features": "nowhere"}, "nowhere"),
    ],
)
def test_says_what_is_missing(release: Path, changes: dict, message: str) -> None:
    with pytest.raises(SaysoError, match=message):
        SYSTEM.read(release, replace(RECIPE, **changes), Silent())


def test_a_draw_of_the_authors_split_trains_on_thirty_videos_of_a_primary_task(tmp_path: Path) -> None:
    (tmp_path / "tasks_primary.txt").write_text("7\nTea\nx\n2\npour water,add tea\n\n8\nMix\nx\n1\nstir\n")
    (tmp_path / "tasks_related.txt").write_text("9\nCoffee\nx\n1\ngrind beans\n")
    listed = [("7", f"v{k}") for k in range(40)] + [("8", f"w{k}") for k in range(6)]
    listed += [("9", f"r{k}") for k in range(33)]
    (tmp_path / "videos.csv").write_text("".join(f"{task},{video},x\n" for task, video in listed))
    (tmp_path / "videos_val.csv").write_text("7,v3,x\n8,w0,x\n")
    (tmp_path / "features").mkdir()
    for _, video in listed:
        np.save(tmp_path / "features" / f"{video}.npy", np.ones((4, 3), np.float32))

    def trained(**changes: object) -> set[str]:
        recipe = crosstask.Recipe(features=str(tmp_path / "features"), **changes)
        return {video.video for video in SYSTEM.read(tmp_path, recipe, Silent()).videos}

    everything, drawn, other = trained(), trained(draw=0), trained(draw=1)
    tests = {
        video for _, video in left_to_test([one for one in listed[:46] if one[1] not in ("v3", "w0")], 0)
    }
    assert len(everything) == 44 and len(drawn) == len(other) == 35 and drawn != other
    assert drawn | tests == everything and not drawn & tests
    assert trained(draw=0, related=True) == drawn | {f"r{k}" for k in range(33)}
