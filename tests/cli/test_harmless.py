"""Names of files that command terminals, end lines or turn text round: no verb lets them through."""

from __future__ import annotations

import csv
import io
import json
import logging
import re

import pytest

import toy
from command import sayso
from sayso import Index
from sayso.cli.main import app
from sayso.core.harmless import harmless, harmless_cells, harmless_json, html_text, without_guard
from sayso.core.progress import reporter, show_log
from sayso.data.csv_rows import csv_rows
from sayso.export.pages import whole_page

EVIL = "a\x1b[2J\x1b]0;owned\x07\nfailed: b\x9b31m\u202egpj\u2028c"
FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
FORGED = re.compile("^(failed: b|gpj)", re.MULTILINE)


def assert_harmless(text: str) -> None:
    assert not FORBIDDEN.search(text), repr(FORBIDDEN.search(text))
    assert not FORGED.search(text), text


@pytest.fixture
def media(tmp_path, monkeypatch):
    monkeypatch.setattr("sayso.encoders.load_encoder", lambda name="auto", **options: toy.ColourEncoder())
    folder = tmp_path / "media"
    folder.mkdir()
    toy.make_picture(folder / f"{EVIL}.png", "red")
    toy.make_video(folder / f"{EVIL}.mp4", ["red", "blue"])
    (folder / f"{EVIL}.srt").write_text("1\n00:00:00,000 --> 00:00:03,000\nred \x1b[31m wall\x9b\n")
    (folder / f"{EVIL} broken.mp4").write_bytes(b"no video at all")
    return folder


def verbs(index, media, out):
    """Give commands of each verb that says names; those of the second list load models."""
    film, broken, text = (media / f"{EVIL}{ending}" for ending in (".mp4", " broken.mp4", ".srt"))
    forms = ("--json", "--csv", "--edl", "--srt", "--fcpxml", "--otio", "--paths", "--by-file")
    return [
        ("index", index, media),
        ("index", index, media, "--json"),
        ("index", index, "--check"),
        ("search", index, "red", "--sort", "time", "--sheet", f"{out}.jpg"),
        *(("search", index, "red", form) for form in forms),
        *((verb, index) for verb in ("list", "roots", "info")),
        ("list", index, "--paths"),
        ("clip", f"{film}@0-1", "--out", f"{out}.mp4"),
        ("clip", f"{broken}@0-1", "--out", f"{out}2.mp4"),
        ("remove", index, media / f"{EVIL}.png", media / f"none{EVIL}"),
        ("watch", f"none{EVIL}.index"),
        (f"verb{EVIL}",),
    ], [
        ("align", text, text),
        ("steps", media),
        ("train", "localize", text, "--out", out),
        ("evaluate", text),
        ("localize", text, media),
        ("curate", text, "--out", out),
        ("classify", film, "red", "--model", f"{out}.model"),
        ("serve", f"none{EVIL}.index"),
    ]


@pytest.mark.parametrize("models", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_no_verb_lets_a_name_command_the_terminal(media, tmp_path, models):
    for arguments in verbs(tmp_path / f"x{EVIL}.index", media, tmp_path / f"o{EVIL}")[models]:
        done = sayso(*arguments)
        said = done.stdout + done.stderr
        assert "Traceback" not in said, (arguments[0], said)
        assert "owned" in said or {"--check", "steps", "localize"} & set(arguments), (arguments, said)
        assert_harmless(said)


def test_names_for_pipes_are_as_they_are(media, tmp_path, capfdbinary):
    Index.open(tmp_path / "x", toy.ColourEncoder()).add(media)
    for arguments in (["search", tmp_path / "x", "red"], ["list", tmp_path / "x"]):
        app([*map(str, arguments), "--paths0"], standalone_mode=False)
        found = capfdbinary.readouterr().out.split(b"\0")
        assert str(media / f"{EVIL}.png").encode() in found


def test_json_and_tables_say_the_same_when_they_are_read():
    row = {"path": EVIL, "n": 3, "half": "\udc80"}
    assert_harmless(harmless_json(row))
    assert json.loads(harmless_json(row)) == row
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerow(harmless_cells({"path": EVIL, "n": 3, "none": None}))
    assert_harmless(written.getvalue())
    assert next(csv.reader(io.StringIO(written.getvalue()))) == [harmless(EVIL), "3", ""]
    assert harmless_cells({"text": "two\nlines\x1b"}) == ["two\nlines\\x1b"]


FORMULAS = ("=1+1", "+1 more", "-- he said", "@SUM(A1)", "\t=1", "\uff1d1", "'=1", "''-x", "-", "+")
PLAIN = ("dog", "-5", "+1.5e-3", "3", "a=b", " =1", "'tis", "'", "", "-1,5")


def test_no_cell_is_a_formula_and_reading_gives_what_was_written(tmp_path):
    cells = {f"column {n}": text for n, text in enumerate((*FORMULAS, *PLAIN))} | {"text": "- hello\n- you"}
    written = harmless_cells({**cells, "number": -1.5, "none": None})
    for cell, text in zip(written, cells.values(), strict=False):
        assert cell == (text if text in PLAIN else f"'{text}")
    assert written[-2:] == [-1.5, None]
    assert harmless_cells({"text": "\n=1"}) == ["'\n=1"], "some spreadsheets pass over the end of a line"
    assert without_guard("'\n=1") == "\n=1"
    with (tmp_path / "x.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([[*cells], written[:-2]])
    ((_, read),) = csv_rows(tmp_path / "x.csv", ["text"])
    assert read == cells


def test_what_is_harmless_stays():
    for text in ("naïve café 日本 👩‍👩‍👧 a\tb\u00a0c", "", "C:\\x1b"):
        assert harmless(text) == text
        assert json.loads(harmless_json({"a": text})) == {"a": text}
    assert harmless("a\nb\x1b", lines=True) == "a\nb\\x1b"


def test_log_and_progress_and_pages(capsys):
    show_log()
    logging.getLogger("sayso.test").warning("%s cannot be read", EVIL)
    for mode in ("off", "json", "bar"):
        with reporter("task", mode=mode) as bar:
            bar.update(1, 2, EVIL)
            logging.getLogger("sayso.test").warning("%s cannot be read", EVIL)
    said = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", capsys.readouterr().err)  # the bar's own
    assert said.count("owned") >= 4
    assert_harmless(said)
    assert_harmless(whole_page(EVIL, html_text(f"<b>{EVIL}")).replace("\n", " "))
