"""Where and how surely what is no speech happens, from the speeches around it."""

from __future__ import annotations

import numpy as np
import pytest

from sayso.alignment import align_script
from sayso.alignment.matching import Matches
from sayso.alignment.timing import TimedElement, place_elements
from sayso.alignment.words import ScriptWords, SpokenWords
from sayso.core.types import Caption, Span
from sayso.text.screenplay.elements import Element, Screenplay

WORDS = {"A": "one two three four five six", "B": "red green blue yellow black white"}


def aligned(between, gap_s):
    """A says its words in the first ten seconds, B after a gap; something stands between the two speeches."""
    elements = (Element("dialogue", WORDS["A"], 1, "A"), between, Element("dialogue", WORDS["B"], 3, "B"))
    captions = [Caption(Span(0, 10), WORDS["A"]), Caption(Span(10 + gap_s, 20 + gap_s), WORDS["B"])]
    return align_script(Screenplay(elements), captions).elements[1]


@pytest.mark.parametrize(("gap_s", "trust"), [(5, 1.0), (60, 1.0), (120, 0.5), (600, 0.1)])
def test_a_description_is_trusted_less_the_longer_the_silence_that_it_is_in(gap_s, trust):
    found = aligned(Element("description", "He leaves.", 2), gap_s)
    assert found.span == Span(10, 10 + gap_s)
    assert (found.matched, found.confidence) == (1.0, pytest.approx(trust))


@pytest.mark.parametrize(("speaker", "span"), [("A", Span(0, 10)), ("B", Span(30, 40)), ("C", Span(10, 30))])
def test_a_parenthetical_lasts_as_long_as_the_speech_of_its_speaker(speaker, span):
    assert aligned(Element("parenthetical", "(softly)", 2, speaker), 20).span == span


def placed(speeches, pairs, moved=(), starts=None):
    """Place elements whose speeches have so many words each (None: a heading) by pairs of word and second.

    Each spoken word lasts a second; ``starts`` are their begins, 0, 1, 2, ... without.
    """
    elements = tuple(
        Element("heading", f"INT. {k}", k) if size is None else Element("dialogue", f"speech {k}", k, "A")
        for k, size in enumerate(speeches)
    )
    owners = np.repeat(np.arange(len(speeches)), [size or 0 for size in speeches])
    begins = np.arange(40.0) if starts is None else np.array(starts, np.float64)
    spoken = SpokenWords([], np.zeros(len(begins), np.int64), begins, begins + 1, [])
    rows = np.array(sorted(pairs), np.int64).reshape(-1, 2)
    found = Matches(rows, np.ones(len(rows)), np.isin(rows[:, 0], moved))
    return place_elements(elements, ScriptWords([], owners), spoken, found)


@pytest.mark.parametrize(
    ("words", "span", "matched"),
    [(2, Span(5, 7), 1.0), (4, Span(5, 7), 0.5), (8, Span(5, 7), 0.25), (9, None, 2 / 9)],
)
def test_a_speech_is_placed_by_a_quarter_of_its_words(words, span, matched):
    (speech,) = placed([words], [(0, 5), (1, 6)])
    assert (speech.span, speech.matched, speech.confidence) == (span, matched, matched)


@pytest.mark.parametrize(("moved", "is_moved"), [((0,), False), ((0, 1, 2), True), ((0, 1), False)])
def test_a_speech_is_moved_if_more_than_half_of_its_words_are(moved, is_moved):
    (speech,) = placed([4], [(k, 5 + k) for k in range(4)], moved)
    assert speech.moved == is_moved


def test_a_heading_has_the_speech_of_its_own_scene():
    before, first, _, second, after = placed([2, None, 2, None, 2], [(k, 3 * k) for k in range(6)])
    assert (before.span, after.span) == (Span(0, 4), Span(12, 16))
    assert (first.span, second.span) == (Span(6, 10), Span(12, 16))
    (alone, _) = placed([None, 2], [])
    assert (alone.span, alone.confidence) == (None, 0.0)


def test_between_speeches_that_touch_nothing_has_a_time():
    found = aligned(Element("description", "He leaves.", 2), 0)
    assert (found.span, found.confidence) == (None, 0.0)


@pytest.mark.parametrize("skipped", [0, 1, 2])
def test_a_description_is_trusted_less_the_more_speeches_beside_it_have_no_time(skipped):
    """What is found of the speech around it, divided by one more than the speeches that are skipped."""
    lost = tuple(Element("dialogue", "nobody ever said these six words", k, "C") for k in range(skipped))
    first, last = Element("dialogue", WORDS["A"], 1, "A"), Element("dialogue", WORDS["B"], 3, "B")
    elements = (first, Element("description", "He leaves.", 2), *lost, last)
    captions = [Caption(Span(0, 10), WORDS["A"]), Caption(Span(20, 30), WORDS["B"])]
    found = align_script(Screenplay(elements), captions).elements[1]
    sizes = [len(one.text) for one in (first, *lost, last)]
    share = (sizes[0] + sizes[-1]) / sum(sizes)
    assert (found.span, found.confidence) == (Span(10, 20), pytest.approx(share / (1 + skipped)))


@pytest.mark.parametrize(
    ("kind", "written"),
    [("parenthetical", "description"), ("dialogue", "dialogue"), ("heading", "heading")],
)
def test_a_parenthetical_is_written_as_a_description(kind, written):
    row = TimedElement(Element(kind, "x", 1), Span(1.00049, 2), 0.12345, 0.5).to_dict()
    assert (row["kind"], row["start_s"], row["score"]) == (written, 1.0, 0.123)
