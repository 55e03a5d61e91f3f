"""WebVTT segments of HTTP Live Streaming come out on one clock; what is no cue is passed over."""

from __future__ import annotations

import pytest

from captions import found
from sayso.core.errors import SubtitleError
from sayso.core.types import Caption, Span
from sayso.text import write_vtt
from sayso.text.captions.collector import CaptionCollector
from sayso.text.captions.webvtt import read_vtt

Said = list[tuple[float, float, str]]


def said(text: str) -> Said:
    problems: list[SubtitleError] = []
    collector = CaptionCollector("talk.vtt")
    read_vtt(text, collector)
    captions: list[Caption] = found(collector, problems)
    assert not problems
    return [(round(one.span.start, 6), round(one.span.end, 6), one.text) for one in captions]


def segment(ticks: int | None, start: int, text: str, local: str = "00:00:00.000") -> str:
    mapped = "" if ticks is None else f"X-TIMESTAMP-MAP=MPEGTS:{ticks},LOCAL:{local}\n"
    return f"WEBVTT\n{mapped}\n00:00:{start:02d}.000 --> 00:00:{start + 1:02d}.000\n{text}\n"


@pytest.mark.parametrize("between", ["\n", "", "\n\n\ufeff"])
@pytest.mark.parametrize("first", [0, 900_000, 2**33 - 90_000])
def test_segments_count_from_the_first_even_where_the_clock_wraps(first, between):
    ticks = [(first + seconds * 90_000) % 2**33 for seconds in (0, 10, 20)]
    text = between.join(segment(at, 2, f"part {k}") for k, at in enumerate(ticks))
    assert said(text) == [(2 + 10 * k, 3 + 10 * k, f"part {k}") for k in range(3)]


def test_the_local_time_counts_and_its_place_does_not():
    text = segment(900_000, 1, "one") + "\n" + segment(900_000 + 540_000, 9, "two", "00:00:07.000")
    assert said(text) == [(1, 2, "one"), (8, 9, "two")]
    swapped = text.replace("MPEGTS:900000,LOCAL:00:00:00.000", "LOCAL:00:00:00.000,MPEGTS:900000")
    assert said(swapped) == said(text)


def test_segments_of_one_clock_repeat_cues_once():
    assert said(segment(900_000, 1, "one") + "\n" + segment(900_000, 1, "one")) == [(1, 2, "one")]


def test_one_segment_alone_keeps_its_times():
    assert said(segment(12_345_678, 4, "one")) == [(4, 5, "one")]


def test_a_header_among_words_is_a_word():
    assert said("WEBVTT\n\n00:01.000 --> 00:02.000\nWEBVTT\nis a format\n") == [(1, 2, "WEBVTT is a format")]


@pytest.mark.parametrize("style", ["Style:", "STYLE", "Region:", "NOTE x", "::cue(b) { }", "##"])
def test_style_sheets_as_programs_write_them(style):
    sheet = f"{style}\n::cue(c.blue) {{ color: blue;\n }}\n##\n"
    text = f"WEBVTT\nKind: captions\n\n{sheet}\n00:01.000 --> 00:02.000\nHi\n"
    assert said(text) == [(1, 2, "Hi")]


def test_a_note_that_is_written_is_no_caption_whatever_it_holds():
    text = write_vtt(
        [Caption(Span(1, 2), "hello")], "made --> by\n\na machine\n00:00:03.000 --> 00:00:04.000"
    )
    assert text.startswith("WEBVTT\n\nNOTE\nmade -> by\na machine\n")
    assert said(text) == [(1.0, 2.0, "hello")]


def test_a_segment_that_does_not_say_its_clock_keeps_its_times():
    unmapped = "WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000\n\n00:05.000 --> 00:06.000\ntwo\n"
    assert said(segment(900_000, 1, "one") + "\n" + unmapped) == [(1, 2, "one"), (5, 6, "two")]
    assert said(segment(900_000, 1, "one") + "\n" + segment(None, 5, "two")) == [(1, 2, "one"), (5, 6, "two")]


@pytest.mark.parametrize(
    ("lines", "text"),
    [("see\nWEBVTT\n\n", "see WEBVTT"), ("room\n42\n", "room 42"), ("see\n\nWEBVTT", "see")],
)
def test_what_is_said_is_no_header_and_no_number(lines, text):
    assert said(f"WEBVTT\nX-Written-By: a machine\n\n00:01.000 --> 00:02.000\n{lines}") == [(1, 2, text)]


def test_a_cue_that_ends_before_it_starts_is_told_with_the_line_of_its_times():
    collector = CaptionCollector("talk.vtt")
    read_vtt("WEBVTT\n\nintro\n00:05.000 --> 00:04.000\nhi\n", collector)
    assert [problem.line for problem in collector.problems] == [4]
