"""Cues by their column whatever their case, and speeches side by side."""

from __future__ import annotations

import pytest

from sayso.text import parse_screenplay
from sayso.text.screenplay.columns import side_by_side


def script(*cues: str) -> str:
    """Return an indented script in which each speaks in turn."""
    speeches = "".join(
        f"                              {cue}\n               Words of {k}.\n\n" for k, cue in enumerate(cues)
    )
    return f"INT. HALL - DAY\n\nHe looks up.\n\n{speeches}He runs.\n"


@pytest.mark.parametrize(
    "cues",
    [
        ("McTAVISH", "GUARD", "McTAVISH", "DeLUCA"),
        ("ANNA", "von Trapp", "O'Brien", "Dr. KIM", "VOICE FROM iPHONE"),
        ("Anna", "Ben", "Anna", "Old man"),
    ],
)
def test_the_column_says_who_speaks(cues):
    screenplay = parse_screenplay(script(*cues))
    said = [(one.speaker, one.text) for one in screenplay.of_kind("dialogue")]
    assert said == [(cue, f"Words of {k}.") for k, cue in enumerate(cues)]
    assert [one.text for one in screenplay.of_kind("description")] == ["He looks up.", "He runs."]
    assert screenplay.doubts == ()


def test_flat_text_has_no_column_so_there_is_a_doubt():
    text = "INT. HALL - DAY\n\nMcTAVISH\nOpen the door.\n\nGUARD\nNobody goes up.\n"
    doubts = parse_screenplay(text).doubts
    assert [(doubt.line, "write @McTAVISH" in doubt.message) for doubt in doubts] == [(3, True)]


COLUMNS = """\
INT. BAR - NIGHT

They raise a glass.

               ANNA                          McGREGOR (O.S.)
     To the house that we          (softly)
     built by hand.                To the boat.

They drink.

               ANNA
     One more.
"""


def test_columns_are_read_in_turn():
    elements = parse_screenplay(COLUMNS).elements
    assert [(one.kind, one.speaker, one.text, one.line, one.dual) for one in elements[2:]] == [
        ("dialogue", "ANNA", "To the house that we built by hand.", 6, False),
        ("parenthetical", "McGREGOR", "(softly)", 6, True),
        ("dialogue", "McGREGOR", "To the boat.", 7, True),
        ("description", None, "They drink.", 9, False),
        ("dialogue", "ANNA", "One more.", 12, False),
    ]
    assert elements[3].extension == "O.S."


FLUSH = """\
     INT. BARN - DAY

     Kit runs in.

               KIT
     Too late for
     the roof.

     The roof falls.

               Sal                         MAY (O.S.)
     (coughing)                    This way!
     Out!

     EXT. YARD - DAY

     They count the horses.
"""


def test_speech_that_begins_where_descriptions_do_ends_at_a_blank_line():
    elements = parse_screenplay(FLUSH).elements
    assert [(one.kind, one.speaker, one.text) for one in elements] == [
        ("heading", None, "INT. BARN - DAY"),
        ("description", None, "Kit runs in."),
        ("dialogue", "KIT", "Too late for the roof."),
        ("description", None, "The roof falls."),
        ("parenthetical", "Sal", "(coughing)"),
        ("dialogue", "Sal", "Out!"),
        ("dialogue", "MAY", "This way!"),
        ("heading", None, "EXT. YARD - DAY"),
        ("description", None, "They count the horses."),
    ]


@pytest.mark.parametrize(
    "table",
    [
        "The list:    all of them\nAnna         the first",
        "ANNA            ANN LEE\nBEN             BOB HO",
        "INT. BAR - DAY            12A\nHe waits.         There.",
    ],
)
def test_a_table_is_no_dual_dialogue(table):
    text = f"INT. BAR - NIGHT\n\n{table}\n\nHe waits.\n"
    assert not any(one.dual for one in parse_screenplay(text).elements)


