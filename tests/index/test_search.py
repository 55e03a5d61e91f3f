"""Scores of clips and hits, filters: each next to a plain computation."""

from __future__ import annotations

import numpy as np
import pytest

from sayso.core.errors import QueryError
from sayso.index.search import effort


def test_similarity_is_the_cosine_of_the_stored_vector(index):
    hits = index.search("red", merge=False, limit=50)
    from toy import COLOURS, ColourEncoder, direction

    query = ColourEncoder().encode_text(["red"])[0]
    by_name = {hit.title: hit.similarity for hit in hits}
    for title in ("white", "it's magenta"):
        colour = COLOURS["white" if title == "white" else "magenta"]
        assert by_name[title] == pytest.approx(float(direction(colour) @ query), abs=2e-2)
    assert np.all(np.diff([hit.score for hit in hits]) <= 0)


def test_filters_are_conditions_over_the_columns(index):
    found = index.search("red", filter="kind = 'picture' AND path LIKE '%sub%'")
    assert [hit.title for hit in found] == ["it's magenta"]
    assert {hit.title for hit in index.search("red", filter="duration_s > 8")} == {"rbg"}
    with pytest.raises(QueryError, match="of the columns path, title"):
        index.search("red", filter="colour = 'red'")


def test_a_large_index_is_searched_with_more_effort_and_no_other():
    assert effort(0) == effort(1_000_000) == (20, 200)
    assert effort(16_000_000) == (40, 400)
    efforts = [effort(10**k) for k in range(5, 10)]
    assert efforts == sorted(efforts)
