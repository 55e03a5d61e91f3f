"""Names of faces as WebVTT, a manifest, and contact sheets, each read back."""

from __future__ import annotations

import io
import itertools
from html.parser import HTMLParser

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sayso.core.types import Caption, Span
from sayso.data.manifest import read_manifest
from sayso.export.naming_sheet import FACE, GAP, ends_of, sheet_page, sheet_png, sheet_rows
from sayso.export.naming_vtt import SHORTEST_S, names_vtt, people_manifest, people_on_screen
from sayso.systems.name_actors.by_hand import parse_hand_names
from sayso.text import read_subtitles


def row(track, start, end, name, score=0.9, left=0.0):
    box = [left, 0.0, left + 50, 50.0]
    candidates = [{"name": name, "score": score}, {"name": "Sam", "score": 0.05}]
    return {
        "track": track,
        "start_s": start,
        "end_s": end,
        "box": box,
        "name": name,
        "score": score,
        "candidates": candidates,
    }


ROWS = [
    row(0, 0.0, 4.0, "Rick", 0.95, left=200),
    row(1, 2.0, 6.0, "Ilsa", 0.8, left=10),
    row(2, 6.0, 7.0, "Ilsa", 0.6),
    row(3, 8.0, 9.0, None, 0.7),
    row(4, 9.0, 9.5, "Sam", 0.3),
]


def test_vtt_tells_who_is_on_screen_from_left_to_right(tmp_path):
    (tmp_path / "names.vtt").write_text(names_vtt(ROWS))
    cues = [(cue.span.start, cue.span.end, cue.text) for cue in read_subtitles(tmp_path / "names.vtt")]
    assert cues == [(0.0, 2.0, "Rick"), (2.0, 4.0, "Ilsa, Rick"), (4.0, 7.0, "Ilsa")]
    assert "Sam" in names_vtt(ROWS, least=0.2)
    assert names_vtt([]).startswith("WEBVTT")


tracks = st.lists(
    st.tuples(st.integers(0, 40), st.integers(1, 20), st.sampled_from(["Ann", "Bob", None])), max_size=12
)


@given(tracks)
def test_stretches_are_what_each_moment_shows(drawn):
    rows = [row(n, s / 2, (s + d) / 2, name, left=7 * n) for n, (s, d, name) in enumerate(drawn)]
    stretches = people_on_screen(rows)
    assert all(before[0].end <= after[0].start for before, after in itertools.pairwise(stretches))
    for moment in np.arange(0.25, 31, 0.5):
        there = {r["name"] for r in rows if r["name"] and r["start_s"] <= moment < r["end_s"]}
        told = [set(names) for span, names in stretches if span.start <= moment < span.end]
        assert told == ([there] if there else [])


def test_a_stretch_too_short_to_read_is_left_out():
    assert people_on_screen([row(0, 0.0, SHORTEST_S / 2, "Ann")]) == []


def test_the_manifest_is_read_by_the_index_and_covers_the_film(tmp_path):
    captions = [Caption(Span(1.0, 3.0), "Play it,\nSam.", "Ilsa"), Caption(Span(20, 21), "Later.")]
    rows = [
        row(n, r["start_s"] + 1, r["end_s"] + 1, r["name"], left=r["box"][0]) for n, r in enumerate(ROWS[:3])
    ]
    (tmp_path / "m.jsonl").write_text(people_manifest("film.mp4", rows, captions, duration=17.0))
    (source,) = read_manifest(tmp_path / "m.jsonl")
    assert source.path == str(tmp_path / "film.mp4")
    assert [(r.span.start, r.span.end, r.text, r.meta.get("who")) for r in source.rows] == [
        (0.0, 1.0, "", None),
        (1.0, 3.0, "Play it, Sam.", "Rick"),
        (3.0, 5.0, "", "Ilsa, Rick"),
        (5.0, 8.0, "", "Ilsa"),
        (8.0, 11.0, "", None),
        (11.0, 14.0, "", None),
        (14.0, 17.0, "", None),
    ]


