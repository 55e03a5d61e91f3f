"""Where and how surely what is no speech happens, from the speeches around it."""

from __future__ import annotations

import pytest

from sayso.alignment import align_script
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
