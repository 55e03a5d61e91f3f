"""``sayso ask`` as a person types it, with a model whose answers are known in the place of a real one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from generators import vlms
from generators.bright import Bright
from sayso.asking import MediaPart, looks_like_file
from sayso.cli import main
from sayso.cli.dialogue import hold_dialogue
from sayso.generators.base import Decoding


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / "dark.png", tmp_path / "light.png"]
    for path, shade in zip(paths, (10, 240), strict=True):
        Image.fromarray(np.full((8, 10, 3), shade, np.uint8)).save(path)
    return paths


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Bright:
    made = Bright()
    monkeypatch.setattr("sayso.generators.loading.load_generator", lambda name, device: made)
    return made


@pytest.fixture(scope="module")
def llava(tmp_path_factory) -> Path:
    return vlms.save_vlm(tmp_path_factory.mktemp("kin") / "llava", "llava", seed=2)


def run(*arguments: object, typed: str | None = None):
    return CliRunner().invoke(main.app, ["ask", *map(str, arguments)], input=typed)


def test_an_answer_is_printed(pictures, model):
    done = run(pictures[0], "How bright is it?")
    assert (done.exit_code, done.stdout) == (0, "shade 10\n")
    assert model.prompts[-1].exchanges[-1].text == "How bright is it?"


def test_two_pictures_go_into_one_question(pictures, model):
    assert run(*pictures, "What differs?").exit_code == 0
    assert len(model.prompts[-1].pictures) == 2


def test_json_says_what_made_it(pictures, model):
    row = json.loads(run(pictures[1], "How bright?", "--json").stdout)
    assert (row["answer"], row["model"], row["made_by"]) == ("shade 240", "bright", "a test")


def test_choices_are_printed_with_probabilities_the_likeliest_first(pictures, model):
    lines = run(pictures[1], "Bright?", "--choices", "no, yes").stdout.splitlines()
    assert [line.split()[1] for line in lines] == ["yes", "no"]
    assert sum(float(line.split()[0]) for line in lines) == pytest.approx(1, abs=0.002)


def test_questions_come_a_line_each_from_a_pipe(pictures, model):
    done = run(pictures[0], "-", typed="How bright?\n\nAnd now?\n")
    assert done.stdout == "shade 10\nshade 10\n"
    assert [prompt.exchanges[-1].text for prompt in model.prompts] == ["How bright?", "And now?"]


def test_examples_teach_the_answer(pictures, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "sayso.generators.loading.load_generator", lambda name, device: Bright(by_examples=True)
    )
    rows = [
        {"path": path.name, "answer": answer} for path, answer in zip(pictures, ("night", "day"), strict=True)
    ]
    (tmp_path / "shots.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert run(pictures[1], "When?", "--shots", tmp_path / "shots.jsonl").stdout == "day\n"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["no.jpg"], "there is no file no.jpg"),
        (["no.jpg", "What is this?"], "there is no file no.jpg"),
        (["What is this?"], "name a picture first"),
    ],
)
def test_what_is_not_there_is_said_before_a_model_is_loaded(arguments, why, monkeypatch):
    monkeypatch.setattr("sayso.generators.loading.load_generator", lambda *a, **k: pytest.fail("loaded"))
    done = run(*arguments)
    assert done.exit_code != 0 and why in str(done.exception)


def test_examples_of_an_index_need_one(pictures, model):
    done = run(pictures[0], "When?", "--shots", "auto")
    assert "name it with --index" in str(done.exception)


@pytest.mark.parametrize(
    ("text", "file"),
    [("no.jpg", True), ("a/b", True), ("why", False), ("What is it?", False), ("really?", False)],
)
def test_what_looks_like_a_file(text, file):
    assert looks_like_file(text) is file


def test_a_dialogue_remembers_adds_begins_anew_and_is_saved(pictures, tmp_path, capsys):
    model = Bright()
    kept = tmp_path / "talk.jsonl"
    typed = [
        "How bright?", f"/add {pictures[1]}", "And this?", "/nonsense", "/add no.jpg", f"/save {kept}",
        "/new", "Anew?", "/quit", "never",
    ]  # fmt: skip
    hold_dialogue(model, [MediaPart(pictures[0])], Decoding(), typed)
    out = capsys.readouterr()
    assert "shade 10" in out.out and "shade 240" in out.out
    assert "there is no command /nonsense" in out.err and "there is no file no.jpg" in out.err
    assert [row["answer"] for row in map(json.loads, kept.read_text().splitlines())] == [
        "shade 10",
        "shade 240",
    ]
    first, second, anew = model.prompts
    assert [one.answer for one in second.exchanges] == ["shade 10", None]
    assert len(first.exchanges) == len(anew.exchanges) == 1


def test_a_real_model_answers_and_scores_choices(llava, pictures):
    answered = json.loads(run(pictures[0], "What is it?", "--model", llava, "--json").stdout)
    assert answered["model"] == str(llava) and isinstance(answered["answer"], str)
    lines = run(pictures[0], "Dark?", "--choices", "yes,no", "--model", llava).stdout.splitlines()
    assert sum(float(line.split()[0]) for line in lines) == pytest.approx(1, abs=0.002)
