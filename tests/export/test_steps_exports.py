"""The steps of a task as chapters and as a page, read back by those who read such files."""

from __future__ import annotations

import colorsys
import itertools
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.export import steps_page, steps_vtt, youtube_chapters
from sayso.export.steps_html import hue
from sayso.export.timestamps import timestamp
from sayso.text import read_subtitles

NASTY = '"><img src=x onerror=alert(1)>'


def row(name, start, end=None, *, step=0, present=True, text=None):
    end = start + 1 if end is None else end
    return {
        "step": step,
        "name": name,
        "start_s": start,
        "end_s": end,
        "time_s": (start + end) / 2,
        "present": present,
        "text": text,
    }


def step(name, phrases=(), example=None):
    return {"name": name, "phrases": [name, *phrases], "videos": 4, "example": example}


class Reader(HTMLParser):
    """Collects tags with their attributes, and text; all tags must be closed in order."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.open, self.text = [], [], []
        self.feed(page)
        assert set(self.open) <= {"html"}

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("img", "meta", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def test_chapters_go_on_until_the_next(tmp_path):
    rows = [
        row("jack car", 12.5),
        row("maybe", 20, present=False),
        row("loosen nut", 3),
        row("lower car", 61),
    ]
    (tmp_path / "v.vtt").write_text(steps_vtt(rows, 70))
    found = read_subtitles(tmp_path / "v.vtt")
    assert [caption.text for caption in found] == ["loosen nut", "jack car", "lower car"]
    assert [(c.span.start, c.span.end) for c in found] == [(3, 12.5), (12.5, 61), (61, 70)]


def test_a_video_without_steps_has_empty_chapters():
    assert steps_vtt([], 10).startswith("WEBVTT")
    assert youtube_chapters([], 100) == ""


def test_chapters_as_youtube_reads_them():
    rows = [row("a", 4), row("b", 20), row("c", 25), row("d", 40), row("e", 3700), row("f", 3996)]
    assert youtube_chapters(rows, 4000) == "0:00 a\n0:20 b, c\n0:40 d\n1:01:40 e, f\n"
    assert youtube_chapters([row("a", 15), row("b", 30)], 60) == "0:00 Start\n0:15 a\n0:30 b\n"
    assert youtube_chapters([row("a", 15), row("b", 30)], 35) == ""  # two are too few


@given(st.lists(st.floats(0, 500), max_size=12), st.floats(0, 600))
def test_chapters_keep_the_rules_of_youtube_and_lose_no_step(starts, duration_s):
    rows = [row(f"s{k}", start) for k, start in enumerate(starts)]
    lines = youtube_chapters(rows, duration_s).splitlines()
    if not lines:
        return
    times = [60 * int(m) + int(s) for m, s in (line.split()[0].split(":") for line in lines)]
    assert len(lines) >= 3 and times[0] == 0
    assert all(b - a >= 9 for a, b in itertools.pairwise(times))  # of whole seconds
    assert sorted(re.findall(r"s\d+", " ".join(lines))) == sorted(f"s{k}" for k in range(len(starts)))


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (59.9, "0:59"), (3723, "1:02:03")])
def test_times_are_written_as_players_read_them(seconds, text):
    assert timestamp(seconds) == text


def test_the_page_holds_names_places_pictures_and_links():
    steps = [step("cut ham", ["slice ham"], "now cut the ham"), step("boil egg")]
    rows = [row("cut ham", 5, 15, text="cut it"), row("boil egg", 30, 40, step=1, present=False)]
    videos = [{"name": "v1", "duration_s": 50, "steps": rows}, {"name": "v2", "duration_s": 9, "steps": []}]
    page = Reader(steps_page("Lunch", steps, videos, {(0, 1): b"jpeg"}, ["../a b/v1.mp4", "../v2.mp4"]))
    text = "".join(page.text)
    assert "2 steps in 2 videos" in text
    assert "also: slice ham" in text and "now cut the ham" in text
    assert len([one for one in page.all("section") if one.get("id") != "film"]) == 2
    spans = [a for a in page.all("a") if "title" in a]
    assert "left:10.00%;width:20.00%" in spans[0]["style"]
    assert [a.get("class") for a in spans] == [None, "absent"]
    assert [a["href"] for a in page.all("a")[::2]] == ["../a%20b/v1.mp4#t=5", "../a%20b/v1.mp4#t=5"]
    assert [a["src"][:22] for a in page.all("img") if "src" in a] == ["data:image/jpeg;base64"]
    assert "cut it" in [a.get("title") for a in page.all("li")]


def test_in_the_strip_a_step_ends_where_the_next_begins_which_would_hide_its_number():
    rows = [row("b", 8, 20, step=1), row("a", 5, 15), row("c", 20, 22, step=2)]
    page = Reader(
        steps_page("t", [step("a"), step("b"), step("c")], [{"name": "v", "duration_s": 50, "steps": rows}])
    )
    styles = [a["style"].split(";", 1)[1] for a in page.all("a") if "title" in a]
    assert styles == ["left:16.00%;width:24.00%", "left:10.00%;width:6.00%", "left:40.00%;width:4.00%"]


def test_steps_applied_to_other_videos_are_not_said_to_be_mentioned_in_none():
    page = steps_page("t", [step("a") | {"videos": 0}], [])
    assert "mentioned in 0" not in page and "1. a" in page


def test_without_files_nothing_links():
    videos = [{"name": "v", "duration_s": 50, "steps": [row("a", 5)]}]
    assert all("href" not in a for a in Reader(steps_page("t", [step("a")], videos)).all("a"))


def test_hostile_names_stay_text():
    rows = [row(NASTY, 1, text=NASTY)]
    videos = [{"name": NASTY, "duration_s": 5, "steps": rows}]
    page = Reader(steps_page(NASTY, [step(NASTY, [NASTY], NASTY)], videos, files=[NASTY]))
    assert [one.get("id") for one in page.all("img")] == ["picture"]  # of the player
    assert page.all("script") == [{"type": "module"}]
    assert page.all("a")[0]["title"].startswith(NASTY)


@pytest.mark.parametrize("steps", [1, 3, 7, 12, 25, 60])
def test_white_letters_can_be_read_on_every_colour(steps):
    def light(text):
        angle, saturation, lightness = map(float, re.findall(r"\d+", text))
        parts = colorsys.hls_to_rgb(angle / 360, lightness / 100, saturation / 100)
        linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return sum(share * p for share, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    colours = [hue(k, steps) for k in range(steps)]
    assert len(set(colours)) == steps
    assert all(1.05 / (light(colour) + 0.05) >= 4.5 for colour in colours)
