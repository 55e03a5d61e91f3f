"""Which lines begin something new, and which name who speaks, where columns tell."""

from __future__ import annotations

import pytest

from sayso.text import parse_screenplay
from sayso.text.screenplay.fountain import strip_notes


def kinds(rows):
    found = parse_screenplay("\n".join(" " * at + text for at, text in rows))
    return [(element.kind, element.text) for element in found.elements]


def test_a_heading_that_somebody_reads_out_is_speech():
    speech = [(50, "BOB"), (30, "It begins like this:"), (30, "INT. KITCHEN - DAY"), (0, "")]
    found = kinds([(10, "He reads."), (0, ""), *speech, (10, "She waits."), (0, ""), *speech])
    assert [kind for kind, _ in found] == ["description", "dialogue"] * 2


def test_names_that_are_no_capitals_are_those_that_stand_further_right():
    names = [(40, "Bob"), (20, "Hello there."), (0, ""), (40, "Ann"), (20, "Good day to you."), (0, "")]
    rain = [(10, "Rain"), (10, "falls on the town."), (0, "")]
    found = kinds([*rain, *rain, *rain, *names, *rain, *rain, *names])
    assert [text for kind, text in found if kind == "dialogue"] == ["Hello there.", "Good day to you."] * 2


def test_a_note_in_a_note_takes_no_line_of_its_own():
    assert strip_notes("a [[x [[ y\nz]] b\nc") == "a \n b\nc"
    assert strip_notes("a /* x\n [[ y */ b ]]\nc") == "a \n b ]]\nc"


def laid_out(rows):
    return parse_screenplay("\n".join(" " * at + text for at, text in rows))


def told(rows):
    return [(one.kind, one.speaker, one.text) for one in laid_out(rows).elements]


@pytest.mark.parametrize(
    ("labels", "names", "others", "style"),
    [
        (1, 1, 0, "transcript"),
        (3, 3, 7, "transcript"),
        (3, 3, 8, "flat"),
        (3, 1, 34, "transcript"),
        (3, 1, 35, "flat"),
        (5, 2, 12, "flat"),
        (6, 2, 60, "transcript"),
    ],
)
def test_a_share_of_lines_with_names_makes_a_transcript_a_smaller_one_where_names_come_back(
    labels, names, others, style
):
    """Three in ten; eight in a hundred where each name is there three times."""
    rows = [f"Name {'abc'[k % names]}: so it goes" for k in range(labels)] + ["he waits and waits"] * others
    assert parse_screenplay("\n".join(rows)).style == style


@pytest.mark.parametrize(
    ("speech", "style"),
    [
        ([("BOB", 13)], "flat"),
        ([("BOB", 14)], "indented"),
        ([("BOB", 14), ("ANN", 10)], "indented"),
        ([("BOB", 14), ("ANN", 10), ("KIM", 10)], "flat"),
        ([("Bob", 13)], "flat"),
        ([("Bob", 14)], "indented"),
        ([("Ext. garden - night", 20)], "flat"),
        ([("He goes to the door.", 20)], "flat"),
    ],
)
def test_half_of_the_names_stand_four_columns_further_right_where_columns_tell(speech, style):
    rows = [row for name, at in speech for row in ((at, name), (10, "and so on it goes"), (0, ""))]
    assert laid_out(rows).style == style


@pytest.mark.parametrize(
    ("above", "name", "style"),
    [("He waits.", "BOB", "flat"), ("Ann: yes", "Bob", "transcript")],
)
def test_a_name_is_set_apart_from_what_follows_it_and_not_from_what_stands_above(above, name, style):
    assert laid_out([(0, above), (0, ""), (10, name), (10, "hello there")]).style == style


@pytest.mark.parametrize(("indent", "style"), [(3, "transcript"), (4, "indented")])
def test_a_transcript_has_more_lines_with_names_than_cues(indent, style):
    assert laid_out([(indent, "Bob"), (0, "hello there"), (0, ""), (0, "Ann: yes")]).style == style


