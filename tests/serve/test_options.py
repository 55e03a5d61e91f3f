"""Friendly filters become SQL that means the same, whatever is typed."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from sayso.serve.options import Filters, Similar, TextSearch, contains, quoted


def test_no_filter_is_no_sql():
    assert Filters().sql() is None
    assert Filters(where="   ").sql() is None


def test_all_filters_hold_together():
    wanted = Filters(
        kind="video",
        path="a",
        title="b'c",
        min_duration=1,
        max_duration=2.5,
        media="m",
        where="start_s > 3 OR 1=1",
    )
    assert wanted.sql() == (
        "kind = 'video' AND strpos(lower(path), 'a') > 0 AND strpos(lower(title), 'b''c') > 0"
        " AND duration >= 1.0 AND duration <= 2.5 AND media_id = 'm' AND (start_s > 3 OR 1=1)"
    )


@given(st.text())
def test_a_quoted_text_stays_inside_its_quotes(text):
    literal = quoted(text)
    assert literal[0] == literal[-1] == "'"
    assert literal[1:-1].replace("''", "") == text.replace("'", "")
    assert literal[1:-1].count("'") == 2 * text.count("'")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(st.text(alphabet=st.sampled_from("ab%_'\"\\ .éÉßİ()-;T"), min_size=1, max_size=6))
def test_contains_means_what_python_means(site, text):
    table = site.index.store.media.search()
    rows = table.where(contains("path", text)).select(["path"]).to_arrow().column("path").to_pylist()
    everything = site.index.store.media.search().select(["path"]).to_arrow().column("path").to_pylist()
    assert sorted(rows) == sorted(path for path in everything if text.lower() in path.lower())


@pytest.mark.parametrize(
    "fields",
    [
        {"min_duration": -1},
        {"max_duration": float("inf")},
        {"kind": "audio"},
        {"path": 1001 * "x"},
        {"q": ""},
        {"limit": 0},
        {"limit": 501},
        {"said": -0.1},
        {"min_score": float("nan")},
    ],
)
def test_what_makes_no_sense_is_refused(fields):
    with pytest.raises(ValidationError):
        TextSearch(**{"q": "x", **fields})


def test_a_search_for_similar_clips_takes_the_same_filters():
    assert Filters.model_fields.keys() < Similar.model_fields.keys() < TextSearch.model_fields.keys()
