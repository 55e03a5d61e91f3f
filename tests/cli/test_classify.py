"""``sayso classify`` as a person runs it: names, output for people and programs, mistakes."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

import toy
from sayso.cli import main
from sayso.core.errors import SaysoError


@pytest.fixture(autouse=True)
def colours(monkeypatch):
    """The toy encoder under the name that the tests give."""

    class Encoder(toy.ColourEncoder):
        log_scale, bias = 2.0, None

        def encode_text(self, texts):
            return super().encode_text([text.replace(".", " ") for text in texts])

    monkeypatch.setattr("sayso.encoders.named.load", lambda name, **_: Encoder())


@pytest.fixture
def pictures(tmp_path):
    (tmp_path / "in").mkdir()
    for colour in ("red", "blue"):
        toy.make_picture(tmp_path / "in" / f"{colour}.png", colour)
    (tmp_path / "names.txt").write_text("red\nblue\ngreen\n")
    return tmp_path


def run(*words, catch=True):
    return CliRunner().invoke(main.app, ["classify", *map(str, words)], catch_exceptions=catch)


def test_prints_a_line_a_picture(pictures):
    done = run(pictures / "in", "--names", pictures / "names.txt", "--model", "toy")
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert [line.split()[1] for line in lines] == ["blue", "red"]
    assert all(str(pictures / "in") in line for line in lines)


def test_json_and_the_file_hold_the_same(pictures):
    out = pictures / "classes.jsonl"
    done = run(pictures / "in", "--names", "red, blue", "--model", "toy", "--json", "--out", out, "--top", 1)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["names"][0]["name"] for row in rows] == ["blue", "red"]
    assert [list(one) for row in rows for one in row["names"]] == [["name", "probability", "score"]] * 2
    assert out.read_text() == done.stdout
    out.write_text("mine now")
    with pytest.raises(SaysoError, match="not as sayso wrote it"):
        run(pictures / "in", "--names", "red, blue", "--out", out, catch=False)


def test_failures_are_listed_and_equal_names_told(pictures):
    (pictures / "in" / "x.png").write_bytes(b"")
    done = run(pictures / "in", "--names", "red, blue, red", "--model", "toy")
    assert done.exit_code == 3
    assert len(done.stdout.splitlines()) == 2
    assert "x.png is empty" in done.stderr
    assert "'red' (name 1) and 'red' (name 3) have the same vector" in done.stderr


def test_it_is_an_error_if_no_picture_can_be_read(pictures):
    (pictures / "x.png").write_bytes(b"")
    done = run(pictures / "x.png", "--names", "red, blue", "--model", "toy")
    assert (done.exit_code, done.stdout) == (1, "") and "x.png is empty" in done.stderr


@pytest.mark.parametrize(
    ("names", "told"),
    [("nowhere.txt", "there is no file of names 'nowhere.txt'"), ("{empty}", "holds no list of names")],
)
def test_mistakes_are_told(pictures, names, told):
    (pictures / "empty.txt").write_text("\n")
    with pytest.raises(SaysoError, match=told):
        run(pictures / "in", "--names", names.format(empty=pictures / "empty.txt"), catch=False)
