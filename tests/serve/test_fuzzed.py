"""Whatever a client sends to any route, the server answers with a status it means."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

NASTY = [
    *(
        "",
        " ",
        "0",
        "-1",
        "1e18",
        "1e400",
        "nan",
        "inf",
        "-inf",
        "9" * 400,
        "null",
        "true",
        "[]",
        "{}",
        "'",
        '"',
    ),
    *(
        "../../etc/passwd",
        "\x00",
        "a\nb",
        "é" * 300,
        "(" * 500,
        "who:",
        "near:",
        "near:1,1," + "9" * 400 + "km",
    ),
    *(
        f"{'9' * 400}:red",
        "red + ",
        "- red",
        "who:" + "x" * 900,
        "kind = 'video'",
        "lpad('x',2147483647,'y')",
    ),
    *("%", "%00", "2019", "9999-99", "\\", "[" * 200, "near:0,0 " * 100, "who:a " * 150, "NaN:a", "0:a"),
]
VALUES = st.one_of(
    st.sampled_from(NASTY), st.text(max_size=50), st.floats().map(repr), st.integers().map(str)
)
RANGES = [
    f"bytes=-{'9' * 5000}",
    f"bytes={'9' * 5000}-", "bytes=5-1", "bytes=", "bytes=0-0,2-3", "bytes=-0", "items=1-2", "bytes=٣-",
]  # fmt: skip
MEANT = {200, 206, 304, 400, 401, 403, 404, 405, 413, 416, 429, 503}


def routes(site):
    """Return method, path and names of parameters of every route, by the OpenAPI document."""
    document = site.client.get("/openapi.json").json()
    return [
        (method, path, operation.get("parameters", []))
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    ]


def _answer(site, data):
    method, path, parameters = data.draw(st.sampled_from(routes(site)))
    ids = [site.id_of("talk.mp4"), site.id_of("sea.png"), site.id_of("talk.mp4") + "-0"]
    query = {}
    for one in parameters:
        if one["in"] == "path":
            value = data.draw(st.one_of(st.sampled_from(ids), VALUES))
            path = path.replace("{" + one["name"] + "}", quote(value or "x", safe="", errors="replace"))
        elif data.draw(st.integers(0, 2)) == 0:
            query[one["name"]] = data.draw(VALUES).encode("utf-8", "replace").decode()
    path = path.replace("{form}", "csv")
    body = {}
    if method == "post":
        sent = data.draw(
            st.sampled_from(
                [
                    b"",
                    b"{",
                    b"[[[[",
                    json.dumps({"media_id": ids[0], "question": "x", "start_s": 1e300}).encode(),
                    b"\xff",
                ]
            )
        )
        body = {
            "content": sent,
            "headers": {
                "content-type": data.draw(
                    st.sampled_from(
                        [
                            "application/json",
                            "multipart/form-data",
                            "multipart/form-data; boundary=x",
                            "text/plain",
                        ]
                    )
                )
            },
        }
    with site.client.stream(method.upper(), path, params=query, **body) as answer:
        if not path.startswith("/play"):
            answer.read()
        return method, path, query, answer.status_code


def check(site, data):
    method, path, query, status = _answer(site, data)
    assert status in MEANT, (method, path, query, status)


FUZZ = {"deadline": None, "suppress_health_check": list(HealthCheck), "database": None}


@settings(max_examples=40, **FUZZ)
@given(st.data())
def test_nothing_that_is_sent_breaks_the_server(site, data):
    check(site, data)


@pytest.mark.slow
@settings(max_examples=5000, **FUZZ)
@given(st.data())
def test_nothing_that_is_sent_for_long_breaks_the_server(site, data):
    check(site, data)


@pytest.mark.parametrize("text", NASTY)
def test_every_parameter_of_a_search_takes_or_refuses_anything(site, text):
    names = [
        one["name"]
        for method, path, parameters in routes(site)
        if (method, path) == ("get", "/api/search")
        for one in parameters
    ]
    for name in names:
        status = site.client.get("/api/search", params={"q": "red", name: text}).status_code
        assert status in MEANT, (name, text, status)


@pytest.mark.parametrize("wanted", RANGES)
def test_any_range_is_answered(site, wanted):
    path = f"/media/{site.id_of('talk.mp4')}"
    headers = {"range": wanted.encode()}
    assert site.client.get(path, headers=headers).status_code in (200, 206, 400, 416)
