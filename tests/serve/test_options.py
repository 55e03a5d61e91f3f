"""Friendly filters become one that means the same, whatever is typed."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from sayso.serve.options import Filters, Similar, TextSearch


def test_no_filter_is_none():
    assert Filters().together() is None
    assert Filters(filter="   ").together() is None


def test_all_filters_hold_together():
    wanted = Filters(
        kind="video",
        path="a",
        title="b'c",
        min_duration_s=1,
        max_duration_s=2.5,
        media_id="m",
        filter="start_s > 3 or end_s = 1",
    )
    assert wanted.together() == (
        "(kind = 'video') and (path contains 'a') and (title contains 'b''c') and (duration_s >= 1.0)"
        " and (duration_s <= 2.5) and (media_id = 'm') and (start_s > 3 or end_s = 1)"
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"min_duration_s": -1},
        {"max_duration_s": float("inf")},
        {"kind": "audio"},
        {"path": 1001 * "x"},
        {"q": 1001 * "x"},
        {"sort": "age"},
        {"limit": 0},
        {"limit": 501},
        {"text_weight": -0.1},
        {"min_score": float("nan")},
    ],
)
def test_what_makes_no_sense_is_refused(fields):
    with pytest.raises(ValidationError):
        TextSearch(**{"q": "x", **fields})


def test_a_search_for_similar_clips_takes_the_same_filters():
    assert Filters.model_fields.keys() < Similar.model_fields.keys() < TextSearch.model_fields.keys()
