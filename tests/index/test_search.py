"""Scores of clips and hits, filters: each next to a plain computation."""

from __future__ import annotations

import numpy as np
import pytest

from sayso.core.errors import QueryError
from sayso.index import Index, search
from sayso.index.search import _by_id as by_id
from sayso.index.search import effort
from toy import ColourEncoder


def test_similarity_is_the_cosine_of_the_stored_vector(index):
    hits = index.search("red", merge=False, limit=50)
    from toy import COLOURS, ColourEncoder, direction

    query = ColourEncoder().encode_text(["red"])[0]
    by_name = {hit.title: hit.similarity for hit in hits}
    for title in ("white", "it's magenta"):
        colour = COLOURS["white" if title == "white" else "magenta"]
        assert by_name[title] == pytest.approx(float(direction(colour) @ query), abs=2e-2)
    assert np.all(np.diff([hit.score for hit in hits]) <= 0)


@pytest.mark.parametrize("merge", [False, True])
def test_what_hits_show_is_read_with_them_or_after_them(index, monkeypatch, merge):
    """Few clips with them, many after them; both say the same."""
    found = []
    for few in (100, 0):
        monkeypatch.setattr(search, "FEW", few)
        fresh = Index.open(index.store.address, ColourEncoder())
        looks = []
        monkeypatch.setattr(search, "_by_id", lambda table, looks=looks: looks.append(1) or by_id(table))
        found.append(fresh.search("red", merge=merge, limit=3))
        assert len(looks) == (few == 0)
    assert found[0] == found[1]
    assert [hit.path for hit in found[0]] == [hit.path for hit in index.search("red", merge=merge, limit=3)]


def test_a_few_clips_are_the_first_of_many(index):
    many = [hit.id for hit in index.search("red", merge=False, text_weight=0, limit=50)]
    for limit in (1, 2, 5):
        assert [hit.id for hit in index.search("red", merge=False, text_weight=0, limit=limit)] == many[
            :limit
        ]
    pages = [
        index.search("red", merge=False, text_weight=0, limit=2, offset=o) for o in range(0, len(many), 2)
    ]
    assert [hit.id for page in pages for hit in page] == many


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
