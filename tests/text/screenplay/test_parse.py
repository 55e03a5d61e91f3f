"""Which lines begin something new, and which name who speaks, where columns tell."""

from __future__ import annotations

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
