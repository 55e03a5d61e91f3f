"""PDFs: columns are those of the paper on every page, and what belongs to the paper is dropped."""

from __future__ import annotations

import random

import pytest

from pdf import TURNED, Drawn, write_pdf
from sayso.core.errors import SaysoError
from sayso.text import read_screenplay
from sayso.text.screenplay import pdf_text
from sayso.text.screenplay.pdf_lines import TextRun
from sayso.text.screenplay.pdf_text import (
    _edge_block,
    _joined,
    _one_line_an_object,
    _without_heads,
    read_pdf_text,
)

ACTION, SPEECH, DIRECTION, CUE = 108, 180, 216, 252
NAMES = ("ANNA", "BEN", "McTAVISH", "Dr. KIM", "O'Brien")
WORDS = ("the", "long", "road", "back", "to", "house", "that", "we", "never", "left", "by", "night")

pytest.importorskip("pypdf")


class Typist:
    """Types a script on pages, with everything a shooting script has at its edges."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.pages: list[list[Drawn]] = []
        self.said: list[tuple[str, str]] = []
        self.new_page()

    def new_page(self) -> None:
        number = len(self.pages) + 1
        self.pages.append(
            [(ACTION, 756, "THE ROAD - Blue Rev. 3/4/19"), (520, 756, f"{number}.")] if number > 1 else []
        )
        self.y = 720

    def block(self, lines: list[tuple[float, str]]) -> None:
        if self.y - 12 * len(lines) < 72:
            self.new_page()
        for x, words in lines:
            self.pages[-1].append((x, self.y, words))
            if self.rng.random() < 0.2:
                self.pages[-1].append((560, self.y, "*"))
            self.y -= 12
        self.y -= 12

    def sentence(self, words: int) -> list[str]:
        text = " ".join(self.rng.choice(WORDS) for _ in range(words)).capitalize() + "."
        rows, row = [], ""
        for word in text.split():
            rows, row = (rows, f"{row} {word}".strip()) if len(row) < 26 else ([*rows, row], word)
        return [*rows, row]

    def scene(self, number: int) -> None:
        self.block([(ACTION, f"INT. ROOM {number} - DAY")])
        self.pages[-1] += [(54, self.y + 24, str(number)), (545, self.y + 24, str(number))]
        self.block([(ACTION, row) for row in self.sentence(6)])

    def speech(self) -> None:
        name = self.rng.choice(NAMES)
        rows = self.sentence(self.rng.randint(1, 30))
        direction = [(DIRECTION, "(quietly)")] if self.rng.random() < 0.2 else []
        self.block([(CUE, name), *direction, *((SPEECH, row) for row in rows)])
        self.said.append((name, " ".join(rows)))


@pytest.mark.parametrize("one_object", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_every_speech_has_its_speaker_on_pages_of_pure_dialogue_too(tmp_path, seed, one_object):
    typist = Typist(seed)
    for scene in range(1, 4):
        typist.scene(scene)
        for _ in range(40):
            typist.speech()
    assert len(typist.pages) > 10
    screenplay = read_screenplay(write_pdf(tmp_path / "film.pdf", typist.pages, one_object))
    found = [(element.speaker, element.text) for element in screenplay.of_kind("dialogue")]
    assert found == typist.said
    assert [(scene.text, scene.number) for scene in screenplay.of_kind("heading")] == [
        (f"INT. ROOM {number} - DAY", str(number)) for number in range(1, 4)
    ]
    assert len(list(screenplay.of_kind("description"))) == 3


def bold(pages, rng):
    return [[(x + by, y, words) for x, y, words in page for by in (0, 0.3)] for page in pages], 0


def bound(pages, rng):
    return [[(x + 18 * (n % 2), y, words) for x, y, words in page] for n, page in enumerate(pages)], 0


def scanned(pages, rng):
    shifts = [rng.uniform(-9, 9) for _ in pages]
    return [
        [(x + by + rng.uniform(-1, 1), y + rng.uniform(-0.4, 0.4), words) for x, y, words in page]
        for page, by in zip(pages, shifts, strict=True)
    ], 0


def shuffled(pages, rng):
    return [rng.sample(page, len(page)) for page in pages], 0


def turned(pages, rng):
    return pages, rng.choice((90, 180, 270))


@pytest.mark.parametrize("paper", [bold, bound, scanned, shuffled, turned])
@pytest.mark.parametrize("seed", [11, 12, 13])
def test_however_the_paper_lies(tmp_path, paper, seed):
    typist = Typist(seed)
    for scene in range(1, 5):
        typist.scene(scene)
        for _ in range(8):
            typist.speech()
    pages, rotate = paper(typist.pages, random.Random(seed))
    screenplay = read_screenplay(write_pdf(tmp_path / "film.pdf", pages, rotate=rotate))
    assert [(element.speaker, element.text) for element in screenplay.of_kind("dialogue")] == typist.said


def test_two_columns_are_two_speakers_at_once(tmp_path):
    page = [
        (ACTION, 720, "INT. BAR - NIGHT"),
        (150, 696, "ANNA"),
        (380, 696, "BEN"),
        (108, 684, "To the house that we"),
        (330, 684, "To the boat."),
        (108, 672, "built by hand."),
        (ACTION, 648, "They drink."),
        (CUE, 624, "ANNA"),
        (SPEECH, 612, "One more."),
        (CUE, 588, "BEN"),
        (SPEECH, 576, "Why not."),
    ]
    screenplay = read_screenplay(write_pdf(tmp_path / "film.pdf", [page], one_object=True))
    assert [(one.speaker, one.text, one.dual) for one in screenplay.of_kind("dialogue")] == [
        ("ANNA", "To the house that we built by hand.", False),
        ("BEN", "To the boat.", True),
        ("ANNA", "One more.", False),
        ("BEN", "Why not.", False),
    ]
    assert [one.text for one in screenplay.of_kind("description")] == ["They drink."]


def test_a_cue_at_the_end_of_a_page_speaks_on_the_next(tmp_path):
    first = [(ACTION, 720, "INT. BAR - NIGHT"), (ACTION, 696, "They drink."), (CUE, 96, "ANNA (V.O.)")]
    second = [(SPEECH, 720, "One more."), (CUE, 696, "BEN"), (SPEECH, 684, "Why not."), (CUE, 96, "CUT TO:")]
    third = [(SPEECH, 720, "in a moment."), (ACTION, 684, "Nobody moves.")]
    screenplay = read_screenplay(write_pdf(tmp_path / "film.pdf", [first, second, third]))
    said = [(one.speaker, one.text) for one in screenplay.of_kind("dialogue")]
    assert said[:2] == [("ANNA", "One more."), ("BEN", "Why not.")]
    assert "CUT TO:" not in screenplay.speakers


def test_a_damaged_pdf_is_refused_or_told(tmp_path, caplog):
    path = write_pdf(tmp_path / "film.pdf", [[(ACTION, 720, "INT. BAR - NIGHT"), (ACTION, 696, "He waits.")]])
    whole = path.read_bytes()
    path.write_bytes(whole[:300])
    with pytest.raises(SaysoError, match=r"film\.pdf: "):
        read_screenplay(path)
    path.write_bytes(whole.replace(b"startxref\n", b"startxref\n9"))
    assert [one.kind for one in read_screenplay(path).elements] == ["heading", "description"]
    assert "the PDF is damaged, words may be missing" in caplog.text


@pytest.mark.parametrize("at_top", [True, False])
def test_a_running_head_has_three_lines_at_most(at_top):
    for count in range(1, 6):
        block = [f"line {k}" for k in range(count)]
        rows = [*block, "", "a", "b", "c", "d"] if at_top else ["a", "b", "c", "d", "", *block]
        assert _edge_block(rows, at_top) == (block if count <= 3 else [])
    assert _edge_block(["no", "blank", "line"], at_top) == []


@pytest.mark.parametrize(
    ("pages", "kept"),
    [
        ([["FILM 1", "", "a"], ["FILM 2", "", "b"], ["FILM 3", "", "c"]], [["a"], ["b"], ["c"]]),
        ([["a", "", "FILM 1"], ["b", "", "FILM 2"], ["c", "", "FILM 3"]], [["a"], ["b"], ["c"]]),
        ([["FILM 1", "", "a"], ["FILM 2", "", "b"]], [["FILM 1", "", "a"], ["FILM 2", "", "b"]]),
        ([["FILM 1", "FILM 2", "FILM 3", "", "a"]], [["FILM 1", "FILM 2", "FILM 3", "", "a"]]),
        ([["INT. A 3", "", x] for x in "abc"], [["INT. A 3", "", x] for x in "abc"]),
        ([["12.", "", "Page 3 of 9", "", "4", "", "a"]], [["4", "", "a"]]),
        ([["", "a", "", "12", "", "- 4 -", " "], []], [["a"], []]),
        ([["12.", "THE END", "", "a"]], [["12.", "THE END", "", "a"]]),
        ([["12."], [" ", ""]], [["12."], []]),
    ],
)
def test_heads_are_page_numbers_and_what_comes_back_on_three_pages(pages, kept):
    """Two blocks of them at each end; a scene heading is none, nor a block with anything else in it."""
    assert _without_heads(pages) == kept


@pytest.mark.parametrize(
    ("pages", "joined"),
    [
        ([["and so it goes"], ["on and on"]], ["and so it goes", "on and on"]),
        ([["and so it goes."], ["On and on"]], ["and so it goes.", "", "On and on"]),
        ([["so it goes"], ["  on and on"]], ["so it goes", "  on and on"]),
        ([["so it goes"], ["   on and on"]], ["so it goes", "", "   on and on"]),
        ([["   so it goes"], ["on and on"]], ["   so it goes", "", "on and on"]),
        ([["   so it goes"], ["   on and on"]], ["   so it goes", "   on and on"]),
        ([[], ["a."], [], ["B"]], ["a.", "", "B"]),
    ],
)
def test_a_paragraph_goes_on_over_the_end_of_a_page(pages, joined):
    assert _joined(pages) == joined


@pytest.mark.parametrize(
    ("above", "cue", "at", "below", "left", "alone"),
    [
        ("", "ANNA", 20, 10, 0, True),
        ("", "ANNA", 14, 10, 0, True),
        ("", "ANNA", 13, 10, 0, False),
        ("", "ANNA", 20, 4, 0, True),
        ("", "ANNA", 20, 3, 0, False),
        ("", "ANNA", 20, 8, 5, False),
        ("", "ANNA", 20, 9, 5, True),
        ("He waits", "ANNA", 20, 10, 0, False),
        (None, "ANNA", 20, 10, 0, True),
        ("", "Anna is here", 20, 10, 0, False),
        ("", "CUT TO:", 20, 10, 0, False),
    ],
)
def test_a_cue_that_ends_a_page_speaks_on_the_next(above, cue, at, below, left, alone):
    """Its words stand four columns further left, and four further right than what stands furthest left."""
    first = [] if above is None else [above]
    next_page = [" " * below + "one more", " " * left + "He waits"]
    joined = _joined([[*first, " " * at + cue], next_page])
    assert (joined[len(first) + 1] != "") == alone


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("BT Tm Tj Tm TJ ET", "BT Tm Tj ET BT Tm TJ ET"),
        ("BT TJ Tm Tm Tj ET", "BT TJ ET BT Tm Tm Tj ET"),
        ("BT Tj ET BT Tm Tj ET", "BT Tj ET BT Tm Tj ET"),
        ("BT Tj Td Tj ET", "BT Tj Td Tj ET"),
    ],
)
def test_a_text_object_begins_at_each_place_behind_words(given, shown):
    operations = [([], name.encode()) for name in given.split()]
    assert [name.decode() for _, name in _one_line_an_object(operations)] == shown.split()


def test_letters_that_stand_on_their_heads_are_read_from_what_was_their_top(tmp_path, monkeypatch):
    monkeypatch.setitem(TURNED, 0, lambda x, y: f"1 0 0 -1 {x} {y}")
    path = write_pdf(tmp_path / "film.pdf", [[(108, 72, "first"), (108, 96, "second")]])
    assert read_pdf_text(path).split() == ["first", "second"]


def test_words_without_a_width_are_read_without_their_places(tmp_path, monkeypatch):
    path = write_pdf(tmp_path / "film.pdf", [[(108, 720, "He waits.")]])
    monkeypatch.setattr(pdf_text, "_pieces", lambda *_: [TextRun(108, 108, -720, 12, "He waits.")])
    assert read_pdf_text(path) == "He waits."
