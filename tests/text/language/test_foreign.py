"""Queries in other languages with Latin letters are told from English ones, names and loans."""

from __future__ import annotations

import pytest

from sayso.text.language.foreign import foreign_words


@pytest.mark.parametrize(
    "query",
    [
        "ein Junge mit einem Drachen",
        "Regen über der Stadt",
        "une vache dans un champ",
        "le pain sur la planche",
        "un tren entre las casas",
        "la lluvia de la tarde",
        "een kind op een schommel",
        "due gatti nella scatola",
        "uma menina com um guarda-chuva",
        "två fåglar på ett tak",
    ],
)
def test_little_words_tell(query):
    assert foreign_words(query)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "2024",
        "a dog on the beach",
        "pour milk into a bowl",
        "pour milk",
        "I've met Uma Thurman",
        "Che Guevara",
        "die on a table",
        "hat",
        "La La Land",
        "Rio de Janeiro at night",
        "El Niño",
        "UN assembly",
        "der spiegel on a table in the kitchen",
        "man with a van in Las Vegas",
        "en route to Los Angeles",
    ],
)
def test_english_with_names_and_loans_is_english(query):
    assert foreign_words(query) == []


def test_words_that_are_spelled_out_tell_beside_others_but_a_rare_english_word_does_not():
    spelled = {"zwiebeln": 4, "schneiden": 4, "skateboarder": 3, "ouzel": 2, "hund": 2}
    assert foreign_words("Zwiebeln schneiden", lambda word: spelled.get(word, 1)) == ["zwiebeln", "schneiden"]
    assert foreign_words("Hund am Strand", lambda word: spelled.get(word, 1)) == ["hund", "am"]
    for query in ("skateboarder", "water ouzel", "an ouzel", "zwiebeln"):
        assert foreign_words(query, lambda word: spelled.get(word, 1)) == [], query
