"""Words come out as they sound, with the characters they were written with."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.text.language.spoken import fold_word, spell_number, spoken_tokens


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don't -- you DARE!", "dont you dare"),
        ("Mr. Börn-Öppenheimer’s café", "mr born oppenheimers cafe"),
        ("I'm 21, not 300.", "im twenty one not three hundred"),
        ("the 21st", "the 21st"),
        ("東京 tower", "東 京 tower"),
        ("... ♪ --", ""),
    ],
)
def test_tokens(text, expected):
    assert " ".join(token.word for token in spoken_tokens(text)) == expected


@given(st.text(max_size=60))
def test_any_text_gives_folded_words_in_order(text):
    found = spoken_tokens(text)
    assert all(token.word and fold_word(token.word) == token.word for token in found)
    assert all(text[token.start : token.end] for token in found)
    assert all(
        one.end <= two.start or (one.start, one.end) == (two.start, two.end)
        for one, two in itertools.pairwise(found)
    )


@given(st.integers(0, 999_999))
def test_numbers_are_spelt_as_they_add_up(number):
    value = {
        word: k
        for k, word in enumerate(
            [
                "zero",
                "one",
                "two",
                "three",
                "four",
                "five",
                "six",
                "seven",
                "eight",
                "nine",
                "ten",
                "eleven",
                "twelve",
                "thirteen",
                "fourteen",
                "fifteen",
                "sixteen",
                "seventeen",
                "eighteen",
                "nineteen",
            ]
        )
    }
    value |= {
        word: 10 * k
        for k, word in enumerate(
            ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], 2
        )
    }
    total = part = 0
    for word in spell_number(number):
        if word == "thousand":
            total, part = part * 1000, 0
        else:
            part = part * 100 if word == "hundred" else part + value[word]
    assert total + part == number
