"""SRT, WebVTT and SubViewer as people and programs write them."""

from __future__ import annotations

import pytest

from captions import found
from sayso.core.errors import SubtitleError
from sayso.core.types import Caption, Span
from sayso.text.captions.collector import CaptionCollector
from sayso.text.captions.cues import read_srt
from sayso.text.captions.webvtt import read_vtt

SRT = """1
00:00:01,000 --> 00:00:02,500
First we measure
the board.

2
00:00:03,000 --> 00:00:05,000
<i>Then</i> we cut &amp; sand it.

3
00:00:05,000 --> 00:00:07,250 X1:100 X2:200 Y1:10 Y2:20
{\\an8}- Is it smooth?
- It is.
"""
VTT = """WEBVTT - made by hand
Kind: captions

STYLE
::cue { color: yellow }

NOTE the board is oak
00:00:00.000 --> 00:00:09.000 is no cue

intro
00:01.000 --> 00:02.500 align:start position:0%
First we measure
the board.

00:00:03.000 --> 00:00:05.000
<v Ann>Then we <b>cut</b> it.
<v.loud Bob Lee>And sand it &lt;well&gt;.
"""


def srt(text: str, problems: list[SubtitleError] | None = None) -> list[Caption]:
    collector = CaptionCollector("talk.srt")
    read_srt(text, collector)
    return found(collector, problems)


def vtt(text: str, problems: list[SubtitleError] | None = None) -> list[Caption]:
    collector = CaptionCollector("talk.vtt")
    read_vtt(text, collector)
    return found(collector, problems)


def said(captions: list[Caption]) -> list[tuple[float, float, str]]:
    return [(caption.span.start, caption.span.end, caption.text) for caption in captions]


def test_srt():
    assert said(srt(SRT)) == [
        (1.0, 2.5, "First we measure the board."),
        (3.0, 5.0, "Then we cut & sand it."),
        (5.0, 7.25, "- Is it smooth?\n- It is."),
    ]


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_line_ends_do_not_matter(end):
    assert srt(SRT.replace("\n", end)) == srt(SRT)


def test_vtt():
    assert vtt(VTT) == [
        Caption(Span(1.0, 2.5), "First we measure the board."),
        Caption(Span(3.0, 5.0), "Then we cut it.", "Ann"),
        Caption(Span(3.0, 5.0), "And sand it <well>.", "Bob Lee"),
    ]


@pytest.mark.parametrize(
    "arrow", ["-->", "->", "--->", "-- >", "–>", "—>", "=>", "→", "-", "--", " --> ", "\t-->\t"]
)
def test_arrows_people_write(arrow):
    assert said(srt(f"1\n00:00:01,000{arrow}00:00:02,000\nhello\n")) == [(1.0, 2.0, "hello")]


def test_times_within_the_text_are_text():
    text = "1\n00:00:01,000 --> 00:00:02,000\nopen\n10:30 - 11:45\na --> b\n"
    assert said(srt(text)) == [(1.0, 2.0, "open 10:30 - 11:45 a --> b")]


def test_counters_may_be_missing_wrong_or_words():
    no_counters = "00:00:01,000 --> 00:00:02,000\none\n\n00:00:02,000 --> 00:00:03,000\ntwo\n"
    assert [caption.text for caption in srt(no_counters)] == ["one", "two"]
    no_blank_lines = "1\n00:00:01,000 --> 00:00:02,000\none\n2\n00:00:02,000 --> 00:00:03,000\n1985\n\n3\n"
    no_blank_lines += "00:00:03,000 --> 00:00:04,000\nthree\n"
    assert [caption.text for caption in srt(no_blank_lines)] == ["one", "1985", "three"]
    only_a_number = "1\n00:00:01,000 --> 00:00:02,000\n42\n00:00:02,000 --> 00:00:03,000\ntwo\n"
    assert [caption.text for caption in srt(only_a_number)] == ["42", "two"]
    odd_space = "1\n00:00:01,000 --> 00:00:02,000\none\n\n2\x1c\n00:00:02,000 --> 00:00:03,000\ntwo\n"
    assert [caption.text for caption in srt(odd_space)] == ["one", "two"]
    empty = "1\n00:00:01,000 --> 00:00:02,000\n2\n00:00:02,000 --> 00:00:03,000\ntwo\n"
    assert said(srt(empty)) == [(2.0, 3.0, "two")]


def test_text_may_hold_blank_lines_in_srt_and_not_in_vtt():
    body = "00:00:01.000 --> 00:00:02.000\none\n\ntwo\n\n00:00:03.000 --> 00:00:04.000\nthree\n"
    assert [caption.text for caption in srt(body)] == ["one two", "three"]
    problems: list[SubtitleError] = []
    assert [caption.text for caption in vtt("WEBVTT\n\n" + body, problems)] == ["one", "three"]
    assert [problem.line for problem in problems] == [6]


def test_vtt_without_blank_lines_between_cues():
    text = "WEBVTT\n00:01.000 --> 00:02.000\none\n2\n00:02.000 --> 00:03.000\ntwo\n"
    assert [caption.text for caption in vtt(text)] == ["one", "two"]


