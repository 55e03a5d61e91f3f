"""``sayso search`` as a source of files for other programs, and as a list."""

from __future__ import annotations

import csv
import io
import json
from xml.etree import ElementTree as ET

import pytest
from PIL import Image
from typer.testing import CliRunner

import toy
from sayso import Index
from sayso.cli.main import app
from sayso.core.errors import SaysoError


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("found")
    (folder / "media").mkdir()
    toy.make_video(folder / "media" / "talk.mp4", ["red", "green", "blue"])
    toy.make_picture(folder / "media" / "sea.png", "blue")
    Index.open(folder / "my.index", toy.ColourEncoder()).add(folder / "media")
    return folder


@pytest.fixture
def run(found, monkeypatch):
    """Search with the colour encoder in place of a model."""
    monkeypatch.setattr("sayso.encoders.load_encoder", lambda name="auto", **options: toy.ColourEncoder())

    def invoke(*arguments, stdin=None):
        return CliRunner().invoke(app, ["search", str(found / "my.index"), *map(str, arguments)], input=stdin)

    return invoke


def test_each_format_holds_what_json_holds(run, found):
    hits = [json.loads(line) for line in run("blue", "--json").stdout.splitlines()]
    videos = [hit for hit in hits if hit["kind"] == "video"]
    rows = list(csv.DictReader(io.StringIO(run("blue", "--csv").stdout)))
    assert [(row["id"], float(row["start_s"]), float(row["score"])) for row in rows] == [
        (hit["id"], hit["start_s"], hit["score"]) for hit in hits
    ]
    clips = list(
        ET.fromstring(run("blue", "--fcpxml").stdout.split("<!DOCTYPE fcpxml>")[1]).iter("asset-clip")
    )
    assert [clip.get("name") for clip in clips] == ["talk"] * len(videos)
    assert run("blue", "--edl").stdout.splitlines()[0] == "TITLE: blue"
    assert json.loads(run("blue", "--otio").stdout)["OTIO_SCHEMA"] == "Timeline.1"
    assert run("blue", "--srt").stdout.count("-->") == len(videos)


def test_a_table_holds_no_formula_and_a_manifest_made_of_it_says_the_same(run, found, tmp_path):
    title, where = '=HYPERLINK("http://x.example","dog")', str(found / "media" / "talk.mp4")
    said = {"path": where, "title": title, "text": "- hello", "note": "@me", "degrees": "-3"}
    (tmp_path / "list.jsonl").write_text(json.dumps(said) + "\n")
    one, two = (Index.open(tmp_path / name, toy.ColourEncoder()) for name in ("one.index", "two.index"))
    one.add(tmp_path / "list.jsonl")
    hits = one.search("hello", limit=1)
    assert (hits[0].title, hits[0].text) == (title, "- hello")
    asked = ["search", str(tmp_path / "one.index"), "hello", "--csv", "-n", "1", "--no-daemon"]
    table = CliRunner().invoke(app, asked).stdout
    (row,) = csv.DictReader(io.StringIO(table))
    named = ("title", "text", "meta.note", "meta.degrees", "path")
    assert [row[name] for name in named] == [f"'{title}", "'- hello", "'@me", "-3", where]
    with (tmp_path / "found.csv").open("w", newline="") as file:  # some of its columns, cells as they are
        csv.writer(file).writerows([[*named], [row[name] for name in named]])
    assert not two.add(tmp_path / "found.csv").failures
    again = two.search("hello", limit=1)[0]
    assert (again.title, again.text) == (title, "- hello")
    assert again.meta == {"meta.note": "@me", "meta.degrees": "-3"}


