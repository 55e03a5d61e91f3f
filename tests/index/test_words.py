"""How relevant words are, next to a plain count."""

from __future__ import annotations

import math

import pytest

import toy
from sayso import Index
from sayso.index.words import FUNCTION_WORDS, SHARPNESS, content_words, search_text

LINES = [
    "we glue the old wood",
    "wood is painted red",
    "nobody told me about the boat",
    "the boat sank and the wood floated",
]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("words")
    toy.make_video(folder / "talk.mp4", ["red", "blue", "green", "white", "black"])
    said = [*LINES, " ".join(sorted(FUNCTION_WORDS))]
    cues = [
        f"{k}\n00:00:{4 * k:02},100 --> 00:00:{4 * k + 3:02},900\n{line}\n" for k, line in enumerate(said)
    ]
    (folder / "talk.srt").write_text("\n".join(cues))
    index = Index.open(folder / "x.index", toy.ColourEncoder())
    index.add(folder)
    return index.store


def spoken(store, words):
    return {round(clip.start_s / 4): clip.spoken for clip in search_text(store, words, 50, None, None)}


@pytest.mark.parametrize("query", ["glue wood", "the boat and wood", "painted boat xyzzy", "wood"])
def test_relevance_is_the_share_of_the_words_by_their_rarity(store, query):
    words = [word for word in query.split() if word not in ("the", "and")]
    holding = {word: {k for k, line in enumerate(LINES) if word in line} for word in words}
    rarity = {word: math.log(1 + (5 - len(h) + 0.5) / (len(h) + 0.5)) for word, h in holding.items()}
    expected = {
        k: (sum(rarity[w] for w in words if k in holding[w]) / sum(rarity.values())) ** SHARPNESS
        for k in set().union(*holding.values())
    }
    assert spoken(store, query) == pytest.approx(expected)


@pytest.mark.parametrize(
    "query", ["red painting on woods", "WOOD, painted RED!", "what is it about the red paint"]
)
def test_forms_of_words_and_words_that_ask_for_nothing_cost_nothing(store, query):
    assert spoken(store, query)[1] == pytest.approx(1)


def test_every_word_that_the_full_text_index_leaves_out_asks_for_nothing(store):
    from lancedb.query import MatchQuery

    common = "about after again all am because between my myself only our same very you your while don can"
    for word in common.split():
        rows = store.clips.search(MatchQuery(word, "text"), query_type="fts").limit(5).to_arrow()
        assert len(rows) or word in FUNCTION_WORDS, word


def test_a_query_of_such_words_alone_still_asks_for_them():
    assert content_words("Who is it?") == ["who", "is", "it"]
    assert content_words("the Boat, the boat") == ["boat"]
    assert content_words("") == []


def test_words_that_nobody_says_find_nothing(store):
    assert search_text(store, "xyzzy", 50, None, None) == []
    assert search_text(store, "  ", 50, None, None) == []
