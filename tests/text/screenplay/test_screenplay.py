"""Screenplays in the ways people write them come out as the same elements."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayso.core.errors import MissingExtra, SaysoError
from sayso.text import parse_screenplay, read_screenplay, write_fountain
from sayso.text.screenplay.elements import Element, Screenplay

STORY = [
    ("heading", None, "INT. KITCHEN - DAY"),
    ("description", None, "BOB, a tall man, pours a glass of wine."),
    ("dialogue", "BOB", "Did you see the garden? I was there all day."),
    ("parenthetical", "BOB", "(beat)"),
    ("dialogue", "BOB", "All day!"),
    ("dialogue", "ALICE", "No."),
    ("description", None, "He sits down."),
    ("transition", None, "CUT TO:"),
    ("heading", None, "Ext. Garden - night"),
    ("dialogue", "ALICE", "Never again."),
]

INDENTED = """\
12   INT. KITCHEN - DAY                                   12

     BOB, a tall man, pours a
     glass of wine.

                         BOB (V.O.)
               Did you see the garden? I was
               there all day.
                         (beat)
               All day!

                         ALICE (CONT'D)
               No.                                       *

     He sits down.

                                             CUT TO:

     Ext. Garden - night

                         ALICE
               Never
                                  (MORE)
\x0c
     MY FILM - Rev. 3                                     13.

                         ALICE (CONT'D)
               again.
"""

FOUNTAIN = """\
Title: My film
Author: Somebody

INT. KITCHEN - DAY #12#

BOB, a tall man, pours a
glass of wine.

/* cut
this */
BOB (V.O.)
Did you see the garden? I was
there all day. [[a note]]
(beat)
All day!

ALICE
No.

He sits down.

CUT TO:

Ext. Garden - night

ALICE
Never again.
"""


def story_of(screenplay):
    return [(element.kind, element.speaker, element.text) for element in screenplay.elements]


@pytest.mark.parametrize("double", [False, True])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize(("text", "style"), [(INDENTED, "indented"), (FOUNTAIN, "flat")])
def test_the_same_story_however_it_is_written(text, style, ending, double):
    if double:
        head, blank, body = text.partition("\n\n") if style == "flat" else ("", "", text)
        text = head + blank + body.replace("\n", "\n\n")
    screenplay = parse_screenplay(text.replace("\n", ending))
    assert story_of(screenplay) == STORY
    assert screenplay.style == style
    assert screenplay.elements[0].number == "12"
    assert screenplay.elements[2].extension == "V.O."
    assert screenplay.elements[5].extension is None
    assert screenplay.speakers == ["BOB", "ALICE"]


def test_lines_are_those_of_the_file():
    lines = FOUNTAIN.split("\n")
    for element in parse_screenplay(FOUNTAIN).elements:
        assert element.text.split()[0] in lines[element.line - 1]


def test_the_title_page():
    assert parse_screenplay(FOUNTAIN).title == {"title": "My film", "author": "Somebody"}
    assert parse_screenplay("INT. A - DAY\n\nHe waits.").title == {}


def test_pages_of_the_web():
    rows = INDENTED.replace("\x0c", "").replace("INT. KITCHEN - DAY", "<b>INT. KITCHEN - DAY</b>")
    page = f"<html><head><title>no</title></head><body><b>x</b><pre><b>\n{rows}</b></pre></body></html>"
    assert story_of(parse_screenplay(page.replace("<b>x</b>", "<b></b>"))) == STORY


def test_transcripts():
    text = (
        "Scene: The apartment.\n\nLeonard: Agreed, what's your point? (He sits) None.\n"
        "Sheldon (shouting): There is no point,\njust an idea.\n(Penny enters.)\nPenny: Hi!\n"
    )
    screenplay = parse_screenplay(text)
    assert screenplay.style == "transcript"
    assert story_of(screenplay) == [
        ("heading", None, "The apartment."),
        ("dialogue", "Leonard", "Agreed, what's your point?"),
        ("parenthetical", "Leonard", "(He sits)"),
        ("dialogue", "Leonard", "None."),
        ("dialogue", "Sheldon", "There is no point, just an idea."),
        ("description", None, "Penny enters."),
        ("dialogue", "Penny", "Hi!"),
    ]
    assert screenplay.elements[4].extension == "shouting"


def test_transcripts_with_times_and_long_speeches():
    speech = "\n".join(["and on it goes without an end"] * 8)
    text = "".join(
        f"[00:0{k}:12] {who}: So it begins\n{speech}\n\n" for k, who in enumerate(["Ann", "Bo"] * 3)
    )
    screenplay = parse_screenplay(text)
    assert screenplay.style == "transcript"
    assert [element.speaker for element in screenplay.elements] == ["Ann", "Bo"] * 3
    assert all(len(element.text.split()) == 59 for element in screenplay.elements)


def test_a_blank_line_after_every_line():
    text = "**INT. ROOM - DAY**\n\nBob sits.\n\nBOB\n\nHello there.\n\nALICE\n\nHi.\n\nShe leaves.\n"
    assert story_of(parse_screenplay(text)) == [
        ("heading", None, "INT. ROOM - DAY"),
        ("description", None, "Bob sits."),
        ("dialogue", "BOB", "Hello there."),
        ("dialogue", "ALICE", "Hi."),
        ("description", None, "She leaves."),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (".MONTAGE #3#", ("heading", None, "MONTAGE")),
        ("12. int. house", ("heading", None, "int. house")),
        ("A12 EXT./INT. CAR (MOVING) - DAY", ("heading", None, "EXT./INT. CAR (MOVING) - DAY")),
        ("I/E CAR - NIGHT", ("heading", None, "I/E CAR - NIGHT")),
        ("!BANG", ("description", None, "BANG")),
        ("@McCLANE\nYippee.", ("dialogue", "McCLANE", "Yippee.")),
        ("MOTHER'S VOICE (O.S.)\nCome!", ("dialogue", "MOTHER'S VOICE", "Come!")),
        ("> FADE OUT.", ("transition", None, "FADE OUT.")),
        ("Into the night he walks.", ("description", None, "Into the night he walks.")),
    ],
)
def test_single_marks(text, expected):
    assert story_of(parse_screenplay(f"He waits.\n\n{text}\n\nHe waits.\n"))[1] == expected


def test_two_at_once():
    screenplay = parse_screenplay("He waits.\n\nBRICK\nNo!\n\nSTEEL ^\nYes!\n")
    assert [element.dual for element in screenplay.elements] == [False, False, True]


def test_what_is_ambiguous_is_said_with_its_line():
    screenplay = parse_screenplay("He waits.\n\nBOB\n\nHe waits.\n\nTHE DOOR SLAMS SHUT\nBANG\n\nHe waits.")
    assert [doubt.line for doubt in screenplay.doubts] == [3, 7]
    assert "'BOB' was read as a description" in screenplay.doubts[0].message


def test_fountain_comes_back():
    for text in (INDENTED, FOUNTAIN):
        first = parse_screenplay(text)
        again = parse_screenplay(write_fountain(first))
        assert story_of(again) == story_of(first)
        assert [e.extension for e in again.elements] == [e.extension for e in first.elements]
        assert again.title == first.title


words = st.lists(
    st.sampled_from(["Bob", "waits", "the", "INT.", "bus", "CUT", "@", "!", "12", "no."]),
    min_size=1,
    max_size=6,
)
plain = words.map(lambda parts: "He " + " ".join(parts))
elements = st.one_of(
    st.builds(lambda text: Element("description", text, 1), plain),
    st.builds(lambda text: Element("heading", f"EXT. {text}", 1, number="7"), plain),
    st.builds(
        lambda text, who, dual: Element("dialogue", text, 1, who, dual=dual),
        plain,
        st.sampled_from(["BOB", "Alice", "MAN #2", "DR. NO"]),
        st.booleans(),
    ),
)


@given(st.lists(elements, min_size=1, max_size=8))
def test_any_screenplay_comes_back_from_fountain(made):
    again = parse_screenplay(write_fountain(Screenplay(tuple(made))))
    assert story_of(again) == story_of(Screenplay(tuple(made)))
    assert [element.dual for element in again.elements] == [element.dual for element in made]


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=st.sampled_from("ABab :.(){}[]*/!@>~^#=-\n\t\r\x0c12é"), max_size=120) | st.text())
def test_any_text_can_be_read_and_written(text):
    screenplay = parse_screenplay(text)
    assert all(element.text and "\n" not in element.text for element in screenplay.elements)
    assert all(element.speaker for element in screenplay.of_kind("dialogue"))
    assert all(
        1 <= element.line <= text.count("\n") + text.count("\r") + 1 for element in screenplay.elements
    )
    write_fountain(screenplay)


def test_files(tmp_path):
    path = tmp_path / "film.txt"
    path.write_text(INDENTED, encoding="cp1252")
    assert story_of(read_screenplay(path)) == STORY
    path.write_text(" \n ")
    with pytest.raises(SaysoError, match="there is no text in the file"):
        read_screenplay(path)
    (tmp_path / "noise.txt").write_bytes(bytes(range(256)) * 8)
    with pytest.raises(SaysoError, match="holds no text a person can read"):
        read_screenplay(tmp_path / "noise.txt")
    with pytest.raises(SaysoError, match="there is nothing at"):
        read_screenplay(tmp_path / "absent.txt")


def test_pdf(tmp_path):
    path = tmp_path / "film.pdf"
    path.write_bytes(pdf(["INT. KITCHEN - DAY", "", "BOB", "All day!"]))
    try:
        screenplay = read_screenplay(path)
    except MissingExtra:
        pytest.skip("pypdf is not installed")
    assert ("heading", None, "INT. KITCHEN - DAY") in story_of(screenplay)


def pdf(rows):
    """The smallest PDF that shows rows of text."""
    shown = " ".join(f"({row.replace('(', '')}) Tj 0 -14 Td" for row in rows)
    stream = f"BT /F1 12 Tf 72 720 Td {shown} ET"
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
        "/Resources << /Font << /F1 5 0 R >> >> >>",
        f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Courier >>",
    ]
    out, offsets = "%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n"
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    out += f"xref\n0 6\n0000000000 65535 f \n{table}trailer\n<< /Size 6 /Root 1 0 R >>\n"
    return (out + f"startxref\n{out.index('xref')}\n%%EOF\n").encode()


@pytest.mark.parametrize(
    ("name", "doubted"), [("Captain von Trapp Senior", [1, 3]), ("The Captain von Trapp Senior", [1])]
)
def test_four_words_right_above_others_may_be_a_speaker(name, doubted):
    screenplay = parse_screenplay(f"He waits.\n\n{name}\nI have been here before.\n\nHe waits.")
    assert [doubt.line for doubt in screenplay.doubts] == doubted


@pytest.mark.parametrize(("indent", "kind"), [(12, "description"), (19, "description"), (20, "dialogue")])
def test_a_line_nearer_to_the_margin_than_to_the_speech_is_no_speech(indent, kind):
    """Descriptions begin at 10 and speech at 30, so that what begins before 20 is a description."""
    rows = [(10, "He waits."), (0, ""), (50, "BOB"), (30, "Hello there."), (0, ""), (indent, "and so on.")]
    rows = [*rows, (0, ""), (10, "She comes."), (0, ""), (50, "ANN"), (30, "Good day.")]
    found = parse_screenplay("\n".join(" " * at + text for at, text in rows))
    assert [element.kind for element in found.elements if "and so on." in element.text] == [kind]
