"""What is marked in Fountain that is written, and nothing else is."""

from __future__ import annotations

import pytest

from sayso.text import parse_screenplay, write_fountain
from sayso.text.screenplay.elements import Element, Screenplay
from sayso.text.screenplay.fountain import strip_notes


def said(text, kind="dialogue", extension=None, dual=False, speaker="BOB"):
    return Element(kind, text, 1, speaker, extension, None, dual)


@pytest.mark.parametrize(
    ("element", "written"),
    [
        (Element("description", "He waits.", 1), "He waits."),
        (Element("description", "INT. HALL - DAY", 1), "!INT. HALL - DAY"),
        (Element("description", "BOB", 1), "!BOB"),
        (Element("description", "Cut to: him", 1), "Cut to: him"),
        (Element("description", "~la la", 1), "!~la la"),
        (Element("heading", "INT. HALL - DAY", 1, number="7"), "INT. HALL - DAY #7#"),
        (Element("heading", "THE HALL", 1), ".THE HALL"),
        (Element("heading", "Scene: The cafe.", 1), ".Scene: The cafe."),
        (Element("transition", "CUT TO:", 1), "CUT TO:"),
        (Element("transition", "FADE OUT.", 1), "> FADE OUT."),
        (Element("transition", "he goes TO:", 1), "> he goes TO:"),
        (said("INT. HALL - DAY"), "BOB\nINT. HALL - DAY"),
        (said("yes", speaker="Bob"), "@Bob\nyes"),
        (said("yes", speaker="FIN"), "@FIN\nyes"),
        (said("yes", speaker="INT. X"), "@INT. X\nyes"),
        (said("yes", extension="V.O.", dual=True), "BOB (V.O.) ^\nyes"),
    ],
)
def test_a_mark_stands_where_a_line_would_be_read_as_something_else(element, written):
    assert write_fountain(Screenplay((element,))) == f"{written}\n"


@pytest.mark.parametrize(
    ("second", "written"),
    [
        (said("(low)", "parenthetical"), "BOB\nyes\n(low)\n"),
        (said("no"), "BOB\nyes\n\nBOB\nno\n"),
        (said("(low)", "parenthetical", "V.O."), "BOB\nyes\n\nBOB (V.O.)\n(low)\n"),
        (said("(low)", "parenthetical", dual=True), "BOB\nyes\n\nBOB ^\n(low)\n"),
        (said("(low)", "parenthetical", speaker="ANN"), "BOB\nyes\n\nANN\n(low)\n"),
    ],
)
def test_what_the_same_person_says_in_the_same_way_goes_under_one_cue(second, written):
    assert write_fountain(Screenplay((said("yes"), second))) == written


def test_notes_that_follow_each_other_all_go():
    assert strip_notes("[[a]][[b]]/* c */x[[d") == "x[[d"


@pytest.mark.parametrize(("blank", "found"), [("", "la la and so on"), ("\n", "~la la and so on")])
def test_a_song_is_sung_right_below_a_cue_or_words(blank, found):
    elements = parse_screenplay(f"INT. HALL - DAY\n\nBOB\nHe sang:\n{blank}~la la\nand so on\n").elements
    assert elements[-1].kind == ("description" if blank else "dialogue")
    assert elements[-1].text.endswith(found)