def spoken_by(columns, name, at, text, below):
    """Return who speaks a line under a name, in a script with columns of descriptions, speech and cues."""
    left, speech, cue = columns
    rows = [(left, "He waits."), (0, ""), (cue, "BOB"), (speech, "Hello there."), (0, "")]
    rows += [(cue, "ANN"), (speech, "Good day."), (0, ""), (left, "She waits."), (0, ""), (at, name)]
    found = told([*rows, (below, text)])
    return next(speaker for _, speaker, words in found if text in words)


@pytest.mark.parametrize(
    ("columns", "name", "at", "text", "below", "speaker"),
    [
        ((10, 20, 40), "Kim", 23, "and so on", 20, "Kim"),
        ((10, 20, 40), "Kim", 22, "and so on", 18, None),
        ((10, 20, 40), "Kim", 23, "and so on", 21, None),
        ((10, 20, 40), "Kim", 40, "and so on", 22, "Kim"),
        ((10, 20, 40), "Kim", 40, "and so on", 23, None),
        ((10, 20, 40), "Kim", 40, "(softly)", 25, "Kim"),
        ((10, 20, 40), "KIM", 27, "and so on", 25, "KIM"),
        ((10, 20, 40), "KIM", 26, "and so on", 25, None),
        ((10, 20, 28), "KIM", 24, "and so on", 25, "KIM"),
        ((10, 20, 28), "KIM", 23, "and so on", 25, None),
        ((10, 20, 25), "KIM", 22, "and so on", 25, None),
    ],
)
def test_a_name_speaks_where_cues_stand(columns, name, at, text, below, speaker):
    """In any case above speech and three columns further right; in capitals near other cues, or far right."""
    assert spoken_by(columns, name, at, text, below) == speaker


def test_a_line_in_capitals_three_columns_further_right_than_the_next_is_no_column_of_cues():
    door = [(13, "THE DOOR SLAMS"), (10, "and nobody moves."), (0, "")]
    found = told([*door, (40, "BOB"), (20, "Hello there."), (0, ""), (10, "He waits.")])
    assert found == [
        ("description", None, "THE DOOR SLAMS and nobody moves."),
        ("dialogue", "BOB", "Hello there."),
        ("description", None, "He waits."),
    ]


def test_a_name_that_only_the_title_page_sets_apart_makes_no_columns():
    rows = [(10, "THE ROAD"), (0, "by me"), (0, ""), (10, "written by"), (0, ""), (10, "Anna"), (0, "")]
    found = laid_out([*rows, (10, "Draft"), (0, ""), (0, "INT. HALL - DAY"), (0, ""), (0, "He waits.")])
    assert (found.style, found.title["author"]) == ("indented", "Anna")
    assert [one.kind for one in found.elements] == ["heading", "description"]


def test_the_fields_of_fountain_are_the_title_where_a_page_is_typed_as_well():
    page = [
        (0, "Title: My film"),
        (0, ""),
        (10, "THE ROAD"),
        (0, ""),
        (10, "written by"),
        (0, ""),
        (10, "Anna"),
    ]
    rows = [
        (0, ""),
        (10, "Draft"),
        (0, ""),
        (0, "INT. HALL - DAY"),
        (0, ""),
        (10, "BOB"),
        (5, "Hello there."),
    ]
    assert laid_out([*page, *rows]).title == {"title": "My film"}
    assert laid_out([*page[2:], *rows]).title["title"] == "THE ROAD"


@pytest.mark.parametrize(
    ("headings", "spoken"),
    [((0, 5), "Hello there. More of it."), ((3, 5), "Hello there."), ((2, 5), "Hello there. More of it.")],
)
def test_a_blank_line_ends_a_speech_unless_a_heading_stands_further_left(headings, spoken):
    """Two columns are no difference; where all headings stand as far right as speech, only blanks tell."""
    rows = [(headings[0], "INT. HALL - DAY"), (0, ""), (15, "BOB"), (5, "Hello there."), (0, "")]
    found = told([*rows, (5, "More of it."), (0, ""), (headings[1], "EXT. YARD - DAY")])
    assert [text for kind, _, text in found if kind == "dialogue"] == [spoken]


