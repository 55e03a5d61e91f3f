"""When and where something was taken, as a query asks for it."""

from __future__ import annotations

import math

import lancedb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayso.core.errors import QueryError
from sayso.index.conditions import Near, read_conditions, split_places, time_filter
from sayso.media.dates import WallTime

places = st.tuples(st.floats(-90, 90), st.floats(-180, 180))


def metres(one, other):
    """Return the distance on a sphere by the angle between two vectors, which is not how SQL has it."""
    vectors = []
    for latitude, longitude in (map(math.radians, one), map(math.radians, other)):
        vectors.append(
            (
                math.cos(latitude) * math.cos(longitude),
                math.cos(latitude) * math.sin(longitude),
                math.sin(latitude),
            )
        )
    (a, b, c), (d, e, f) = vectors
    cross = math.hypot(b * f - c * e, c * d - a * f, a * e - b * d)
    return 6_371_008.8 * math.atan2(cross, a * d + b * e + c * f)


@pytest.fixture(scope="module")
def passing(tmp_path_factory):
    """Return the rows of a table that a filter lets pass."""
    connection = lancedb.connect(tmp_path_factory.mktemp("sql"))

    def rows(columns, sql):
        table = connection.create_table("rows", pa.table(columns), mode="overwrite")
        return table.search().where(sql).select(["n"]).to_arrow().column("n").to_pylist()

    return rows


@given(st.lists(places, min_size=1, max_size=8), places, st.floats(1, 3e7))
@settings(max_examples=25, deadline=None)
def test_near_is_a_distance_on_a_sphere(passing, points, centre, within):
    latitudes, longitudes = zip(*points, strict=True)
    columns = {"n": range(len(points)), "latitude": latitudes, "longitude": longitudes}
    columns = {name: pa.array(values) for name, values in columns.items()}
    found = set(passing(columns, Near(*centre, within).sql))
    for k, point in enumerate(points):
        away = metres(point, centre)
        if abs(away - within) > 1 + 1e-6 * within:
            assert (k in found) == (away < within)


def test_what_has_no_place_is_neither_near_nor_far(passing):
    columns = {
        "n": pa.array([0, 1, 2]),
        "latitude": pa.array([48.86, None, -33.9]),
        "longitude": pa.array([2.3, None, 151.2]),
    }
    assert passing(columns, Near(48.8577, 2.295, 5000).sql) == [0]
    assert passing(columns, Near(48.8577, 2.295, 5000, present=False).sql) == [2]


@pytest.mark.parametrize(
    ("query", "place", "rest"),
    [
        ("near:48.85,2.35,5km a red boat", Near(48.85, 2.35, 5000), "a red boat"),
        ("a boat NEAR:-33.86,151.21", Near(-33.86, 151.21, 1000), "a boat"),
        ("a boat + near:48.8577, 2.2950, 300m", Near(48.8577, 2.295, 300), "a boat"),
        ("a - near:48,2,1.5mi", Near(48, 2, 1.5 * 1609.344, present=False), "a"),
        ("near:0,0,10km", Near(0, 0, 10_000), ""),
        ("near:-90,180,2m", Near(-90, 180, 2), ""),
        ("near:90,-180,999999km", Near(90, -180, 30_000_000), ""),
    ],
)
def test_places_in_queries(query, place, rest):
    assert split_places(query) == ([place], rest)


def test_a_place_in_quotes_is_text_and_other_queries_stay_as_they_are():
    for query in ('"near:48.85,2.35" + dog', "dog  +  beach", "nearby", "near the pier"):
        assert split_places(query) == ([], query)


@pytest.mark.parametrize(
    "query",
    ["near:", "near:paris", "near:91,0", "near:48.85", "near:48,2,5parsec", "near:1e5,2", "near:0,180.5"],
)
def test_no_places(query):
    with pytest.raises(QueryError, match=r"near:48\.8577,2\.295,5km"):
        split_places(query)


@given(
    st.lists(st.datetimes().map(lambda at: at.replace(microsecond=0)), min_size=1, max_size=8),
    st.datetimes(),
    st.integers(0, 5),
)
@settings(max_examples=15, deadline=None)
def test_after_and_before_split_time_where_the_unit_begins(passing, times, at, parts):
    form = "%Y-%m-%dT%H:%M:%S"[: 2 + 3 * parts].replace("%Y", f"{at.year:04d}")
    border = at.strftime(form)
    lowest = at.replace(microsecond=0)
    for field in ["second", "minute", "hour"][: max(0, 5 - parts)]:
        lowest = lowest.replace(**{field: 0})
    lowest = lowest.replace(**({"day": 1} if parts < 2 else {}), **({"month": 1} if parts < 1 else {}))
    columns = {"n": pa.array(range(len(times))), "taken": pa.array([WallTime(one).text for one in times])}
    late, early = (set(passing(columns, time_filter(*one))) for one in ((border, None), (None, border)))
    assert late == {k for k, one in enumerate(times) if one >= lowest}
    assert early == set(range(len(times))) - late


def test_a_day_without_a_time_lies_in_its_day(passing):
    columns = {"n": pa.array([0, 1, 2]), "taken": pa.array(["2019-05-31T23:59:59.900", "2019-06-01", None])}
    assert passing(columns, time_filter("2019-06", "2019-07")) == [1]
    assert passing(columns, time_filter(None, "2019-06-01")) == [0]


@pytest.mark.parametrize(
    "text", ["19", "2019-13", "2019-02-30", "yesterday", "2019-06-01T25", "2019-06-01T10:61", "' OR 1=1"]
)
def test_no_times(text):
    with pytest.raises(QueryError, match="is no date; write"):
        time_filter(text, None)


@pytest.mark.parametrize(("after", "before"), [("2019", "2019"), ("2020-03", "2020-02-09")])
def test_no_time_between_two_is_said(after, before):
    with pytest.raises(QueryError, match=f"nothing is after {after} and before {before}"):
        time_filter(after, before)
    assert time_filter("2019", "2019-01") == "taken >= '2019' AND taken < '2019-01'"


def test_times_are_written_out():
    assert time_filter("2019/6", " 2020-1-2 3:04 ") == "taken >= '2019-06' AND taken < '2020-01-02T03:04'"
    assert time_filter("", None) is None


def test_conditions_go_together():
    asked = read_conditions("who:ilsa near:48,2 at a piano", filter="kind = 'video' OR true", after="2019")
    assert asked.words == "at a piano"
    assert asked.sql.startswith("((kind = 'video' OR TRUE)) AND regexp_like(")
    assert asked.sql.endswith("AND taken >= '2019'")
    assert read_conditions("a piano").sql is None
