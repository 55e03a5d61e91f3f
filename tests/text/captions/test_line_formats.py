"""MicroDVD, MPL2 and TMPlayer, with pysubs2 as a peer."""

from __future__ import annotations

import pysubs2
import pytest

from captions import found
from sayso.core.errors import SubtitleError
from sayso.core.types import Caption, Span
from sayso.text.captions.collector import CaptionCollector
from sayso.text.captions.line_formats import detect_line_format, read_line_format

MICRODVD = "{1}{1}25\n{25}{50}{y:i}First we measure|the board.\n{75}{}Then we cut.\n"
MPL2 = "[10][25]First we measure|/the board.\n[30][50]Then we cut.\n"
TMPLAYER = "00:00:01:First we measure|the board.\n00:00:03:Then we cut.\n"


def read(text: str, problems: list[SubtitleError] | None = None, fps: float | None = None) -> list[Caption]:
    collector = CaptionCollector("talk.sub", fps)
    read_line_format(text, collector, detect_line_format(text) or "")
    return found(collector, problems)


def test_frames_tenths_and_starts():
    first, second = read(MICRODVD)
    assert first == Caption(Span(1.0, 2.0), "First we measure the board.")
    assert second == Caption(Span(3.0, 3.0 + 0.5 + 12 / 15), "Then we cut.")
    assert read(MPL2) == [
        Caption(Span(1.0, 2.5), "First we measure the board."),
        Caption(Span(3.0, 5.0), "Then we cut."),
    ]
    first, second = read(TMPLAYER)
    assert (first.span, second.span.start) == (Span(1.0, 3.0), 3.0)


@pytest.mark.parametrize(("text", "name"), [(MICRODVD.replace("{}", "{99}"), "microdvd"), (MPL2, "mpl2")])
def test_says_what_pysubs2_says(text, name):
    peer = pysubs2.SSAFile.from_string(text, format_=name)
    assert [(c.span.start, c.span.end, c.text) for c in read(text)] == [
        (event.start / 1000, event.end / 1000, " ".join(event.plaintext.split())) for event in peer
    ]


def test_frames_need_a_rate():
    text = MICRODVD.partition("\n")[2]
    with pytest.raises(SubtitleError, match=r"talk\.sub: its times are frame numbers"):
        read(text, [])
    assert read(text, fps=12.5)[0].span == Span(2.0, 4.0)
    with pytest.raises(SubtitleError, match="frame numbers"):
        read("{1}{1}0\n" + text)
    with pytest.raises(SubtitleError, match="line 1: expected times in seconds, found nan to nan"):
        read(text, fps=float("nan"))


@pytest.mark.parametrize("text", [MICRODVD, MPL2, TMPLAYER])
def test_other_lines_are_told(text):
    problems: list[SubtitleError] = []
    lines = text.splitlines()
    assert read("\n".join([*lines[:-1], "", "www", lines[-1]]), problems) == read(text)
    assert [problem.line for problem in problems] == [len(lines) + 1]
    assert "expected a line such as" in str(problems[0])


def test_other_texts_look_like_none():
    assert detect_line_format("Dear Ann,\n{see below}\n[1] no\n") is None
