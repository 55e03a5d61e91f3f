"""Timed words become sentences where the transcript is punctuated, lines where it is not."""

from __future__ import annotations

import pytest

from sayso.core.types import PAUSE_S
from sayso.text.captions.collector import CaptionCollector
from sayso.text.captions.timed_words import TimedWord, add_word_captions


def gather(spoken: str, timed: bool = True, gap_s: float = 0.5) -> list[tuple[float, float, str]]:
    """One row a line of ``spoken``, a word every half second, ``gap_s`` between rows."""
    words, at = [], 0.0
    for row, line in enumerate(spoken.split("\n")):
        for word in line.split():
            words.append(TimedWord(f" {word}", at, at + 0.5, row, row + 1))
            at += 0.5
        at += gap_s - 0.5
    collector = CaptionCollector("talk")
    add_word_captions(words, collector, timed=timed)
    return [(caption.span.start, caption.span.end, caption.text) for caption in collector.captions()]


def test_lines_without_punctuation_stay_lines():
    assert gather("we glue the\nwood and wait") == [(0.0, 1.5, "we glue the"), (1.5, 3.0, "wood and wait")]


def test_sentences_cross_lines_and_split_them():
    assert gather("We glue the\nwood. And wait.") == [
        (0.0, 2.0, "We glue the wood."),
        (2.0, 3.0, "And wait."),
    ]


@pytest.mark.parametrize(("words", "sentences"), [(40, True), (41, False)])
def test_one_sentence_in_forty_words_is_punctuation(words, sentences):
    first, *_ = [text for *_, text in gather("Go on." + " and" * (words - 2))]
    assert (first == "Go on.") == sentences


def test_lines_whose_words_have_no_times_are_not_split():
    assert gather("We glue the\nwood. And wait.", timed=False) == [
        (0.0, 1.5, "We glue the"),
        (1.5, 3.0, "wood. And wait."),
    ]


@pytest.mark.parametrize("stop", ["done.", "done?", "done!", "done…", 'done."', "done.)", "終。", "done.”"])
def test_what_ends_a_sentence(stop):
    assert [text for *_, text in gather(f"It is {stop} Then rest.")] == [f"It is {stop}", "Then rest."]


@pytest.mark.parametrize("going", ["3.5", "e.g", "...so", "well,"])
def test_what_ends_none(going):
    assert [text for *_, text in gather(f"It is {going} fine.")] == [f"It is {going} fine."]


def test_speakers_music_pauses_and_length_cut_too():
    assert [text for *_, text in gather("We glue >> why\nbecause.")] == ["We glue", ">> why because."]
    assert [text for *_, text in gather("We glue\n[Music]\nand wait.")] == ["We glue", "[Music]", "and wait."]
    assert [text for *_, text in gather("We glue\nand wait.", gap_s=2.6)] == ["We glue", "and wait."]
    long = "\n".join(["so on and on and on"] * 6) + "\nstop."
    pieces = gather(long)
    assert len(pieces) == 2
    assert pieces[0][1] - pieces[0][0] <= 18.5
    assert " ".join(text for *_, text in pieces).split() == long.split()


def test_no_words_no_captions():
    assert gather("") == []


@pytest.mark.parametrize(
    ("start", "end", "following", "captions"),
    [
        (1.0, 14.0, 14.0 + PAUSE_S, 1),
        (1.0, 13.0, 13.5 + PAUSE_S, 2),
        (1.0, 16.0, 16.0, 1),
        (1.0, 16.5, 16.5, 2),
        (20.0, 30.0, 30.0, 1),
    ],
)
def test_a_sentence_goes_on_in_the_next_line_within_fifteen_seconds_and_without_a_pause(
    start, end, following, captions
):
    words = [TimedWord("so", start, end, 0, 1), TimedWord(" on.", following, following + 1, 1, 2)]
    collector = CaptionCollector("talk")
    add_word_captions(words, collector, timed=True)
    assert len(collector.captions()) == captions
