"""Marks go, words stay."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.text.captions.clock import format_time, parse_time
from sayso.text.captions.markup import clean_text, split_lines, split_voices, strip_tags


@pytest.mark.parametrize(
    ("marked", "said"),
    [
        ("<i>Hello</i> <b>you</b>", "Hello you"),
        ('<font color="#ffff00">yellow</font>', "yellow"),
        (r"{\an8}up there", "up there"),
        ("{y:i}slanted", "slanted"),
        ("R&amp;B &lt;live&gt; &nbsp;caf&eacute;", "R&B <live> café"),
        ("<c.colorE5E5E5>hello<00:00:01.500><c> world</c></c>", "hello world"),
        ("<ruby>漢<rt>kan</rt></ruby>", "漢"),
        ("I <3 you, 2 < 3 and a > b", "I <3 you, 2 < 3 and a > b"),
        ("&#" + "9" * 5000 + ";", "&#" + "9" * 5000 + ";"),
        ("\u200eleft\u200f \u202ato\u202c right\ufeff", "left to right"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("a\x00b\x0bc", "a b c"),
    ],
)
def test_plain_words(marked, said):
    assert clean_text(strip_tags(marked)) == said


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("one\n  two ", "one two"),
        ("- Where?\n- There.", "- Where?\n- There."),
        ("Where?\n- There.", "Where?\n- There."),
        ("-Where did\nyou go?\n-There.", "-Where did you go?\n-There."),
        (">> So.\n>> Yes.", ">> So.\n>> Yes."),
        ("it is\n-5 degrees", "it is -5 degrees"),
        ("\n \nlate\n\n", "late"),
        ("", ""),
    ],
)
def test_a_line_break_stays_only_between_speakers(lines, said):
    assert clean_text(lines) == said


def test_voices_name_the_speakers():
    assert list(split_voices("before <v.loud Ann Lee>hi</v> and <v Bob>bye")) == [
        (None, "before "),
        ("Ann Lee", "hi"),
        (None, " and "),
        ("Bob", "bye"),
    ]


def test_lines_are_split_as_editors_count_them():
    assert split_lines("a\r\nb\rc\nd\x0be\x85f g") == ["a", "b", "c", "d\x0be\x85f g"]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("00:00:05,000", 5.0),
        ("1:02:03.5", 3723.5),
        ("02:03.250", 123.25),
        ("00:00:05:120", 5.12),
        ("00:00:05, 120", 5.12),
        ("-00:00:01,000", -1.0),
        ("123:00:00.000", 442800.0),
        ("5", None),
        ("a:b:c", None),
        ("", None),
    ],
)
def test_times(written, value):
    assert parse_time(written) == value


@given(st.integers(0, 10**9))
def test_a_written_time_is_read_again(milliseconds):
    assert parse_time(format_time(milliseconds / 1000)) == pytest.approx(milliseconds / 1000, abs=1e-9)
    assert parse_time(format_time(milliseconds / 1000, comma=True)) == parse_time(
        format_time(milliseconds / 1000)
    )


@pytest.mark.parametrize(
    "piece", ["<", "<a", "{", "{\\", "{y:", "&", "<v ", "<v  ", "&#1", "-", "\n", "<v.a"]
)
def test_long_lines_of_one_mark_do_not_hang(piece):  # minutes where a cost is quadratic
    text = piece * 200_000
    assert len(clean_text(strip_tags(text))) <= len(text)
    assert len(list(split_voices(text))) == 1