def test_a_list_is_no_dual_dialogue():
    text = "INT. BAR - NIGHT\n\nThe list:    all of them\nAnna         the first\n\nHe waits.\n"
    assert not parse_screenplay(text).speakers


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_line_of_two_spaces_goes_on_with_a_speech(end):
    text = "INT. LAB - DAY\n\nJULIA\nThe first part.\n  \nThe second part.\n\nShe leaves.\n\nBEN\nYes.\n"
    screenplay = parse_screenplay(text.replace("\n", end))
    said = [(one.speaker, one.text) for one in screenplay.of_kind("dialogue")]
    assert said == [("JULIA", "The first part. The second part."), ("BEN", "Yes.")]
    # where every blank line is written so, it is no mark
    all_so = "\n".join(line or "  " for line in text.split("\n"))
    assert next(parse_screenplay(all_so).of_kind("dialogue")).text == "The first part."


def test_a_line_of_two_spaces_right_below_a_cue_is_part_of_the_speech():
    text = "INT. LAB - DAY\n\nShe waits.\n\nJULIA\n  \nThe first part.\n\nShe leaves.\n"
    said = [(one.speaker, one.text) for one in parse_screenplay(text).of_kind("dialogue")]
    assert said == [("JULIA", "The first part.")]


def test_a_typed_title_page():
    page = "          THE ROAD\n\n          written by\n\n          Anna Smith\n\n          First draft\n\n"
    screenplay = parse_screenplay(page + script("ANNA", "BEN"))
    assert screenplay.title == {
        "title": "THE ROAD", "credit": "written by", "author": "Anna Smith", "notes": "First draft",
    }  # fmt: skip
    assert screenplay.elements[0].kind == "heading"


@pytest.mark.parametrize(
    ("rows", "left", "right"),
    [
        (
            ["   BEN                     ANNA", "    To the house.         and so on"],
            "To the house.",
            "and so on",
        ),
        (["   MAY           BEN", "and so on we go  A", "  to the boat     (low)"], None, "A (low)"),
        (["    BEN                 ANN", "     To the house.   (low)"], "To the house.", "(low)"),
        (["BEN            ANNA", "STOP           (loudly)", "and wait.      I go."], "STOP and wait.", None),
    ],
)
def test_where_one_column_ends_and_the_other_begins(rows, left, right):
    """Two columns that are blank in every row part them; the block may end the file."""
    found = side_by_side(rows, 0)
    said = [" ".join(words for _, words in column.lines) for column in found]
    assert left is None or said[0] == left
    assert right is None or said[1] == right
    assert [k for k, _ in found[0].lines] == list(range(1, len(rows)))


@pytest.mark.parametrize(
    "rows",
    [
        ["   ANNA    BEN", " To the house.  A"],
        ["ANNA               SAL", "  12                 and so on"],
        ["ANNA               SAL", "  and so on          12"],
        ["ANNA               12", "  To the house.      and so on"],
        ["ANNA               SAL"],
    ],
)
def test_without_a_gap_or_words_on_both_sides_nobody_speaks_at_once(rows):
    assert side_by_side(rows, 0) is None


@pytest.mark.parametrize(("width", "found"), [(300, True), (301, False)])
def test_a_row_of_two_columns_has_300_characters_at_most(width, found):
    rows = ["ANNA" + "BEN".rjust(width - 4), "To the" + "house.".rjust(width - 6)]
    assert (side_by_side(rows, 0) is not None) == found


def test_two_columns_have_60_rows_at_most():
    rows = ["ANNA          BEN", *[f"word {k:02d}       other {k:02d}" for k in range(70)]]
    assert [len(column.lines) for column in side_by_side(rows, 0)] == [59, 59]


def test_a_title_page_names_somebody_below_its_credit():
    scene = f"\n\n{script('ANNA', 'BEN')}"
    assert parse_screenplay(f"          THE ROAD\n\n          written by{scene}").title == {}
    named = parse_screenplay(f"          THE ROAD\n\n          written by\n\n          Anna{scene}")
    assert named.title == {"title": "THE ROAD", "credit": "written by", "author": "Anna"}
