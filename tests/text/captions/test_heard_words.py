"""Captions from words: cut at pauses, never longer than ten words or five seconds, no word lost."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.text.captions.heard_words import BREATH_S, MOST_S, MOST_WORDS, HeardWord, caption_words


def said(text: str, start: float = 0.0, each_s: float = 0.3) -> list[HeardWord]:
    return [
        HeardWord(word, start + k * each_s, start + (k + 1) * each_s) for k, word in enumerate(text.split())
    ]


lengths = st.lists(
    st.tuples(st.floats(0, 1.5), st.floats(0.01, 1.2), st.sampled_from(["go", "on.", "now,", "so"])),
    max_size=80,
)


@given(lengths)
def test_captions_hold_every_word_once_in_time_and_are_short(parts):
    words, at = [], 0.0
    for gap, length, text in parts:
        words.append(HeardWord(text, at + gap, at + gap + length))
        at += gap + length
    captions = caption_words(words)
    assert " ".join(caption.text for caption in captions) == " ".join(word.text for word in words)
    first = 0
    for caption in captions:
        group = words[first : first + len(caption.text.split())]
        first += len(group)
        assert len(group) <= MOST_WORDS
        assert caption.span.duration <= MOST_S + 1e-9
        assert caption.span.start == group[0].start
        assert all(after.start - word.end < BREATH_S for word, after in pairwise(group))


def test_a_pause_parts_captions_and_nothing_else_does_where_they_are_short():
    words = [*said("pour the water"), *said("then stir", start=0.9 + BREATH_S)]
    assert [caption.text for caption in caption_words(words)] == ["pour the water", "then stir"]
    words = [*said("pour the water"), *said("then stir", start=0.9 + 0.4)]
    assert [caption.text for caption in caption_words(words)] == ["pour the water then stir"]


def test_what_is_too_long_is_cut_after_a_sentence_rather_than_after_ten_words():
    captions = caption_words(said("put the lid on the pot now. turn the heat down and wait"))
    assert [caption.text for caption in captions] == [
        "put the lid on the pot now.",
        "turn the heat down and wait",
    ]


def test_languages_without_spaces_get_none():
    words = [HeardWord(text, k * 0.3, k * 0.3 + 0.3, spaced=False) for k, text in enumerate("水を注ぐ")]
    assert [caption.text for caption in caption_words(words)] == ["水を注ぐ"]


def test_a_word_that_is_said_to_last_for_minutes_does_not_stay_on_the_screen():
    (caption,) = caption_words([HeardWord("well", 3.0, 90.0)])
    assert (caption.span.start, caption.span.end) == (3.0, 3.0 + MOST_S)


def gaps(count: int, after: int, gap_s: float) -> list[HeardWord]:
    """Return words of a quarter second, with one gap."""
    return [
        HeardWord("go", 0.25 * k + gap_s * (k >= after), 0.25 * (k + 1) + gap_s * (k >= after))
        for k in range(count)
    ]


def lengths_of(words: list[HeardWord]) -> list[int]:
    return [len(caption.text.split()) for caption in caption_words(words)]


@pytest.mark.parametrize(("gap_s", "captions"), [(0.59, [4]), (BREATH_S, [2, 2])])
def test_a_silence_as_long_as_a_breath_parts_captions(gap_s, captions):
    words = [HeardWord("go", 0, 0), HeardWord("go", 0, 0), *said("on on", start=gap_s)]
    assert lengths_of(words) == captions


@pytest.mark.parametrize(
    ("words", "captions"),
    [
        (gaps(10, 0, 0), [10]),
        (gaps(12, 0, 0), [6, 6]),
        (gaps(12, 5, 0.5), [5, 7]),
        (gaps(12, 5, 0.1), [6, 6]),
        ([HeardWord("go", 0, 2.5), HeardWord("on", 2.5, 5.0)], [2]),
        ([HeardWord("go", 0, 2.5), HeardWord("on", 2.5, 5.1)], [1, 1]),
        (said("so now. " + "go " * 10, each_s=0.25), [6, 6]),
        (said("so go on now. " + "go " * 8, each_s=0.25), [4, 8]),
    ],
)
def test_what_is_too_long_is_cut_at_a_silence_or_a_sentence_near_the_middle(words, captions):
    """Ten words and five seconds are not too long; a sentence makes up for three tenths of the words."""
    assert lengths_of(words) == captions
