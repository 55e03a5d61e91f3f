"""Lines without what belongs to the paper, and how many blank ones stand before each."""

from __future__ import annotations

import pytest

from sayso.text.screenplay.lines import read_lines


@pytest.mark.parametrize(
    ("rows", "soft"),
    [
        (["a", "  ", "b"], False),
        (["a", "  ", "b", "", "c"], True),
        (["a", "  ", "b", "  ", "c", "", "d"], False),
        (["a", "  ", "b", "  ", "c", "", "d", "", "e"], True),
    ],
)
def test_two_spaces_mean_something_where_not_more_than_half_of_the_blank_lines_have_them(rows, soft):
    assert [line.soft for line in read_lines("\n".join(rows)) if line.text == "b"] == [soft]


@pytest.mark.parametrize(("count", "blanks"), [(5, [1, 1, 1, 1]), (6, [0, 1, 1, 1, 1])])
def test_double_spacing_shows_in_six_lines(count, blanks):
    rows = ["BOB", "hello there", "she waits", "he waits", "it rains", "and so on"][:count]
    assert [line.blanks for line in read_lines("\n\n".join(rows))][1:] == blanks


@pytest.mark.parametrize(("close", "joined"), [(1, True), (2, False)])
def test_nine_lines_in_ten_tell_that_a_text_is_double_spaced(close, joined):
    """Between eleven lines; where the spacing is undone, a speech stands right below its cue."""
    gaps = ["\n\n"] * (10 - close) + ["\n"] * close
    rows = ["BOB", "hello there", *["she waits"] * 9]
    text = "".join(row + gap for row, gap in zip(rows, [*gaps, ""], strict=True))
    assert read_lines(text)[1].blanks == (0 if joined else 1)


@pytest.mark.parametrize(
    ("row", "indent", "text"),
    [
        ("*    INT. HALL - DAY", 5, "INT. HALL - DAY"),
        ("   **    He waits.", 9, "He waits."),
        ("   He waits.       *", 3, "He waits."),
        ("   *He waits.", 3, "*He waits."),
    ],
)
def test_marks_of_revised_lines_go_and_columns_stay(row, indent, text):
    (line,) = read_lines(row)
    assert (line.indent, line.text) == (indent, text)


@pytest.mark.parametrize(
    ("head", "pages", "kept"), [("ab", 3, False), ("ab", 2, True), ("a", 3, True), ("INT. AB", 3, True)]
)
def test_a_running_head_has_another_number_on_three_pages(head, pages, kept):
    """Five characters at least: "a  1" may be anything; and a scene is none."""
    text = "\n\n".join(f"{head}  {k + 1}\n\nHe waits." for k in range(pages))
    assert any(line.text.startswith(head) for line in read_lines(text)) == kept


def test_lines_side_by_side_are_numbered_as_in_the_file():
    rows = ["He waits.", "", "", "ANNA               BEN", "To the house.      To the boat.", "", "They go."]
    found = [(line.text, line.number, line.blanks, line.role) for line in read_lines("\n".join(rows))]
    assert found == [
        ("He waits.", 1, 1, ""),
        ("ANNA", 4, 2, "cue"),
        ("To the house.", 5, 0, "speech"),
        ("BEN", 4, 2, "cue"),
        ("To the boat.", 5, 0, "speech"),
        ("They go.", 7, 1, ""),
    ]


@pytest.mark.parametrize(("length", "kept"), [(4999, False), (5000, True)])
def test_marks_of_emphasis_are_looked_for_in_4999_characters(length, kept):
    (line,) = read_lines("*" + "x" * (length - 2) + "*")
    assert line.text.startswith("*") == kept