@pytest.mark.parametrize("form", ["csv", "json"])
def test_what_is_found_is_a_manifest(run, found, tmp_path, form):
    """Moments keep their times, pictures have none, and what a model saw is not taken for what is said."""
    talk, sea = (str(found / "media" / name) for name in ("talk.mp4", "sea.png"))
    said = [
        {"path": talk, "start_s": 0, "end_s": 4, "text": "good morning"},
        {"path": talk, "start_s": 8, "end_s": 12, "text": "good night"},
        {"path": talk, "start_s": 8, "end_s": 12, "seen": "a blue wall", "made_by": "a model"},
        {"path": talk, "start_s": 4, "end_s": 8, "seen": "", "made_by": "a model"},
        {"path": sea},
    ]
    (tmp_path / "list.jsonl").write_text("".join(json.dumps(row) + "\n" for row in said))
    one, two = (Index.open(tmp_path / name, toy.ColourEncoder()) for name in ("one.index", "two.index"))
    assert not one.add(tmp_path / "list.jsonl").failures
    asked = ["search", str(tmp_path / "one.index"), "blue", f"--{form}", "--no-merge", "--no-daemon"]
    listed = tmp_path / ("found.csv" if form == "csv" else "found.jsonl")
    listed.write_text(CliRunner().invoke(app, asked).stdout)
    assert two.add(listed).failures == []
    before, after = (
        sorted(
            (hit.path, hit.start_s, hit.end_s, hit.text, hit.seen)
            for hit in index.search("blue", merge=False)
        )
        for index in (one, two)
    )
    assert before == after
    assert {said for *_, said in after} == {"", "a blue wall"}
    assert len(after) == 3


def test_a_contact_sheet_beside_what_is_printed(run, tmp_path):
    ran = run("blue", "--json", "--sheet", tmp_path / "x.png", "-n", 2)
    assert len(ran.stdout.splitlines()) == 2
    with Image.open(tmp_path / "x.png") as sheet:
        assert sheet.size[0] > 600
    assert isinstance(run("blue", "--sheet", tmp_path / "x.jpg").exception, SaysoError)


def test_a_filter_alone_lists(run):
    rows = [json.loads(line) for line in run("--filter", "kind = 'picture'", "--json").stdout.splitlines()]
    assert [row["title"] for row in rows] == ["sea"]
    rows = run("-f", "start_s >= 4", "--json", "--no-merge").stdout.splitlines()
    assert [json.loads(row)["start_s"] for row in rows] == [4.0, 8.0]
    assert "say what to look for" in str(run().exception)
    assert "or list by --filter" in str(run("--filter", " ").exception)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["blue", "--csv", "--edl"], "--csv and --edl both want stdout"),
        (
            ["blue", "--csv", "found.csv"],
            "--csv prints, and would search for found.csv; to write that",
        ),
        (["blue", "--json", "--srt"], "--json and --srt both want stdout"),
        (["-", "--edl"], "--edl is one file, and stdin holds several queries"),
        (["-", "--sheet", "x.png"], "--sheet is one file"),
        (["-f", "kind = 'picture'", "--edl"], "no moment of a video"),
    ],
)
def test_what_cannot_be_is_said(run, words, says):
    ran = run(*words, stdin="red\n")
    assert says in str(ran.exception)
    assert ran.stdout == ""


def test_nothing_found_prints_nothing(run):
    ran = run("--filter", "duration_s > 99", "--edl")
    assert (ran.stdout, ran.stderr, ran.exit_code) == ("", "nothing found\n", 0)
    assert run("--filter", "duration_s > 99", "--csv").stdout.startswith("path,title")


def test_thumbnails_stand_above_their_lines(run, monkeypatch):
    for name in ("TMUX", "KITTY_WINDOW_ID", "TERM_PROGRAM", "LC_TERMINAL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    lines = run("blue", "--thumbs", "-n", 2).stdout.splitlines()
    told = [k for k, line in enumerate(lines) if "▀" not in line]
    assert [lines[k] for k in told] == run("blue", "-n", 2).stdout.splitlines()
    assert told[0] > 5
    assert told[-1] == len(lines) - 1
