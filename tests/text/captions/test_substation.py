"""ASS and SSA, with pysubs2 as a peer."""

from __future__ import annotations

import pysubs2
import pytest

from captions import found
from sayso.core.errors import SubtitleError
from sayso.core.types import Caption, Span
from sayso.text.captions.collector import CaptionCollector
from sayso.text.captions.substation import read_substation

ASS = r"""[Script Info]
Title: Oak
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize
Style: Default,Arial,20

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Comment: 0,0:00:00.00,0:00:09.00,Default,,0,0,0,,a note to the editor
Dialogue: 0,0:00:01.00,0:00:02.50,Default,Ann,0,0,0,,First we {\i1}measure{\i0}\Nthe board, twice.
Dialogue: 0,0:00:03.00,0:00:05.00,Default,,0,0,0,,{\k20}Then {\k30}we {\k10}cut.
Dialogue: 0,0:00:03.00,0:00:05.00,Sign,,0,0,0,,{\p1}m 0 0 l 100 0 100 100{\p0}
Dialogue: 1,0:00:06.00,0:00:07.00,Default,Bob,0,0,0,,Sand\hit, {\pos(10,20)}please.
Dialogue: 0,0:00:06.00,0:00:07.00,Default,Bob,0,0,0,,{\bord4}Sand\hit, please.
"""
SSA = r"""[Script Info]
ScriptType: v4.00

[Events]
Format: Marked, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Dialogue: Marked=0,0:00:01.00,0:00:02.50,Default,Ann,0000,0000,0000,!Effect,Hello, you.
"""


def read(text: str, problems: list[SubtitleError] | None = None) -> list[Caption]:
    collector = CaptionCollector("talk.ass")
    read_substation(text, collector)
    return found(collector, problems)


def test_dialogue_without_comments_drawings_tags_and_layers():
    assert read(ASS) == [
        Caption(Span(1.0, 2.5), "First we measure the board, twice.", "Ann"),
        Caption(Span(3.0, 5.0), "Then we cut."),
        Caption(Span(6.0, 7.0), "Sand it, please.", "Bob"),
    ]
    assert read(SSA) == [Caption(Span(1.0, 2.5), "Hello, you.", "Ann")]


@pytest.mark.parametrize(("text", "name"), [(ASS, "ass"), (SSA, "ssa")])
def test_says_what_pysubs2_says(text, name):
    peer = {
        (event.start / 1000, event.end / 1000, " ".join(event.plaintext.split()), event.name or None)
        for event in pysubs2.SSAFile.from_string(text, format_=name)
        if event.is_text
    }
    assert {(c.span.start, c.span.end, c.text, c.speaker) for c in read(text)} == peer


def test_the_order_of_the_fields_is_the_files_own():
    text = "[Events]\nFormat: Start, End, Actor, Text\nDialogue: 0:00:01.00,0:00:02.00,Ann,Hello, you.\n"
    assert read(text) == [Caption(Span(1.0, 2.0), "Hello, you.", "Ann")]


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ("Dialogue: 0,0:00:03.00,0:00", "expected 10 fields between commas, found 3"),
        (
            "Dialogue: 0,0:00:03.00,later,Default,,0,0,0,,x",
            "expected a time such as 0:00:05.00, found 'later'",
        ),
        ("Format: Start, End", "expected a format with Start, End and, last, Text"),
        ("Dialogue: 0,0:00:03.00,0:00:02.00,Default,,0,0,0,,x", "expected a cue that ends after it starts"),
    ],
)
def test_a_broken_line_is_told_and_the_rest_is_kept(bad, why):
    lines = ASS.splitlines()
    broken = "\n".join([*lines[:12], bad, *lines[12:]])
    with pytest.raises(SubtitleError, match=rf"talk\.ass, line 13: {why}"):
        read(broken)
    problems: list[SubtitleError] = []
    assert read(broken, problems) == read(ASS)
    assert [problem.line for problem in problems] == [13]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (r"{\an7\p1}m 0 0 l 200 0 200 50 0 50{\p0}{\an5}Cut the onion", ["Cut the onion"]),
        (r"{\blur0.4}Cut it{\fs0} {\p1\pbo10}m 2 0 l 2 42 19.61 42{\p0}", ["Cut it"]),
        (r"{\p1}m 0 0 l 1 1{\p0} one {\p2}m 0 0 b 1 1 2 2 3 3{\p0}two", ["one two"]),
        (r"{\pos(10,10)\p1}m 0 0 l 10 10", []),
        ("m 0 0 l 0 -403 l 716 -403 l 716 0 l 0 0", []),
        ("m 5 minutes later", ["m 5 minutes later"]),
        (r"{\pos(1,2)}Fry it", ["Fry it"]),
    ],
)
def test_drawings_are_left_out_and_the_words_beside_them_stay(text, shown):
    head = "[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
    captions = read(f"{head}Dialogue: 0,0:00:01.00,0:00:03.00,Default,,0,0,0,,{text}\n")
    assert [caption.text for caption in captions] == shown


def test_a_line_that_only_begins_as_a_section_does_is_none():
    text = "[Events]\n[a note: no\nnor this]: one\nFormat: Start, End, Text\n"
    assert read(f"{text}Dialogue: 0:00:01.00,0:00:02.00,Hello\n") == [Caption(Span(1.0, 2.0), "Hello")]
