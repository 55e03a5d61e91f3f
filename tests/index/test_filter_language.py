"""Filters mean what SQL means by them, and nothing but filters gets through."""

from __future__ import annotations

import sqlite3

import lancedb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayso.core.errors import QueryError, TooSlow
from sayso.index.filter_language import DEEPEST, MOST_LETTERS, MOST_TOKENS, both, filter_sql
from sayso.index.timed import read_rows

ROWS = [
    {"n": k, "title": title, "kind": kind, "duration_s": duration, "start_s": start, "latitude": latitude}
    for k, (title, kind, duration, start, latitude) in enumerate(
        [
            ("a beach", "video", 61.0, 0.0, None),
            ("it's B%", "video", 12.5, 4.0, -48.25),
            ("A_beach", "picture", None, 0.0, 48.25),
            (None, "picture", None, 1e-7, 0.0),
            ("", "video", 1e9, 61.0, 90.0),
        ]
    )
]
TEXTS = st.sampled_from(["a beach", "it's B%", "A_%", "%beach", "", "video", "_", "100%"])
QUOTED = TEXTS.map(lambda text: "'" + text.replace("'", "''") + "'")
NUMBERS = st.sampled_from(["0", "61", "-48.25", "12.5", "1e-7", "1e9", "48.250", "+4"])
SIGNS = st.sampled_from(["=", "!=", "<>", "<", "<=", ">", ">="])
PIECES = [*"()=<,3", "not", "and", "or", "in", "'x'", "kind"]
NOT = st.sampled_from(["", "not ", "NOT "])


def _tests(columns: list[str], values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    column = st.sampled_from(columns)
    listed = st.lists(values, min_size=1, max_size=3).map(", ".join)
    return st.one_of(
        st.builds("{} {} {}".format, column, SIGNS, values),
        st.builds("{} {} {}".format, values, SIGNS, column),
        st.builds("{} {} {}".format, column, SIGNS, column),
        st.builds("{} is {}null".format, column, NOT),
        st.builds("{} {}in ({})".format, column, NOT, listed),
        st.builds("{} {}between {} and {}".format, column, NOT, values, values),
    )


LIKE = st.builds("{} {}like {}".format, st.sampled_from(["title", "kind"]), NOT, QUOTED)
ONE = st.one_of(
    _tests(["title", "kind"], QUOTED), _tests(["duration_s", "start_s", "latitude"], NUMBERS), LIKE
)
FILTERS = st.recursive(
    ONE,
    lambda inner: st.one_of(
        st.builds("{} and {}".format, inner, inner),
        st.builds("{} OR {}".format, inner, inner),
        st.builds("not ({})".format, inner),
        st.builds("({})".format, inner),
    ),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def engines(tmp_path_factory):
    """The same rows in SQLite, which reads what was typed, and in LanceDB, which reads what became of it."""
    plain = sqlite3.connect(":memory:")
    plain.execute("PRAGMA case_sensitive_like = ON")
    plain.execute("CREATE TABLE t (n, title TEXT, kind TEXT, duration_s REAL, start_s REAL, latitude REAL)")
    plain.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?)", [tuple(row.values()) for row in ROWS])
    table = lancedb.connect(tmp_path_factory.mktemp("rows")).create_table("t", pa.Table.from_pylist(ROWS))
    return plain, table


def passing(table, sql):
    return sorted(read_rows(table.search().where(sql).select(["n"]).limit(9))["n"].to_pylist())


@settings(max_examples=120, deadline=None)
@given(FILTERS)
def test_a_filter_passes_what_another_database_lets_pass(engines, text):
    plain, table = engines
    expected = [n for (n,) in plain.execute(f"SELECT n FROM t WHERE {text} ORDER BY n")]
    assert passing(table, filter_sql(text)) == expected


def test_contains_takes_no_wildcards_and_any_case(engines):
    assert passing(engines[1], filter_sql("title contains 'BEACH'")) == [0, 2]
    assert passing(engines[1], filter_sql("title contains '_'")) == [2]
    assert passing(engines[1], filter_sql("title ilike '%BEACH'")) == [0, 2]
    assert passing(engines[1], filter_sql("not true or false")) == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("lpad('x', 2147483647, 'y') = title", "no column lpad"),
        ("title in (select 1)", "no column select"),
        ("duration_s + 1 > 2", "means nothing here"),
        ("kind = video", "between quotes"),
        ("kind = 3", "kind is a text"),
        ("duration_s > '3'", "duration_s is a number"),
        ("duration_s = title", "duration_s is a number"),
        ("kind = 'video", "not closed"),
        ("kind = 'video') or (true", "should"),
        ("(kind = 'video'", "missing"),
        ("kind = 'video' kind", "should"),
        ("kind", "comparison"),
        ("1 = 1", "no column"),
        ("duration_s > 1" + 400 * "0", "too large"),
        ("duration_s like '3'", "no condition"),
        ("title not null", "no condition"),
        ("kind = '\ud800'", "half a character"),
        ((DEEPEST + 1) * "(" + "true" + (DEEPEST + 1) * ")", "nested"),
        ("--", "means nothing"),
        ("true; drop table clips", "means nothing"),
        ('"no such" = 1', "no column"),
        ("shown = 'x'", "no column"),
        ("kind , 'x'", "a comparison should"),
        ("kind ( 'x')", "a comparison should"),
        ("kind =", "compared with nothing"),
        ("kind = )", "compared with nothing"),
        ("kind = and", "compared with nothing"),
        ("kind in ('a', kind)", "a text or a number should"),
    ],
)
def test_what_is_no_filter_is_one_sentence(text, why):
    with pytest.raises(QueryError, match=why):
        filter_sql(text)


