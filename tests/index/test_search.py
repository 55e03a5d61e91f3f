"""Fusing two rankings and merging neighbours, each next to a plain computation."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.core.errors import QueryError
from sayso.index.search import Candidate, fuse, merge_neighbours


def clip(k: int, score: float, media: str = "m") -> Candidate:
    times = {"start_s": 4.0 * k, "end_s": 4.0 * k + 4, "best_s": 4.0 * k + 2}
    id_ = f"{media}-{k}"
    return Candidate(id=id_, media_id=media, **times, score=score, visual_score=score, members=((id_, k),))


def ranked(hits):
    return sorted(hits, key=lambda hit: -hit.score)


@given(
    st.lists(st.integers(0, 30), unique=True, max_size=20),
    st.lists(st.integers(0, 30), unique=True, max_size=20),
    st.floats(0.01, 0.99),
)
def test_fusion_is_reciprocal_rank_by_hand(visual, text, weight):
    hits = fuse(
        [clip(k, 0.5) for k in visual],
        [replace(clip(k, 3.0), visual_score=None, text_score=3.0) for k in text],
        weight,
    )
    expected = {}
    for k in {*visual, *text}:
        gain = (1 - weight) / (60 + visual.index(k) + 1) if k in visual else 0
        gain += weight / (60 + text.index(k) + 1) if k in text else 0
        expected[f"m-{k}"] = gain * 61
    assert {hit.id: hit.score for hit in hits} == pytest.approx(expected)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    for hit in hits:
        assert (hit.visual_score is not None) == (int(hit.id[2:]) in visual)
        assert (hit.text_score is not None) == (int(hit.id[2:]) in text)


def test_neighbours_that_match_are_one_moment_and_the_rest_of_the_video_is_not():
    scores = [0.1, 0.1, 0.8, 0.9, 0.1, 0.1, 0.7, 0.1]
    moments = merge_neighbours(ranked([clip(k, score) for k, score in enumerate(scores)]))
    assert [(hit.start_s, hit.end_s, hit.best_s) for hit in moments[:2]] == [(8, 16, 14), (24, 28, 26)]
    assert moments[0].id == "m-3"


def test_other_videos_are_never_merged():
    hits = [clip(0, 0.9, "a"), clip(1, 0.9, "b"), clip(2, 0.9, "c"), clip(1, 0.1, "z")]
    assert len(merge_neighbours(ranked(hits))) == 4


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 25), st.floats(-1, 1, width=32)), max_size=60))
def test_moments_hold_every_clip_once_and_keep_the_best_first(drawn):
    hits = ranked({(m, k): clip(k, score, str(m)) for m, k, score in drawn}.values())
    moments = merge_neighbours(hits)
    assert [hit.score for hit in moments] == sorted((hit.score for hit in moments), reverse=True)
    spans = sorted((m.media_id, m.start_s, m.end_s) for m in moments)
    for (media, _, end), (other, start, _) in pairwise(spans):
        assert media != other or end <= start, "moments of one video overlap"
    members = [member for moment in moments for member, _ in moment.members]
    assert sorted(members) == sorted(hit.id for hit in hits)
    for moment in moments:
        assert moment.end_s - moment.start_s == 4 * len(moment.members)
    if hits:
        assert moments[0].id == hits[0].id


def test_similarity_is_the_cosine_of_the_stored_vector(index):
    hits = index.search("red", merge=False, limit=50)
    from toy import COLOURS, ColourEncoder, direction

    query = ColourEncoder().encode_text(["red"])[0]
    by_name = {hit.title: hit.score for hit in hits}
    for title in ("white", "it's magenta"):
        colour = COLOURS["white" if title == "white" else "magenta"]
        assert by_name[title] == pytest.approx(float(direction(colour) @ query), abs=2e-2)
    assert np.all(np.diff([hit.score for hit in hits]) <= 0)


def test_filters_are_sql_over_the_columns(index):
    found = index.search("red", filter="kind = 'picture' AND path LIKE '%sub%'")
    assert [hit.title for hit in found] == ["it's magenta"]
    assert {hit.title for hit in index.search("red", filter="duration_s > 8")} == {"rbg"}
    with pytest.raises(QueryError, match="of the columns path, title"):
        index.search("red", filter="colour = 'red'")
