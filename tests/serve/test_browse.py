"""The timeline over HTTP, and lists without a query."""

from __future__ import annotations

import os
from datetime import datetime

import pytest

import toy
from sayso import Index

DATES = {"a": "2021-03-01", "b": "2021-03-02", "c": "2020-12-31", "d": "2019-01-01"}


@pytest.fixture(scope="module")
def dated(tmp_path_factory, serving):
    """Four pictures by their names' dates, and a film by its file's, behind a server."""
    folder = tmp_path_factory.mktemp("dated")
    for name, day in DATES.items():
        toy.make_picture(folder / f"{day} 12.00.00 {name}.png", "red" if name != "c" else "blue")
    film = toy.make_video(folder / "film.mp4", ["green", "yellow", "black"])
    os.utime(film, (datetime(2018, 5, 6, 7, 8).timestamp(),) * 2)
    index = Index.open(tmp_path_factory.mktemp("index") / "dated.index", toy.ColourEncoder())
    assert not index.add(folder).failures
    with serving(index, folder) as site:
        yield site


def get(site, path, **params):
    return site.client.get(path, params=params).json()


def test_months_and_their_files(dated):
    told = get(dated, "/api/timeline")
    months = [("2021-03", 2), ("2020-12", 1), ("2019-01", 1), ("2018-05", 1)]
    assert told == {"files": 5, "months": [{"month": m, "count": n} for m, n in months]}
    files = get(dated, "/api/timeline/files")["files"]
    assert [file["title"][-1] for file in files] == ["b", "a", "c", "d", "m"]
    assert get(dated, "/api/timeline/files", offset=1, limit=2)["files"] == files[1:3]
    film = files[-1]
    assert (film["taken_from"], film["kind"], film["duration_s"]) == ("mtime", "video", 12)
    assert dated.client.get("/" + film["thumb"]).headers["content-type"] == "image/jpeg"
    assert dated.index.moments(film["media_id"])[1].thumb == film["thumb"]


def test_filters_count(dated):
    assert get(dated, "/api/timeline", kind="picture", after="2020", before="2021-03-02")["months"] == [
        {"month": "2021-03", "count": 1},
        {"month": "2020-12", "count": 1},
    ]
    assert get(dated, "/api/timeline", title="nothing") == {"files": 0, "months": []}
    wrong = dated.client.get("/api/timeline", params={"before": "soon"})
    assert (wrong.status_code, "is no date" in wrong.json()["error"]) == (400, True)


def test_what_is_added_appears(dated):
    new = toy.make_picture(dated.folder / "2022-02-02 10.00.00.png", "white")
    dated.index.add(new)
    assert get(dated, "/api/timeline")["months"][0] == {"month": "2022-02", "count": 1}
    new.unlink()
    dated.index.add(dated.folder, prune=True)
    assert get(dated, "/api/timeline")["files"] == 5


def test_a_search_without_words_lists_what_passes(dated):
    answer = get(dated, "/api/search", kind="picture", before="2021")
    assert [hit["title"][-1] for hit in answer["hits"]] == ["c", "d"]
    assert get(dated, "/api/search", filter="taken_from = 'mtime'", merge=False)["found"] == 3
    empty = dated.client.get("/api/search")
    assert (empty.status_code, "the query is empty" in empty.json()["error"]) == (400, True)
    nowhere = dated.client.get("/api/search", params={"q": "near:paris"})
    assert (nowhere.status_code, "no place on Earth" in nowhere.json()["error"]) == (400, True)


def test_results_sort_by_time(dated):
    hits = get(dated, "/api/search", q="red", sort="time", merge=False)["hits"]
    assert [hit["title"][-1] for hit in hits] == ["b", "a", "d"]
    media = get(dated, f"/api/media/{hits[0]['media_id']}")
    assert (media["taken"], media["taken_from"]) == ("2021-03-02T12:00:00", "name")


def test_several_collections_share_one_timeline(dated, tmp_path, serving):
    toy.make_picture(tmp_path / "2020-06-01 12.00.00 x.png", "red")
    index = Index.open(tmp_path / "two.index", toy.ColourEncoder())
    assert not index.add(tmp_path / "2020-06-01 12.00.00 x.png").failures
    with serving({"one": dated.index, "two": index}, tmp_path) as site:
        assert [m["month"] for m in get(site, "/api/timeline")["months"]] == [
            "2021-03",
            "2020-12",
            "2020-06",
            "2019-01",
            "2018-05",
        ]
        third = get(site, "/api/timeline/files", offset=3, limit=1)["files"][0]
        assert third["media_id"].startswith("two:")
        assert site.client.get("/" + third["thumb"]).headers["content-type"] == "image/jpeg"
        assert get(site, "/api/timeline", collection="two")["files"] == 1
        hits = get(site, "/api/search", q="red", sort="time", merge=False)["hits"]
        assert [hit["title"][-1] for hit in hits] == ["b", "a", "x", "d"]