@settings(max_examples=100, deadline=None)
@given(
    st.one_of(
        st.text(max_size=40),
        st.lists(
            st.sampled_from(["(", ")", "not", "and", "or", "in", "'x'", "3", "=", "kind", ",", "<"]),
            max_size=30,
        ).map(" ".join),
    )
)
def test_whatever_is_typed_is_a_filter_or_one_sentence(text):
    try:
        sql = filter_sql(text)
    except QueryError:
        return
    assert sql is None or filter_sql(sql.replace("NULL", "null")) is not None


def test_a_thousand_conditions_make_no_deep_tree(engines):
    for word in ("or", "and"):
        text = f" {word} ".join(f"start_s != {1000 + k}" for k in range(2000))
        sql = filter_sql(text)
        depths = [0]
        for letter in sql:
            depths.append(depths[-1] + (letter == "(") - (letter == ")"))
        assert max(depths) < 14
        assert passing(engines[1], sql) == [0, 1, 2, 3, 4]


def test_brackets_do_not_reach_from_one_filter_into_another():
    assert both(None, " ", "kind = 'video'") == "kind = 'video'"
    assert both() is None
    with pytest.raises(QueryError):
        both("id != 'x'", "true) or (true")


def test_a_query_that_takes_too_long_is_ended(engines):
    slow = engines[1].search().where("title != lpad('x', 30000000, 'y')")
    with pytest.raises(TooSlow, match="took longer than"):
        read_rows(slow, longest_s=0.001)


@pytest.mark.parametrize(
    ("most", "one_more"),
    [
        ("true" + (MOST_LETTERS - 4) * " ", (MOST_LETTERS - 3) * " "),
        ((MOST_TOKENS - 1) * "not " + "true", MOST_TOKENS * "not "),
        ((DEEPEST - 1) * "(" + "true" + (DEEPEST - 1) * ")", DEEPEST * "("),
    ],
)
def test_as_much_as_is_allowed_is_and_no_more(most, one_more):
    assert filter_sql(most).strip("NOT ()") in ("TRUE", "RUE")
    with pytest.raises(QueryError, match="more than"):
        filter_sql(one_more + "true" + ")" * one_more.count("("))


def test_how_conditions_and_numbers_are_written():
    assert filter_sql("true or false or kind = 'a'") == "((TRUE OR FALSE) OR kind = 'a')"
    assert filter_sql("true and not not false and true and not true") == (
        "((TRUE AND FALSE) AND (TRUE AND NOT (TRUE)))"
    )
    for written, read in [
        ("61", "61"),
        ("48.250", "48.25"),
        ("-0.5e1", "-5"),
        ("9007199254740991", "9007199254740991"),
        ("9007199254740992", "9007199254740992.0"),  # from here on floats leave whole numbers out
        ("1e300", "1e+300"),
    ]:
        assert filter_sql(f"duration_s > {written}") == f"duration_s > {read}"


def test_a_refusal_shows_two_hundred_letters_of_a_filter():
    for letters, shown in ((200, f"'{200 * 'x'}'"), (201, f"'{200 * 'x'}…'")):
        with pytest.raises(QueryError) as refused:
            filter_sql(letters * "x")
        assert f"the filter {shown} cannot be used" in str(refused.value)


def test_filters_go_together_in_brackets():
    assert both("kind = 'a' or true", None, "false") == "(kind = 'a' or true) and (false)"
