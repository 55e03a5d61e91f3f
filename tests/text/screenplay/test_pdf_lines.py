"""Pieces of text at their places become lines, columns and blank lines."""

from __future__ import annotations

import pytest

from sayso.text.screenplay.pdf_lines import TextRun, page_lines, straightened, typed


def run(x, y=100.0, text="word", width=10.0, height=10.0):
    return TextRun(x, x + width, y, height, text)


def texts(lines):
    return ["".join(piece.text for piece in line) for line in lines]


@pytest.mark.parametrize(
    ("second", "together"),
    [
        (run(5, 103.9, "b"), True),
        (run(5, 104, "b"), False),
        (run(10, 107.4, "b"), True),
        (run(-10, 107.4, "b"), True),
        (run(9, 107.4, "b"), False),
        (run(10, 107.5, "b"), False),
        (run(5, 103, "b", height=5), False),
        (run(5, 101.9, "b", height=5), True),
    ],
)
def test_pieces_of_one_line_lie_four_tenths_of_a_letter_apart_or_beside_each_other(second, together):
    """Beside each other three quarters of the smaller letters' height, since marks in a margin hang."""
    found = page_lines([second, run(0, text="a")])
    assert len(found) == 2 - together
    assert sorted("".join(texts(found))) == ["a", "b"]


def test_a_piece_is_compared_with_the_middle_of_a_line_and_beside_all_of_it():
    middle = [run(0, 100, "a"), run(0, 103, "b"), run(0, 105.4, "c")]
    assert texts(page_lines(middle)) == ["abc"]
    assert texts(page_lines([*middle[:2], run(0, 105.6, "c")])) == ["ab", "c"]
    assert texts(page_lines([run(0, text="a"), run(20, text="b"), run(5, 105, "c")])) == ["ab", "c"]


def test_lines_go_from_top_to_bottom_and_from_left_to_right():
    pieces = [run(40, 120, "d"), run(20, 100, "b"), run(0, 120, "c"), run(0, 101, "a")]
    assert texts(page_lines(pieces)) == ["ab", "cd"]


@pytest.mark.parametrize(
    ("by", "down", "text", "kept"),
    [(1.9, 1.9, "word ", 1), (2, 0, "word", 2), (0, 2, "word", 2), (-1.9, 0, "word", 1), (0, 0, "other", 2)],
)
def test_what_is_drawn_twice_a_fifth_of_a_letter_apart_counts_once(by, down, text, kept):
    far = run(300, 300)
    pieces = [run(100), far, run(100 + by, 100 + down, text)]
    assert sum(len(line) for line in page_lines(pieces)) == 1 + kept


def columns(*pages):
    """Return where the lines of straightened pages begin; each ends ten points further right."""
    lines = [[[run(x, 12.0 * k)] for k, x in enumerate(page)] for page in pages]
    found = straightened(lines)
    assert all(line[0].end - line[0].x == 10 for page in found for line in page)
    return [[line[0].x for line in page] for page in found]


LONGEST = [100, 100, 150, 150, 200, 200, 300, 300]


@pytest.mark.parametrize(
    ("page", "straight"),
    [
        ([118, 168, 218], [100, 150, 200]),
        ([130, 180, 230], [100, 150, 200]),
        ([330, 330], [300, 300]),
        ([330.1, 330.1], [330.1, 330.1]),
        ([70, 120, 170], [100, 150, 200]),
        ([118, 168, 250, 275], [118, 168, 250, 275]),
        ([118, 168, 218, 275], [100, 150, 200, 257]),
        ([100, 150, 218], [100, 150, 218]),
        ([], []),
        ([250], [250]),
    ],
)
def test_a_page_is_shifted_back_by_thirty_points_at_most_where_most_of_its_lines_then_begin_at_edges(
    page, straight
):
    assert columns(LONGEST, page) == [LONGEST, straight]
    assert columns(page, LONGEST) == [straight, LONGEST]


def test_a_page_half_of_which_begins_at_edges_may_be_shifted():
    longest = [100, 118, 150, 200, 300]
    assert columns(longest, [118, 118, 168, 218]) == [longest, [100, 100, 150, 200]]


def test_lines_within_two_points_are_one_column():
    assert columns([98, 100, 100, 102, 104.5]) == [[100, 100, 100, 100, 104.5]]
    assert columns([98, 100, 100, 102.1]) == [[100, 100, 100, 102.1]]


@pytest.mark.parametrize(("gap", "blanks"), [(12, 0), (22, 0), (22.3, 1), (24, 1), (36, 2), (10, 0)])
def test_blank_lines_are_those_of_the_page(gap, blanks):
    lines = [[run(0, 100, "a", height=12)], [run(0, 100 + gap, "b", height=12)]]
    assert typed(lines, 6) == ["a", *[""] * blanks, "b"]


def test_letters_without_a_height_leave_no_blank_lines():
    assert typed([[run(0, 0, "a", height=0)], [run(0, 500, "b", height=0)]], 6) == ["a", "b"]


@pytest.mark.parametrize(
    ("pieces", "row"),
    [
        ([run(30, text="ab")], "     ab"),
        ([run(0, text="ab", width=12), run(30, text="cd")], "ab   cd"),
        ([run(0, text="ab", width=30), run(30, text="cd")], "abcd"),
        ([run(0, text="ab", width=30), run(30.5, text="cd")], "abcd"),
        ([run(0, text="ab", width=30), run(30.6, text="cd")], "ab   cd"),
        ([run(0, text="abcdefgh", width=20), run(30, text="cd")], "abcdefghcd"),
        ([run(0, text="ab "), run(60, text=" ")], "ab"),
    ],
)
def test_gaps_between_words_are_those_of_the_page_unless_one_goes_on_with_the_other(pieces, row):
    assert typed([pieces], 6) == [row]