@pytest.mark.parametrize(
    ("broken", "line"),
    [
        (SRT.replace("00:00:03,000 --> 00:00:05,000", "00:00:0x,000 --> 00:00:05,000"), 7),
        (SRT.replace("00:00:03,000 --> 00:00:05,000", "00:00:03,000 -->"), 7),
        (SRT.replace("00:00:03,000 --> 00:00:05,000", "00:00:03,000"), 7),
        (SRT.replace("00:00:03,000 --> 00:00:05,000", "00:00:03,000 > 00:00:05,000"), 7),
        (SRT.replace("00:00:03,000 --> 00:00:05,000", "00:00:05,000 --> 00:00:03,000"), 7),
        (SRT.replace("00:00:03,000 --> 00:00:05,000", "-00:00:03,000 --> -00:00:01,000"), 7),
    ],
)
def test_a_broken_cue_is_told_with_its_line_and_the_rest_is_kept(broken, line):
    with pytest.raises(SubtitleError, match=rf"^talk\.srt, line {line}: expected ") as raised:
        srt(broken)
    assert raised.value.line == line
    problems: list[SubtitleError] = []
    assert said(srt(broken, problems)) == [said(srt(SRT))[0], said(srt(SRT))[2]]
    assert [problem.line for problem in problems] == [line]


def test_a_file_cut_off_after_a_number_says_so():
    problems: list[SubtitleError] = []
    assert len(srt(SRT + "\n4\n", problems)) == 3
    assert [problem.line for problem in problems] == [15]
    assert "but the file ends" in str(problems[0])


def test_text_before_the_first_cue_is_told_once():
    problems: list[SubtitleError] = []
    assert len(srt("made by\nsomebody\n\n" + SRT, problems)) == 3
    assert [problem.line for problem in problems] == [1]


@pytest.mark.parametrize(
    ("broken", "line"),
    [
        (VTT.replace("00:01.000 --> 00:02.500", "00:01.000 --> soon"), 11),
        (VTT.replace("00:00:03.000 --> 00:00:05.000", "Ann speaks"), 15),
    ],
)
def test_a_broken_block_of_vtt(broken, line):
    problems: list[SubtitleError] = []
    assert 1 <= len(vtt(broken, problems)) <= 2
    assert [problem.line for problem in problems] == [line]


def test_times_that_need_repair():
    text = "1\n-00:00:01,000 --> 00:00:01,000\nearly\n\n2\n00:00:02,000 --> 00:00:02,000\nno time\n\n"
    text += "3\n00:00:02,600 --> 00:00:02,600\na long line that takes about three seconds to be read\n"
    early, no_time, last = srt(text)
    assert early.span == Span(0.0, 1.0)
    assert (no_time.span.start, no_time.span.end) == pytest.approx((2.0, 2.6))  # until the next
    assert last.span.duration == pytest.approx(0.5 + len(last.text) / 15)


def test_captions_with_an_estimated_end_are_sorted_too():
    text = "1\n00:00:01,000 --> 00:00:01,000\nno end\n\n2\n00:00:01,000 --> 00:00:01,200\nshort\n"
    assert [caption.text for caption in srt(text)] == ["short", "no end"]


def test_cues_are_sorted_and_overlaps_stay_and_doubles_go():
    text = "1\n00:00:05,000 --> 00:00:09,000\nb\n\n2\n00:00:01,000 --> 00:00:06,000\na\n\n"
    text += "3\n00:00:05,000 --> 00:00:09,000\nb\n"
    assert said(srt(text)) == [(1.0, 6.0, "a"), (5.0, 9.0, "b")]


def test_subviewer():
    text = "[INFORMATION]\n[TITLE]Oak\n[AUTHOR]Ann\n[END INFORMATION]\n[SUBTITLE]\n[COLF]&HFFFFFF,[SIZE]18\n"
    text += (
        "00:00:01.00,00:00:02.50\nFirst we measure[br]the board.\n\n00:00:03.00,00:00:05.00\nThen we cut.\n"
    )
    assert said(srt(text)) == [(1.0, 2.5, "First we measure the board."), (3.0, 5.0, "Then we cut.")]
    youtube = "0:00:01.000,0:00:02.500\nFirst\nwe measure.\n\n0:00:03.000,0:00:05.000\nThen we cut.\n"
    assert said(srt(youtube)) == [(1.0, 2.5, "First we measure."), (3.0, 5.0, "Then we cut.")]


def test_problems_are_not_listed_without_end():
    problems: list[SubtitleError] = []
    srt("1\n00:00:01,000 --> x\n\n" * 5000, problems)
    assert len(problems) == 101


@pytest.mark.parametrize(("length", "texts"), [(300, ["hi"]), (301, [])])
def test_a_timing_line_has_300_characters_at_most(length, texts):
    timing = "00:00:01,000 --> 00:00:02,000 ".ljust(length, "x")
    assert [caption.text for caption in srt(f"{timing}\nhi\n", [])] == texts


@pytest.mark.parametrize("lines", ["hello\n\nthere\na --> b", "hello\n1985\na --> b"])
def test_what_is_nearly_a_timing_line_is_text_unless_a_block_begins(lines):
    said_ = srt(f"1\n00:00:01,000 --> 00:00:02,000\n{lines}\n")
    assert [caption.text for caption in said_] == [" ".join(lines.split())]


def test_a_rolling_cue_that_lasts_no_time_is_read_once():
    times = [(0, 1), (1, 2), (2, 3), (3, 3)]
    shown = ["a a", "a a\nb b", "b b\nc c", "c c\nd d"]
    cues = zip(times, shown, strict=True)
    text = "".join(f"00:00:0{a},000 --> 00:00:0{b},000\n{lines}\n\n" for (a, b), lines in cues)
    assert [caption.text for caption in srt(text)] == ["a a", "b b", "c c", "d d"]
