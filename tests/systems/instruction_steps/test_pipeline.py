"""From a folder of narrated videos to a result in one call, and from its model to another video."""

from __future__ import annotations

import json
import logging
from dataclasses import replace

import numpy as np
import pytest

from sayso.core.errors import SaysoError
from sayso.core.ownership import refuse_foreign, writing
from sayso.core.types import Caption
from sayso.systems import instruction_steps
from sayso.text import write_vtt
from sayso.toyworld.tasks import task_features, task_video

RECIPE = instruction_steps.StepsRecipe(num_steps=5, before_s=5, after_s=5, iterations=20, alternations=3)


def draw(folder, features, number, *, silent=False):
    """Write what stands for a video (its file is never read), its captions and its features."""
    folder.mkdir(parents=True, exist_ok=True)
    features.mkdir(exist_ok=True)
    video = task_video(20, 0, number)
    (folder / f"v{number}.mp4").write_bytes(b"not read")
    np.save(features / f"v{number}.npy", task_features(20, video, noise=0.7))
    if not silent:
        captions = [Caption(line.span, line.text) for line in video.lines]
        (folder / f"v{number}.vtt").write_text(write_vtt(captions))


@pytest.fixture
def made(tmp_path, monkeypatch):
    monkeypatch.setattr("sayso.systems.instruction_steps.pipeline.verb_parser", lambda: None)
    for number in range(6):
        draw(tmp_path / "task", tmp_path / "features", number)
    draw(tmp_path / "new", tmp_path / "features", 7, silent=True)
    (tmp_path / "task" / "lost.mp4").write_bytes(b"has no features")
    return tmp_path, instruction_steps.StepsOptions(recipe=RECIPE, features=tmp_path / "features")


def test_steps_are_discovered_written_and_found_again(made):
    folder, options = made
    result = instruction_steps.run(folder / "task", options)
    assert (result.title, len(result.steps), len(result.videos)) == ("task", 5, 6)
    (failure,) = result.failures
    assert failure.path.endswith("lost.mp4") and failure.stage == "features"
    page, *others = result.write(folder / "out")
    assert page.name == "index.html" and all(path.is_file() for path in others)
    assert json.loads((folder / "out" / "steps.json").read_text()) == result.to_dict()
    times = [[step["time_s"] for step in video["steps"]] for video in result.videos]
    assert all(row == sorted(row) for row in times)

    found = instruction_steps.apply(folder / "out", [folder / "new"], options)
    assert [step["name"] for step in found.videos[0]["steps"]] == [step["name"] for step in result.steps]
    assert all(step["text"] is None for step in found.videos[0]["steps"])
    found.write(folder / "out" / "applied")
    assert json.loads((folder / "out" / "steps.json").read_text()) == result.to_dict()
    assert (folder / "out" / "applied" / "found.json").is_file()


def test_the_command_goes_on_where_a_program_wrote(made):
    folder, options = made
    instruction_steps.run(folder / "task", options).write(folder / "task.steps")
    with writing("steps"):
        refuse_foreign(folder / "task.steps" / "index.html", folder / "task.steps" / "steps.json")
        instruction_steps.run(folder / "task", options).write(folder / "task.steps")
    (folder / "task.steps" / "index.html").write_text("by hand")
    with writing("steps"), pytest.raises(SaysoError, match="not as sayso wrote it"):
        refuse_foreign(folder / "task.steps" / "index.html")


def test_fewer_steps_than_wanted_are_logged(made, caplog):
    folder, options = made
    recipe = replace(RECIPE, num_steps=90)
    with caplog.at_level(logging.WARNING, "sayso"):
        result = instruction_steps.run(folder / "task", replace(options, recipe=recipe))
    assert f"the narrations have only {len(result.steps)} in common, not 90 steps" in caplog.text


def test_a_model_of_given_features_asks_for_features(made):
    folder, options = made
    instruction_steps.run(folder / "task", options).write(folder / "out")
    with pytest.raises(SaysoError, match="made from given features"):
        instruction_steps.apply(folder / "out", [folder / "new"])
