"""What a person types becomes terms, and terms become one vector."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import toy
from sayso.core.errors import MediaError, QueryError
from sayso.index.kept import Kept
from sayso.index.query import Term, embed_file, embed_query, parse_query, text_of

encoder = toy.ColourEncoder()


@pytest.mark.parametrize(
    ("query", "terms"),
    [
        ("a dog on a beach", [Term(1, text="a dog on a beach")]),
        ("2:dog + beach - night", [Term(2, text="dog"), Term(1, text="beach"), Term(-1, text="night")]),
        ("dog + 0.5:golden retriever", [Term(1, text="dog"), Term(0.5, text="golden retriever")]),
        ("- night + day", [Term(-1, text="night"), Term(1, text="day")]),
        ("a t-shirt with a C+ sign", [Term(1, text="a t-shirt with a C+ sign")]),
        ('"man - in - black" + hat', [Term(1, text="man - in - black"), Term(1, text="hat")]),
        ("the 12:30 train", [Term(1, text="the 12:30 train")]),
        ("12:30 train", [Term(1, text="12:30 train")]),
        (
            "dog + ./pool.jpg - 2:./talk.mp4@12.5",
            [Term(1, text="dog"), Term(1, file="./pool.jpg"), Term(-2, file="./talk.mp4@12.5")],
        ),
    ],
)
def test_a_query_is_a_sum_of_terms(query, terms):
    assert parse_query(query) == terms


@pytest.mark.parametrize("query", ["dog + ", "dog - - cat", " + "])
def test_an_empty_term_is_an_error_that_shows_how(query):
    with pytest.raises(QueryError, match="empty term"):
        parse_query(query)


def test_files_of_this_machine_are_texts_where_they_are_not_allowed(tmp_path):
    picture = toy.make_picture(tmp_path / "red.png", "red")
    assert parse_query(str(picture), files=False) == [Term(1, text=str(picture))]
    assert parse_query(str(picture)) == [Term(1, file=str(picture))]


@given(st.text(max_size=60))
def test_any_text_is_terms_or_an_error(query):
    try:
        terms = parse_query(query, files=False)
    except QueryError:
        return
    assert terms


def test_only_what_is_wanted_is_looked_for_in_the_words():
    assert text_of(parse_query("glue + wood - nails")) == "glue wood"


def test_the_vector_is_the_weighted_sum_of_the_embeddings(tmp_path):
    picture = toy.make_picture(tmp_path / "blue.png", "blue")
    ours = embed_query(parse_query(f"2:red + {picture} - green"), encoder)
    red, green, blue = (toy.direction(toy.COLOURS[name]) for name in ("red", "green", "blue"))
    expected = 2 * red + blue - green
    np.testing.assert_allclose(ours, expected / np.linalg.norm(expected), atol=1e-5)


def test_of_a_long_sum_one_vector_is_kept_and_not_made_again():
    asked = []

    class Counting(toy.ColourEncoder):
        def encode_text(self, texts):
            asked.append(list(texts))
            return super().encode_text(texts)

    kept, sums = Kept(8), ["red + green + blue", "2:red + green + blue", "red + green + blue"]
    first, heavier, again = (embed_query(parse_query(one), Counting(), kept=kept) for one in sums)
    assert len(asked) == 2
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, heavier)
    assert kept.get(tuple(parse_query(sums[0])), list).shape == (Counting().dim,)


def test_a_clip_is_looked_at_around_its_second(tmp_path):
    video = toy.make_video(tmp_path / "rbg.mp4", ["red", "blue", "green"])
    for second, colour in ((2, "red"), (6, "blue"), (10, "green")):
        vector = embed_query([], encoder, like=f"{video}@{second}")
        assert vector @ toy.direction(toy.COLOURS[colour]) > 0.99


def test_a_stretch_of_a_video_is_told_to_be_one_second_in_a_query():
    with pytest.raises(MediaError, match=r"a query takes one second of a video: talk.mp4@12.5$"):
        embed_file("talk.mp4@12.5-16", encoder)


def test_terms_that_cancel_out_and_files_that_are_not_there_are_told(tmp_path):
    with pytest.raises(QueryError, match="cancel"):
        embed_query(parse_query("red - red"), encoder)
    with pytest.raises(MediaError, match="there is nothing at"):
        embed_query(parse_query("./nowhere.jpg"), encoder)
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff\xe0 broken")
    with pytest.raises(MediaError, match="cannot be read"):
        embed_query([], encoder, like=str(broken))