def test_speech_at_the_left_edge_of_a_script_without_headings():
    rows = [(20, "BOB"), (0, "Hello there."), (0, "How are you?"), (0, ""), (0, "He waits."), (0, "")]
    assert told([*rows, (20, "ANN"), (0, "Good day.")]) == [
        ("dialogue", "BOB", "Hello there. How are you?"),
        ("description", None, "He waits."),
        ("dialogue", "ANN", "Good day."),
    ]


@pytest.mark.parametrize(("indent", "kind"), [(28, "dialogue"), (27, "heading")])
def test_a_heading_right_below_speech_stands_three_columns_further_left(indent, kind):
    speech = [(50, "BOB"), (30, "It begins like this:"), (indent, "INT. KITCHEN - DAY"), (0, "")]
    found = kinds([(10, "He reads."), (0, ""), (50, "ANN"), (30, "Yes?"), (0, ""), *speech])
    assert next(one for one, text in found if "INT." in text) == kind


def test_lines_of_a_speech_may_begin_two_columns_further_left():
    speech = [(40, "BOB"), (20, "Hello there,"), (18, "my dear."), (0, "")]
    found = kinds([(10, "He waits."), (0, ""), *speech * 3])
    assert [text for kind, text in found if kind == "dialogue"] == ["Hello there, my dear."] * 3


def test_headings_at_the_edge_do_not_tell_where_descriptions_stand():
    scene = [(0, "INT. HALL - DAY"), (0, ""), (10, "He waits."), (0, "")]
    rows = [*scene, *scene, scene[0], (0, ""), (40, "BOB"), (20, "Hello there."), (0, ""), (14, "He leaves.")]
    assert kinds(rows)[-1] == ("description", "He leaves.")


@pytest.mark.parametrize(("blanks", "doubted"), [(1, False), (2, True)])
def test_speech_far_below_speech_is_doubted(blanks, doubted):
    rows = [
        (10, "He waits."),
        (0, ""),
        (40, "BOB"),
        (20, "Hello there."),
        *[(0, "")] * blanks,
        (20, "And so on."),
    ]
    found = laid_out(rows)
    assert found.elements[-1].text == "Hello there. And so on."
    assert [doubt.line for doubt in found.doubts] == [len(rows)] * doubted


@pytest.mark.parametrize(
    ("lines", "doubted"),
    [
        ("THE DOOR SLAMS SHUT\nBANG", True),
        ("THE DOOR SLAMS\nBANG", False),
        ("THE DOOR SLAMS SHUT\nbang", False),
        ("OLD MAN JOE", True),
        ("OLD MAN JOE BROWN", False),
        ("Captain von Trapp", False),
        ("She waits.\nCaptain von Trapp\nsees it all", False),
    ],
)
def test_what_may_be_a_speaker_or_a_description(lines, doubted):
    """Four words in capitals above others; one to three above nothing; a name right above other words."""
    found = parse_screenplay(f"INT. HALL - DAY\n\nHe waits.\n\n{lines}\n\nHe waits.").doubts
    assert [doubt.line for doubt in found] == [5] * doubted


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("!x", ("description", None, "x")),
        (">x", ("transition", None, "x")),
        ("> centred <", ("description", None, "centred")),
        ("He stops.\n> FADE OUT.", ("description", None, "He stops. > FADE OUT.")),
        ("He stops.\n# Act", ("description", None, "He stops. # Act")),
    ],
)
def test_marks_of_fountain(text, expected):
    found = parse_screenplay(f"INT. HALL - DAY\n\n{text}\n\nHe waits.").elements[1]
    assert (found.kind, found.speaker, found.text) == expected


def test_a_forced_heading_has_its_number_and_columns_know_no_marks():
    (found,) = parse_screenplay(".MONTAGE #3#\n").elements
    assert (found.kind, found.text, found.number) == ("heading", "MONTAGE", "3")
    rows = [(10, "= a note"), (0, ""), (40, "BOB"), (20, "Hello there.")]
    assert kinds(rows) == [("description", "= a note"), ("dialogue", "Hello there.")]
