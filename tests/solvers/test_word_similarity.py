"""Similar words are found through their keys exactly as by comparing all pairs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.solvers.word_similarity import similar_words, similarity, stem

words = st.text(alphabet="abinges", min_size=0, max_size=8)


@given(st.sets(words, max_size=12), st.sets(words, max_size=12))
def test_keys_find_what_comparing_all_pairs_finds(a, b):
    expected = {
        first: sorted((second, similarity(first, second)) for second in b if similarity(first, second))
        for first in a
        if first
    }
    assert similar_words(a, b) == expected


@given(words, words)
def test_similarity_is_symmetric_and_graded(a, b):
    assert similarity(a, b) == similarity(b, a)
    assert (similarity(a, b) == 4) == (a == b != "")


def left(word):
    """The word, and all that is left of it when one letter is taken out."""
    return {word} | {"".join(letter for n, letter in enumerate(word) if n != k) for k in range(len(word))}


@given(st.text(alphabet="xyz", max_size=8), st.text(alphabet="xyz", max_size=8))
def test_words_without_endings_are_alike_if_a_letter_less_of_each_is_the_same(a, b):
    misspelt = len(a) > 4 and len(b) > 4 and bool(left(a) & left(b))
    if stem(a) == a and stem(b) == b and a != b:
        assert similarity(a, b) == 2 * misspelt


@pytest.mark.parametrize(
    ("a", "b", "grade"),
    [
        ("walk", "walked", 3),
        ("walking", "walks", 3),
        ("friend", "freind", 2),
        ("colour", "color", 2),
        ("house", "mouse", 2),
        ("cat", "hat", 0),
        ("then", "when", 0),
        ("", "", 0),
        ("", "walk", 0),
        ("", "s", 0),
        ("moose", "mouse", 2),
        ("friend", "island", 0),
        ("aaaaa", "aaaaaa", 2),
        ("aaaaa", "aaaaaaa", 0),
        ("cats", "cat", 3),
    ],
)
def test_grades(a, b, grade):
    assert similarity(a, b) == grade


def test_a_stem_keeps_three_letters():
    assert stem("sing") == "sing"
    assert stem("singing") == "sing"
    assert stem("is") == "is"
    assert (stem("cats"), stem("goes"), stem("flies")) == ("cat", "goe", "fli")