def test_a_sheet_shows_both_ends_and_no_track_twice():
    rows = [row(n, n, n + 1, "Ann", 1 - n / 20) for n in range(20)]
    best, worst = ends_of(rows, "Ann", each=3)
    assert [r["track"] for r in best] == [0, 1, 2] and [r["track"] for r in worst] == [17, 18, 19]
    best, worst = ends_of(rows[:4], "Ann", each=3)
    assert [r["track"] for r in best] == [0, 1, 2] and [r["track"] for r in worst] == [3]
    assert {r["track"] for r in sheet_rows(ROWS)} == {0, 1, 2, 3, 4}


def test_the_picture_has_a_line_a_name_and_the_faces_in_it():
    red = Image.new("RGB", (30, 30), "#ff0000")
    picture = Image.open(io.BytesIO(sheet_png(ROWS, {1: red}, each=2))).convert("RGB")
    lines = 4  # Ilsa, Rick, Sam, nobody
    assert picture.width == 2 * FACE + 3 * GAP + 8 and picture.height % lines == GAP % lines
    pixels = np.asarray(picture)
    reds = (pixels == (255, 0, 0)).all(2)
    greys = (pixels == (0xCC, 0xCC, 0xCC)).all(2)
    assert reds.sum() == FACE * FACE and greys.sum() == 4 * FACE * FACE
    assert np.flatnonzero(reds.any(1))[0] < picture.height / lines  # Ilsa has the most tracks
    assert sheet_png([], {})
    many = [row(n, n, n + 1, "Ann") for n in range(9)]
    assert Image.open(io.BytesIO(sheet_png(many, {}, each=2))).width == 5 * (FACE + GAP) + GAP


class Page(HTMLParser):
    """Collects what a page offers to choose, what is chosen, and what its corrections are."""

    def __init__(self, page):
        super().__init__()
        self.options, self.chosen, self.images, self.text = {}, {}, 0, {}
        self.track = self.inside = None
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.inside = tag
        self.images += tag == "img"
        if tag == "select":
            self.track = int(given["data-who"])
        if tag == "option":
            self.options.setdefault(self.track, []).append(given["value"])
            if "selected" in given:
                self.chosen[self.track] = given["value"]

    def handle_data(self, data):
        self.text.setdefault(self.inside, []).append(data)


def test_the_page_offers_every_name_and_keeps_the_corrections_so_far():
    evil = [*ROWS, row(5, 1, 2, '<b>"Eve" & co</b>')]
    fixed = {1: "rick", 3: None, 77: "Sam"}
    page = sheet_page("A <film>", evil, {0: Image.new("RGB", (5, 5))}, fixed)
    read = Page(page)
    assert "<b>" not in page and "A <film>" not in page and read.images == 1
    assert set(read.options) - {None} == {0, 1, 2, 3, 4, 5}
    assert read.options[0] == ["", "-", '<b>"Eve" & co</b>', "Ilsa", "Rick", "Sam"]
    assert read.chosen[1] == "Rick" and read.chosen[3] == "-" and read.chosen[0] == ""
    assert parse_hand_names("".join(read.text["textarea"]).split("\n")[0]) == fixed


def test_strangers_have_lines_of_their_own_where_they_can_be_named():
    rows = [row(n, n, n + 1, None) | {"stranger": number} for n, number in enumerate((2, 1, 1, 99))]
    page = sheet_page("film", [*ROWS[:3], *rows], {})
    heads = [part.partition("<small>")[0].strip() for part in page.split("<h2>")[1:]]
    assert heads[:-1] == ["Ilsa", "Rick", "Stranger 1", "Stranger 2", "Nobody of these"]
    assert page.count("Who is stranger") == page.count("<input") == 2
    assert {r["track"] for r in sheet_rows(rows)} == {0, 1, 2, 3}
