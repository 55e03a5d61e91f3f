"""``sayso steps`` from a folder of narrated videos to files, and to the steps of another video."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

import toy
from command import sayso
from sayso.cli.main import app
from sayso.core.errors import SaysoError
from sayso.core.types import Span
from sayso.export.timestamps import timestamp
from sayso.systems.instruction_steps import StepModel
from sayso.systems.instruction_steps.pipeline import folder_beside
from sayso.text import read_subtitles

STEPS = {"red": "loosen the nuts", "blue": "jack the car", "green": "remove the wheel"}
NAMES = ["loosen nut", "jack car", "remove wheel"]
SHOTS_S = 4.0
CHATTER = ("we are almost there", "I had a very long day", "be patient", "so far so good")


def clock(seconds):
    return f"00:{int(seconds) // 60:02d}:{seconds % 60:06.3f}"


def narrated(path, draws, *, steps=tuple(STEPS), silent=False):
    """Write a video of plain colours, one for each step, others between; return when each is seen."""
    shots = ["white"]
    for colour in steps:
        shots += [colour, *draws.choice(["white", "black", "yellow"], int(draws.integers(0, 3)))]
    toy.make_video(path, shots, SHOTS_S)
    seen = {colour: Span(SHOTS_S * k, SHOTS_S * (k + 1)) for k, colour in enumerate(shots) if colour in STEPS}
    cues = []
    for k, colour in enumerate(shots):
        start = SHOTS_S * k + draws.uniform(0, 2)
        text = f"now {STEPS[colour]}" if colour in STEPS else str(draws.choice(CHATTER))
        cues.append(f"{clock(start)} --> {clock(start + 1.5)}\n{text}.\n")
    if not silent:
        path.with_suffix(".vtt").write_text("WEBVTT\n\n" + "\n".join(cues))
    return seen


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Eight videos of one task; every third leaves a step out."""
    folder = tmp_path_factory.mktemp("steps") / "tyre"
    folder.mkdir()
    draws = np.random.default_rng(3)
    seen = {}
    for n in range(8):
        steps = tuple(colour for k, colour in enumerate(STEPS) if n % 3 or k != n // 3)
        seen[f"v{n}"] = narrated(folder / f"v{n}.mp4", draws, steps=steps)
    return folder, seen


@pytest.fixture
def run(monkeypatch):
    """Run the command with the colour encoder in place of a model."""
    monkeypatch.setattr("sayso.encoders.load_encoder", lambda name="auto", **options: toy.ColourEncoder())
    monkeypatch.setattr(
        "sayso.systems.instruction_steps.pipeline.verb_parser", lambda: None
    )  # rules; spaCy takes seconds to load
    return lambda *arguments: CliRunner().invoke(app, ["steps", *map(str, arguments)])


@pytest.fixture
def found(made, run, tmp_path):
    out = tmp_path / "tyre.steps"
    done = run(made[0], "--out", out, "--before", 2, "--after", 4)
    assert done.exit_code == 0, done.output
    return done, out


def hits(rows, seen, colours=tuple(STEPS)):
    """Return how many steps that are seen have their time inside, and how many are seen."""
    right = [
        seen[colour].start <= row["time_s"] < seen[colour].end
        for row in rows
        for colour in [colours[row["step"]]]
        if colour in seen
    ]
    return sum(right), len(right)


def test_steps_are_found_named_and_placed(found, made):
    done, out = found
    assert done.stdout.splitlines()[-1] == str(out / "index.html")
    assert [
        line.split("  mentioned")[0].split(maxsplit=1)[1] for line in done.stdout.splitlines()[:-1]
    ] == NAMES
    task = json.loads((out / "steps.json").read_text())
    assert [step["name"] for step in task["steps"]] == NAMES
    assert [step["example"] for step in task["steps"]] == [f"now {text}." for text in STEPS.values()]
    assert [row["name"] for row in task["videos"]] == sorted(made[1])
    right, every = np.sum([hits(row["steps"], made[1][row["name"]]) for row in task["videos"]], axis=0)
    assert every == sum(map(len, made[1].values()))
    assert right / every > 0.85


def test_chapters_are_what_the_list_says(found):
    _, out = found
    for row in json.loads((out / "steps.json").read_text())["videos"]:
        sure = [step for step in row["steps"] if step["present"]]
        captions = read_subtitles(out / "chapters" / f"{row['name']}.vtt")
        assert [caption.text for caption in captions] == [step["name"] for step in sure]
        assert [caption.span.start for caption in captions] == [step["start_s"] for step in sure]
        text = (out / "chapters" / f"{row['name']}.txt").read_text()
        assert text == "" or text.startswith("0:00 ")


def test_the_page_shows_every_video_step_and_picture(found):
    _, out = found
    page = (out / "index.html").read_text()
    rows = json.loads((out / "steps.json").read_text())["videos"]
    assert page.count("<section>") == len(rows)
    places = sum(len(row["steps"]) for row in rows)
    assert page.count('<img alt="" src="data:image/jpeg;base64,') == places
    assert all(f". {name}</b>" in page for name in NAMES)
    assert "now loosen the nuts." in page


def test_the_model_finds_the_steps_of_a_silent_video(found, run, tmp_path):
    _, out = found
    seen = narrated(tmp_path / "new.mp4", np.random.default_rng(7), silent=True)
    done = run("apply", out, tmp_path / "new.mp4", "--json")
    assert done.exit_code == 0, done.output
    row = json.loads(done.stdout)
    assert hits(row["steps"], seen) == (3, 3)
    assert all(step["present"] and step["text"] is None for step in row["steps"])
    lines = run("apply", out, tmp_path / "new.mp4").stdout.splitlines()
    times = [f"{timestamp(step['start_s'])}-{timestamp(step['end_s'])}" for step in row["steps"]]
    assert [line.split()[1] for line in lines[:-1]] == times
    assert [" ".join(line.split()[2:4]) for line in lines[:-1]] == NAMES
    for file in ("index.html", "found.json", "chapters/new.vtt"):
        assert (out / "applied" / file).exists()
    assert json.loads((out / "steps.json").read_text())["title"] == "tyre"  # the model is as it was


def test_a_second_run_reads_no_video_again(found, made, run, monkeypatch):
    _, out = found
    before = (out / "steps.json").read_text()
    monkeypatch.setattr("sayso.engine.features._write", None)
    assert run(made[0], "--out", out, "--before", 2, "--after", 4).exit_code == 0
    assert (out / "steps.json").read_text() == before


def test_they_go_beside_the_folder_as_it_was_named(made, run, tmp_path, monkeypatch):
    before = sorted(made[0].parent.iterdir())
    (tmp_path / "my task").symlink_to(made[0])
    monkeypatch.chdir(tmp_path)
    done = run("my task", "--before", 2, "--after", 4)
    out = tmp_path / "my task.steps"
    assert done.exit_code == 0 and done.stdout.splitlines()[-1] == str(out / "index.html")
    assert json.loads((out / "steps.json").read_text())["title"] == "my task"
    assert len(list((out / "features").glob("v*.npy"))) == 8
    assert sorted(made[0].parent.iterdir()) == before, "nothing beside what the link leads to"
    assert folder_beside(".") == tmp_path.with_name(f"{tmp_path.name}.steps")
    with pytest.raises(SaysoError, match="nothing can be written beside /; "):
        folder_beside("/")


def test_features_may_be_given_as_counts_of_words(made, run, tmp_path):
    words = {"red": 0, "blue": 1, "green": 2}
    for name, seen in made[1].items():
        counts = np.zeros((80, 8), dtype=np.int32)
        counts[:, 3] = 2
        for colour, span in seen.items():
            counts[int(span.start) : int(span.end), words[colour]] = 3
        np.save(tmp_path / f"{name}.npy", counts[: 10 + int(max(span.end for span in seen.values()))])
    out = tmp_path / "out"
    done = run(made[0], "--features", tmp_path, "--out", out, "--steps", 2, "--json")
    assert done.exit_code == 0, done.output
    assert [len(json.loads(line)["steps"]) for line in done.stdout.splitlines()] == [2] * 8
    assert StepModel.from_pretrained(out).encoder == "files"
    more = run(made[0], "--features", tmp_path, "--out", out, "--steps", 9)
    assert f"the narrations have only {len(NAMES)} in common, not 9 steps" in more.output
    video = made[0] / "v1.mp4"
    again = run("apply", out, video, "--features", tmp_path)
    assert again.exit_code == 0, again.output
    assert "made from given features" in str(run("apply", out, video).exception)


def test_what_cannot_be_read_is_told_and_the_rest_is_done(made, run, tmp_path):
    folder = tmp_path / "some"
    folder.mkdir()
    for n in (1, 2, 4):
        for end in ("mp4", "vtt"):
            (folder / f"v{n}.{end}").write_bytes((made[0] / f"v{n}.{end}").read_bytes())
    (folder / "bad.mp4").write_bytes(b"no video")
    done = run(folder, "--out", tmp_path / "out")
    assert done.exit_code == 3
    assert "bad.mp4" in done.stderr
    assert "remove wheel" in done.stdout


def test_no_steps_are_found_where_nobody_speaks(run, tmp_path):
    for n in range(2):
        narrated(tmp_path / f"v{n}.mp4", np.random.default_rng(n), silent=True)
    done = run(tmp_path, "--out", tmp_path / "out")
    assert done.exit_code == 1
    assert "with their captions" in str(done.exception)
    assert not (tmp_path / "out" / "index.html").exists()


def test_two_videos_of_one_name_are_told(made, run, tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "v.mp4").write_bytes((made[0] / "v1.mp4").read_bytes())
    done = run(tmp_path, "--out", tmp_path / "out")
    assert done.exit_code == 1
    assert "rename one of them" in str(done.exception)


def test_an_interrupt_ends_with_130_and_the_next_run_goes_on(made, run, tmp_path, monkeypatch):
    def interrupt(*given, **options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("sayso.systems.instruction_steps.discover.localize_steps", interrupt)
        assert run(made[0], "--out", tmp_path / "out").exit_code == 130
    assert len(list((tmp_path / "out" / "features").glob("v*.npy"))) == 8
    assert run(made[0], "--out", tmp_path / "out").exit_code == 0


def test_features_of_two_encoders_are_told(made, run, tmp_path):
    for n in range(8):
        np.save(tmp_path / f"v{n}.npy", np.ones((40, 5 + n % 2)))
    done = run(made[0], "--features", tmp_path, "--out", tmp_path / "out")
    assert "differ in length" in str(done.exception)


@pytest.mark.parametrize(
    ("make", "arguments", "sentence"),
    [
        (lambda folder: None, ["nowhere"], "nowhere cannot be read"),
        (lambda folder: None, ["."], "there is no video"),
        (lambda folder: None, ["apply", ".", "new.mp4"], "holds no model that sayso saved"),
        (lambda folder: np.save(folder / "v.npy", np.ones(3)), ["clips", "--features", "."], "same action"),
        (lambda folder: None, ["clips", "--model", "no/such/folder"], "name the folder of a model"),
        (lambda folder: None, [".", "--before", "-5", "--after", "2"], "longer --before"),
    ],
)
def test_what_is_wrong_is_one_sentence(tmp_path, monkeypatch, make, arguments, sentence):
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "v.mp4").write_bytes(b"not read") if "clips" in arguments else None
    make(tmp_path)
    monkeypatch.chdir(tmp_path)
    done = sayso("steps", *arguments, "--progress", "off")
    assert done.returncode == 1, done.stderr
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [[], ["apply", "model"], ["one", "two"], ["one", "--steps", "0"]])
def test_usage(arguments):
    done = sayso("steps", *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
