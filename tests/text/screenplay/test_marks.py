"""Headings, transitions and cues of several languages, and what only looks like them."""

from __future__ import annotations

import pytest

from sayso.text import parse_screenplay
from sayso.text.screenplay.marks import (
    is_certain_transition,
    is_name,
    is_transition,
    parse_cue,
    parse_heading,
    parse_label,
)
from sayso.text.screenplay.wording import WORDINGS


@pytest.mark.parametrize(
    "line",
    [
        "INT. KITCHEN - DAY",
        "Ext. Garden - night",
        "ext garden - night",
        "I/E CAR - DAY",
        "INNEN. KÜCHE - TAG",
        "AUSSEN. GARTEN - NACHT",
        "INNEN/AUSSEN AUTO - TAG",
        "INNEN / KÜCHE / TAG",
        "INTÉRIEUR CUISINE - JOUR",
        "EXTÉRIEUR. JARDIN - NUIT",
        "INTERIOR. COCINA - DÍA",
        "EXTERIOR, JARDÍN, NOCHE",
        "INTERNO CUCINA - GIORNO",
        "ESTERNO. GIARDINO - NOTTE",
        "INTERNA - SALA - DIA",
        "EXT. JARDIM - NOITE",
        "ИНТ. КУХНЯ - ДЕНЬ",
        "НАТ. САД - НОЧЬ",
        "ИНТ./НАТ. МАШИНА - ДЕНЬ",
        "ЭКСТ. УЛИЦА. УТРО",
        "BINNEN. KEUKEN - DAG",
        "WNĘTRZE. KUCHNIA - DZIEŃ",
    ],
)
def test_headings(line):
    found = parse_heading(line)
    assert found and (found.text, found.number) == (line, None)
    numbered = parse_heading(f"12A   {line}      12A")
    assert numbered and (numbered.text, numbered.number) == (line, "12A")


@pytest.mark.parametrize(
    "line",
    [
        "Est-ce toi ?",
        "Est là.",
        "Innen ist es kalt.",
        "Aus. Vorbei.",
        "I. Chapter",
        "A. Nobody comes.",
        "Interior lights go on.",
        "NAT KING COLE",
        "International flights leave.",
        "EXTRAS",
        "x" * 5000,
    ],
)
def test_what_is_no_heading(line):
    assert parse_heading(line) is None


@pytest.mark.parametrize(
    ("line", "text", "number"),
    [
        ("12  OMITTED   12", "OMITTED", "12"),
        ("SZENE 3: Die Küche", "Die Küche", "3"),
        ("1-1. ИНТ. ДОМ. ДЕНЬ", "ИНТ. ДОМ. ДЕНЬ", "1-1"),
    ],
)
def test_numbered_scenes(line, text, number):
    found = parse_heading(line)
    assert found and (found.text, found.number) == (text, number)


def test_transitions():
    for line in ("CUT TO:", "SCHNITT AUF:", "FONDU AU NOIR", "CORTE A:", "STACCO SU:", "CORTA PARA:", "ЗТМ."):
        assert is_transition(line), line
    assert not is_transition("ANNA CUTS TO THE CHASE NOW")


def test_a_name_that_is_a_transition_elsewhere_speaks_and_is_doubted():
    screenplay = parse_screenplay("INT. HALL - DAY\n\nFIN\nI am Finn to my friends.\n\nHe sits.\n\nFIN\n")
    assert [(one.kind, one.speaker) for one in screenplay.elements] == [
        ("heading", None),
        ("dialogue", "FIN"),
        ("description", None),
        ("transition", None),
    ]
    assert [doubt.line for doubt in screenplay.doubts] == [3]


def test_a_speech_goes_on_in_every_language():
    for wording in WORDINGS.values():
        for word in filter(None, wording.again.split(", ")):
            cue = " " * 15 + "ANNA"
            again = f"          ({word})\n\n{cue} ({word.lower()}.)"
            text = f"INT. A - B\n\nHe waits.\n\n{cue}\n     One\n{again}\n     two.\n"
            spoken = [one.text for one in parse_screenplay(text).of_kind("dialogue")]
            assert spoken == ["One two."], word


def test_names_in_any_case():
    for name in ("von Trapp", "VOICE FROM iPHONE", "Dr. KIM", "O'Brien", "McTAVISH (V.O.)", "GUARD #2"):
        assert is_name(name), name
    for line in ("He waits there.", "Come in, Anna, and sit down with us", "(quietly)", "Stop it!", "x" * 60):
        assert not is_name(line), line


@pytest.mark.parametrize(
    ("line", "speaker"),
    [("BOB JR.", "BOB JR."), ("GET OUT NOW!", None), ("BOB SMITH JR.", None)],
)
def test_capitals_of_three_words_that_end_as_a_sentence_are_one(line, speaker):
    found = parse_cue(line)
    assert (found.speaker if found else None) == speaker


@pytest.mark.parametrize(
    ("line", "is_heading"),
    [
        ("Innen. Küche - Tag", True),
        ("Innen. Küche", False),
        ("Innen, Küche - Tag", False),
        ("AUS. KÜCHE", True),
        ("AUS, KÜCHE", False),
        ("AUS DER KÜCHE", False),
        ("Int. the house", True),
        ("Int, the house - day", False),
        ("INT. " + "x" * 295, True),
        ("INT. " + "x" * 296, False),
    ],
)
def test_what_stands_behind_the_place_tells_whether_a_scene_begins(line, is_heading):
    """Full stops and dashes do, a comma does not; 300 characters are the most."""
    assert (parse_heading(line) is not None) == is_heading


def test_transitions_that_nobody_is_called():
    for line in ("CUT TO:", "FADE OUT.", "SCHNITT AUF:"):
        assert is_certain_transition(line), line
    for line in ("FIN", "NOIR", "BOB:", "BOB"):
        assert not is_certain_transition(line), line


def test_how_long_a_name_can_be():
    assert parse_cue("A" * 45) and not parse_cue("A" * 46)
    assert is_name("a" * 45) and not is_name("a" * 46)
    assert is_name("one two three four five six") and not is_name("one two three four five six seven")
    assert is_name("Jr.") and not is_name("the Jr.")
    assert parse_label("one two three four five: yes") and not parse_label("one two three four five six: yes")


@pytest.mark.parametrize(
    ("line", "extension"), [("Ann: yes", None), ("Ann (low): yes", "low"), ("Ann [ ]: yes", None)]
)
def test_what_stands_behind_the_name_of_a_transcript(line, extension):
    cue, words = parse_label(line)
    assert (cue.speaker, cue.extension, words) == ("Ann", extension, "yes")
