"""What becomes of the times and the speakers of captions, whatever format they come from."""

from __future__ import annotations

import math

import pytest

from sayso.core.types import Caption, Span
from sayso.text.captions.collector import CaptionCollector


def collected(*captions):
    collector = CaptionCollector("talk")
    for caption in captions:
        collector.add(None, *caption)
    return collector.captions(), [str(problem) for problem in collector.problems]


@pytest.mark.parametrize(
    ("times", "span"),
    [
        ((-1, 0), None),
        ((-1, 2), Span(0, 2)),
        ((0, 0), Span(0, 0.5 + 2 / 15)),
        ((-1, None), None),
        ((-2, -1), None),
    ],
)
def test_what_is_over_before_the_media_begins_is_left_out(times, span):
    captions, problems = collected((*times, "hi"))
    assert captions == ([] if span is None else [Caption(span, "hi")])
    assert ["after the media begins" in problem for problem in problems] == [True] * (span is None)


def test_a_caption_without_an_end_is_read_until_the_next_but_half_a_second_at_least():
    captions, _ = collected((1, None, "x" * 30), (2, None, "y" * 30), (2.2, None, "z" * 30))
    assert [caption.span for caption in captions] == [Span(1, 2), Span(2, 2.5), Span(2.2, 4.7)]


@pytest.mark.parametrize(
    ("named", "speaker", "text"), [(None, "SPEAKER_00", "hi"), ("Ann", "Ann", "[SPEAKER_00]: hi")]
)
def test_a_prefix_names_nobody_where_the_file_names_who_speaks(named, speaker, text):
    assert collected((0, 1, "[SPEAKER_00]: hi", named))[0] == [Caption(Span(0, 1), text, speaker)]


@pytest.mark.parametrize("times", [(1, math.inf), (math.inf, math.inf), (1, math.nan), (math.nan, 2)])
def test_times_that_are_no_numbers_are_told(times):
    captions, problems = collected((*times, "hi"))
    assert not captions
    assert "expected times in seconds" in problems[0]


def test_captions_without_an_end_that_begin_together_are_read_until_a_later_one():
    captions, _ = collected((1, None, "x" * 30), (1, None, "y" * 30), (5, 6, "z"))
    assert [caption.span for caption in captions] == [Span(1, 3.5), Span(1, 3.5), Span(5, 6)]
