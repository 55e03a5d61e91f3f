"""Pieces of SQL hold whatever text is put into them."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from sayso.index.sql import sql_contains, sql_in, sql_string


@given(st.text())
def test_a_quoted_text_stays_inside_its_quotes(text):
    literal = sql_string(text)
    assert literal[0] == literal[-1] == "'"
    assert literal[1:-1].replace("''", "") == text.replace("'", "")
    assert literal[1:-1].count("'") == 2 * text.count("'")


def test_one_of_some_values():
    assert sql_in("id", ["a", "b'c"]) == "id IN ('a', 'b''c')"


@settings(deadline=None, max_examples=40)
@given(st.text(alphabet=st.sampled_from("ab%_'\"\\ .éÉßİ()-;T"), min_size=1, max_size=6))
def test_contains_means_what_python_means(index, text):
    table = index.store.media.search()
    rows = table.where(sql_contains("path", text)).select(["path"]).to_arrow().column("path").to_pylist()
    everything = index.store.media.search().select(["path"]).to_arrow().column("path").to_pylist()
    assert sorted(rows) == sorted(path for path in everything if text.lower() in path.lower())
