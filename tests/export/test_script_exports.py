"""What is exported of an aligned script is read back by those who read such files."""

from __future__ import annotations

import csv
import io
from html.parser import HTMLParser

from sayso.core.types import Caption, Span
from sayso.data.manifest import read_manifest
from sayso.export import descriptions_csv, moments_manifest, script_page, speaker_srt
from sayso.export.script_html import colour
from sayso.text import read_subtitles

ROWS = [
    {
        "kind": "heading",
        "speaker": None,
        "text": "INT. A, B",
        "start_s": 1.0,
        "end_s": 9.0,
        "score": 1.0,
    },
    {
        "kind": "description",
        "speaker": None,
        "text": 'He "waits",\nlong.',
        "start_s": 2.0,
        "end_s": 3.5,
        "score": 0.8,
    },
    {
        "kind": "description",
        "speaker": None,
        "text": "Lost.",
        "start_s": None,
        "end_s": None,
        "score": 0.0,
    },
    {
        "kind": "dialogue",
        "speaker": "BOB",
        "text": "Is 1 < 2?",
        "start_s": 4.0,
        "end_s": 5.0,
        "score": 0.9,
    },
    {
        "kind": "dialogue",
        "speaker": "BOB",
        "text": "Unsure.",
        "start_s": 6.0,
        "end_s": 7.0,
        "score": 0.2,
    },
]


def test_descriptions_as_csv():
    table = list(csv.DictReader(io.StringIO(descriptions_csv(ROWS))))
    assert [row["scene"] for row in table] == ["INT. A, B"] * 2
    assert table[0]["text"] == 'He "waits",\nlong.'
    assert (table[0]["start_s"], table[1]["start_s"]) == ("2.0", "")


def test_speakers_in_srt(tmp_path):
    path = tmp_path / "film.srt"
    path.write_text(speaker_srt([Caption(Span(1, 2), "Hi.", "BOB"), Caption(Span(3, 4), "Ho.")]))
    assert [caption.text for caption in read_subtitles(path)] == ["BOB: Hi.", "Ho."]


def test_moments_are_a_manifest(tmp_path):
    path = tmp_path / "film.moments.jsonl"
    path.write_text(moments_manifest("film.mp4", ROWS))
    (source,) = read_manifest(path)
    assert source.path == str(tmp_path / "film.mp4")
    assert [(row.span, row.text) for row in source.rows] == [
        (Span(2.0, 3.5), 'He "waits",\nlong.'),
        (Span(4.0, 5.0), "BOB: Is 1 < 2?"),
    ]
    assert source.rows[1].meta["speaker"] == "BOB"


class Cells(HTMLParser):
    def __init__(self):
        super().__init__()
        self.rows, self.open = [], []

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.rows.append([])
        if tag == "td":
            self.rows[-1].append("")
        if tag not in {"meta"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        while self.open.pop() != tag:
            pass

    def handle_data(self, data):
        if "td" in self.open:
            self.rows[-1][-1] += data


def test_the_page_shows_both_sides():
    lines = [
        {**ROWS[3], "element": 3, "text": "Is one < two?"},
        {**ROWS[4], "element": None, "text": "Improvised & <b>bold</b>"},
    ]
    page = script_page("A & B", ROWS, lines)
    cells = Cells()
    cells.feed(page)
    assert "<title>A &amp; B</title>" in page
    assert cells.rows[4][0].endswith("BOB Is 1 < 2?")
    assert "Is one < two?" in cells.rows[4][1] and "Improvised & <b>bold</b>" in cells.rows[4][1]
    assert 'class="lost"' in page and colour(0.9) in page
    assert "Improvised" in script_page("", [], lines)


def test_colours_go_from_red_to_green():
    assert [colour(x) for x in (-1, 0.5, 2)] == ["hsl(0 70% 45%)", "hsl(60 70% 45%)", "hsl(120 70% 45%)"]
