"""What is said in a window: nothing is lost between windows, and a linear scan says the same."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayso.core.types import Caption, Span
from sayso.text import Transcript, transcript_of
from sayso.text.captions import transcript
from sayso.text.captions.transcript import join_spans

CAPTIONS = [
    Caption(Span(0.0, 3.0), "measure"),
    Caption(Span(3.0, 5.0), "- cut?\n- yes"),
    Caption(Span(4.5, 4.5), "now"),
    Caption(Span(5.0, 30.0), "a long song"),
]


def test_a_caption_belongs_where_half_of_it_is_or_where_it_fills_half():
    assert transcript_of(CAPTIONS, Span(0, 4)) == "measure - cut? - yes"  # half of it
    assert transcript_of(CAPTIONS, Span(4, 8)) == "- cut? - yes now a long song"
    assert transcript_of(CAPTIONS, Span(8, 12)) == "a long song"
    assert transcript_of(CAPTIONS, Span(28, 32)) == "a long song"  # fills half of the window
    assert transcript_of(CAPTIONS, Span(28.5, 32.5)) == ""
    assert transcript_of(CAPTIONS, Span(40, 44)) == ""
    assert transcript_of([], Span(0, 4)) == ""


def test_a_moment_has_what_is_shown_then():
    assert transcript_of(CAPTIONS, Span(4.5, 4.5)) == "- cut? - yes"
    assert transcript_of(CAPTIONS, Span(3.0, 3.0)) == "- cut? - yes"
    assert transcript_of(CAPTIONS, Span(30.0, 30.0)) == ""


def test_a_transcript_is_a_sequence_by_start():
    spoken = Transcript(CAPTIONS[::-1])
    assert list(spoken) == CAPTIONS
    assert (len(spoken), spoken[1], spoken[2:]) == (4, CAPTIONS[1], CAPTIONS[2:])
    assert transcript_of(spoken, Span(0, 4)) == transcript_of(CAPTIONS, Span(0, 4))


def naive(captions: list[Caption], span: Span) -> list[Caption]:
    """The rule, caption by caption."""
    found = []
    for caption in sorted(captions, key=lambda caption: caption.span):
        shared = min(caption.span.end, span.end) - max(caption.span.start, span.start)
        half = min(caption.span.duration, span.duration) / 2
        if span.duration == 0:
            inside = caption.span.start <= span.start < caption.span.end
        elif caption.span.duration == 0:
            inside = span.start <= caption.span.start < span.end
        else:
            inside = shared >= half - 1e-9
        if inside:
            found.append(caption)
    return found


ticks = st.integers(0, 400).map(lambda tick: tick / 8)
spans = st.tuples(ticks, ticks).map(lambda pair: Span(min(pair), max(pair)))


@given(st.lists(spans, max_size=20), spans)
def test_equals_a_linear_scan(said, span):
    captions = [Caption(said_in, str(i)) for i, said_in in enumerate(said)]
    assert Transcript(captions).within(span) == naive(captions, span)


@settings(deadline=None)  # the machine may be busy
@given(st.lists(spans, min_size=1, max_size=10), st.floats(0.3, 9), st.floats(0.05, 1))
def test_consecutive_windows_have_every_caption(said, length, last):
    captions = [Caption(span, str(i)) for i, span in enumerate(said)]
    end = max(caption.span.end for caption in captions) + length * last  # the last window may be short
    edges = [0.0]
    while edges[-1] < end:
        edges.append(min(edges[-1] + length, end))
    windows = [Span(a, b) for a, b in pairwise(edges)]
    heard = {caption for window in windows for caption in Transcript(captions).within(window)}
    assert heard == set(captions)


def test_a_caption_that_two_windows_have_is_once_in_what_both_say():
    captions = [Caption(Span(0.5, 2.5), "we juggle a ball"), Caption(Span(3, 5), "and throw it high")]
    windows = [transcript_of(captions, span) for span in (Span(0, 4), Span(4, 8), Span(8, 12))]
    assert windows == ["we juggle a ball and throw it high", "and throw it high", ""]
    assert join_spans(windows) == "we juggle a ball and throw it high"
    assert join_spans(["a long song", "a long song", None, "the end"]) == "a long song the end"
    assert join_spans(["oh no", "no way"]) == "oh no no way"  # somebody says it twice


@pytest.mark.parametrize(("start", "belongs"), [(1.25, True), (1.5, False)])
def test_half_of_a_caption_less_the_tolerance_is_enough(monkeypatch, start, belongs):
    monkeypatch.setattr(transcript, "TOLERANCE_S", 0.25)
    captions = [Caption(Span(0, 2), "hi")]
    assert (Transcript(captions).within(Span(start, 9)) == captions) == belongs


def test_a_caption_without_a_length_belongs_where_it_starts():
    captions = [Caption(Span(0, 9), "long"), Caption(Span(2, 2), "now"), Caption(Span(4, 4), "then")]
    said = [transcript_of(captions, span) for span in (Span(1, 2), Span(2, 4), Span(3, 5))]
    assert said == ["long", "long now", "long then"]
