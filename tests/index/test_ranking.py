"""One score from pictures and words, next to a plain computation, and rankings that go on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import toy
from sayso import Index
from sayso.core.errors import QueryError
from sayso.index.ranking import choose_text_weight, combine
from sayso.index.search import Candidate, Member

SHARE = st.floats(0, 1)


def clip(k: int, visual: float | None = None, spoken: float | None = None) -> Candidate:
    times = {"start_s": 4.0 * k, "end_s": 4.0 * k + 4, "best_s": 4.0 * k + 2, "score": 0.0}
    id_ = f"m-{k}"
    found = Candidate(
        id=id_, media_id="m", **times, visual=visual, similarity=visual, members=(Member(id_, k),)
    )
    return replace(found, spoken=spoken, bm25=spoken)


@given(st.dictionaries(st.integers(0, 9), SHARE), st.dictionaries(st.integers(0, 9), SHARE), st.floats(0, 1))
def test_the_score_is_one_minus_what_neither_explains(visual, spoken, weight):
    found = combine(
        [clip(k, value) for k, value in visual.items()],
        [clip(k, spoken=value) for k, value in spoken.items()],
        weight,
    )
    by_id = {int(one.id[2:]): one for one in found}
    assert by_id.keys() == visual.keys() | spoken.keys()
    for k, one in by_id.items():
        seen = visual.get(k, 0.0) * min(1, 2 - 2 * weight)
        said = spoken.get(k, 0.0) * min(1, 2 * weight)
        assert one.score == pytest.approx(1 - (1 - seen) * (1 - said))
        assert (one.visual, one.spoken) == (visual.get(k), spoken.get(k))
    scores = [one.score for one in found]
    assert scores == sorted(scores, reverse=True)


@given(st.lists(SHARE, max_size=20))
def test_clips_without_words_are_never_punished(values):
    clips = [clip(k, value) for k, value in enumerate(values)]
    for weight in (0.0, 0.3, 0.5):
        assert [one.score for one in combine(clips, [], weight)] == sorted(values, reverse=True)


def test_weights_outside_0_to_1_are_refused():
    assert choose_text_weight(None, "") == choose_text_weight(0.7, "") == 0
    assert (choose_text_weight(None, "x"), choose_text_weight(0.7, "x")) == (0.5, 0.7)
    for weight in (-0.1, 1.1):
        with pytest.raises(QueryError, match="0 to 1"):
            choose_text_weight(weight, "x")


@pytest.fixture
def spoken(tmp_path, media):
    (media / "rbg.vtt").write_text(
        "WEBVTT\n\n00:00.000 --> 00:04.000\nthe sand between my toes\n\n"
        "00:04.500 --> 00:08.000\nmorning on the beach\n"
    )
    index = Index.open(tmp_path / "spoken.index", toy.ColourEncoder())
    assert not index.add(media).failures
    return index


def scores(hits):
    return [(hit.id, hit.score, hit.visual) for hit in hits]


@pytest.mark.parametrize("query", ["red xyzzy", "blue", "cyan carpet and the", "the"])
def test_words_that_nobody_says_leave_the_visual_ranking_untouched(spoken, query):
    seen = spoken.search(query, text_weight=0)
    assert scores(spoken.search(query)) == scores(seen)
    assert len(seen) > 3
    assert all(hit.spoken is None and hit.score == hit.visual for hit in seen)


def test_what_is_said_is_found_though_nothing_looks_like_it(spoken):
    hit = spoken.search("sand between toes", filter="kind = 'video'")[0]
    assert hit.spoken == pytest.approx(1)
    assert (hit.title, hit.start_s, hit.likely) == ("rbg", 0, True)
    assert hit.score == pytest.approx(1 - (1 - hit.visual) * (1 - hit.spoken))
    part = next(hit for hit in spoken.search("sand xyzzy", text_weight=1))
    assert 0.01 < part.spoken < 0.5, "half of the words are a guess"
    assert not part.likely
    assert part.visual is None


def test_a_caption_file_does_not_change_what_pictures_score(spoken, index):
    def without(hits):
        return [(hit.title, round(hit.score, 6)) for hit in hits]

    for query in ("red", "yellow white", "magenta"):
        assert without(spoken.search(query)) == without(index.search(query))


@pytest.mark.parametrize("options", [{}, {"by_file": True}, {"merge": False}, {"min_score": 0.0}])
def test_a_ranking_goes_on_where_it_stopped(index, options):
    whole = index.search("red + blue", limit=50, **options)
    fresh = Index.open(index.store.address, toy.ColourEncoder())
    parts = [hit for k in range(0, 50, 2) for hit in fresh.search("red + blue", limit=2, offset=k, **options)]
    assert [hit.id for hit in parts] == [hit.id for hit in whole]
    assert len({hit.id for hit in whole}) == len(whole) > 2


def test_grouping_by_file_keeps_the_best_moment_of_each(index):
    moments = index.search("red + green", limit=50)
    grouped = index.search("red + green", limit=50, by_file=True)
    assert [hit.id for hit in grouped] == [
        next(hit.id for hit in moments if hit.media_id == media)
        for media in dict.fromkeys(hit.media_id for hit in moments)
    ]
    assert {hit.title: hit.moments for hit in grouped}["rbg"] == sum(hit.title == "rbg" for hit in moments)


def test_scores_stay_in_0_to_1_and_min_score_works_on_them(index):
    hits = index.search("red", limit=50)
    assert all(0 <= hit.score <= 1 for hit in hits)
    assert np.all(np.diff([hit.score for hit in hits]) <= 0)
    assert hits[0].likely
    assert not index.search("nothing of that", limit=1)[0].likely
    middle = (hits[0].score + hits[-1].score) / 2
    passing = index.search("red", limit=50, min_score=middle)
    assert [hit.id for hit in passing] == [hit.id for hit in hits if hit.score >= middle]
