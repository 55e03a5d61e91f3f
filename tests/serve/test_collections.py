"""Several indexes behind one server: together or one by one, ids that never leave their collection."""

from __future__ import annotations

import csv
import io

import pytest
from PIL import Image

import toy
from sayso import Index
from sayso.core.errors import SaysoError, Unavailable
from sayso.serve.collections import ServedIndex, collection_names, open_collections
from sayso.serve.holdings import Holdings


class OtherEncoder(toy.ColourEncoder):
    """Another model of the same world."""

    name = "other"
    sha256 = "b" * 64


def make_index(folder, colours, encoder):
    for name, colour in colours.items():
        Image.new("RGB", (90, 60), toy.COLOURS[colour]).save(folder / f"{name}.png")
    index = Index.open(folder / "x.index", encoder)
    assert not index.add(folder).failures
    return index


@pytest.fixture(scope="module")
def two(tmp_path_factory, movie, serving):
    """Films and photos, each with a model of its own, and a third that cannot be opened."""
    films, photos = tmp_path_factory.mktemp("films"), tmp_path_factory.mktemp("photos")
    movie(films / "talk.mp4", ["red", "green", "blue"])
    indexes = {
        "films": make_index(films, {"wall": "red"}, toy.ColourEncoder()),
        "photos": make_index(photos, {"sea": "blue", "rose": "red"}, OtherEncoder()),
    }
    with serving(indexes, films, unopened={"old": "old.index holds no index"}) as site:
        yield site


def search(site, **params):
    return site.client.get("/api/search", params=params)


def plain(hit):
    return hit["id"].partition(":")[2]


def test_all_are_searched_or_one_and_the_best_of_any_comes_first(two):
    both = search(two, q="red", limit=50).json()
    assert {hit["id"].partition(":")[0] for hit in both["hits"]} == {"films", "photos"}
    scores = [hit["score"] for hit in both["hits"]]
    assert scores == sorted(scores, reverse=True)
    for name, index in two.index.items():
        one = search(two, q="red", limit=50, collection=name).json()["hits"]
        assert [plain(hit) for hit in one] == [hit.id for hit in index.search("red", limit=50)]
        assert one == [hit for hit in both["hits"] if hit["id"].startswith(f"{name}:")]
        assert all(hit["thumb"] == f"thumb/{hit['id']}" for hit in one)


def test_a_cursor_goes_through_all(two):
    whole = search(two, q="red", limit=50).json()["hits"]
    got, cursor = [], ""
    while cursor is not None:
        answer = search(two, q="red", limit=2, cursor=cursor).json()
        got, cursor = got + answer["hits"], answer["next"]
    assert sorted(hit["id"] for hit in got) == sorted(hit["id"] for hit in whole)
    assert [hit["score"] for hit in got] == [hit["score"] for hit in whole]


@pytest.mark.parametrize("route", ["/api/media/{}", "/media/{}", "/play/{}"])
def test_a_file_is_found_in_its_own_collection_alone(two, route):
    hit = search(two, q="blue", kind="picture", collection="photos").json()["hits"][0]
    name, _, media_id = hit["media_id"].partition(":")
    assert name == "photos"
    assert two.client.get(route.format(hit["media_id"])).status_code == 200
    for wrong in (media_id, f"films:{media_id}", f"old:{media_id}", f"nobody:{media_id}", "photos:"):
        answer = two.client.get(route.format(wrong))
        assert (answer.status_code, answer.json().keys()) == (404, {"error"})


@pytest.mark.parametrize("route", ["/thumb/{}", "/api/similar/{}", "/clip/{}"])
def test_a_clip_is_found_in_its_own_collection_alone(two, route):
    hit = search(two, q="green", collection="films", kind="video").json()["hits"][0]
    assert two.client.get(route.format(hit["id"])).status_code == 200
    for wrong in (plain(hit), f"photos:{plain(hit)}"):
        assert two.client.get(route.format(wrong)).status_code in (400, 404)


def test_a_files_moments_bear_the_ids_of_its_collection(two):
    hit = search(two, q="green", collection="films", kind="video").json()["hits"][0]
    file = two.client.get(f"/api/media/{hit['media_id']}", params={"q": "green"}).json()
    assert file["id"] == hit["media_id"]
    assert {moment["media_id"] for moment in file["moments"]} == {hit["media_id"]}
    only = search(two, q="red", media_id=hit["media_id"], merge=False).json()["hits"]
    assert {one["media_id"] for one in only} == {hit["media_id"]}


def test_what_is_like_a_clip_is_found_in_all_collections(two):
    clip = search(two, q="blue", collection="films", kind="video").json()["hits"][0]["id"]
    hits = two.client.get(f"/api/similar/{clip}", params={"collection": "photos"}).json()["hits"]
    assert hits[0]["title"] == "sea"
    hits = two.client.get(f"/api/similar/{clip}", params={"limit": 50}).json()["hits"]
    assert clip not in {hit["id"] for hit in hits}
    assert {hit["id"].partition(":")[0] for hit in hits} == {"films", "photos"}


def test_picks_of_several_collections_keep_their_order_and_are_saved(two):
    ids = [hit["id"] for hit in search(two, q="red", limit=50).json()["hits"]]
    asked = [ids[-1], "films:nobody", *ids, "nobody"]
    found = two.client.get("/api/moments", params=[("pick", one) for one in asked]).json()["hits"]
    assert [hit["id"] for hit in found] == [ids[-1], *ids]
    moments = [{"id": one["id"], "start_s": one["start_s"], "end_s": one["end_s"]} for one in found]
    saved = two.client.post("/api/save/csv", json={"moments": moments})
    assert [row["id"] for row in csv.DictReader(io.StringIO(saved.text))] == [ids[-1], *ids]
    assert two.client.post("/api/save/sheet", json={"moments": moments}).content[:4] == b"\x89PNG"
    moments[0]["id"] = "films:nobody"
    assert two.client.post("/api/save/csv", json={"moments": moments}).status_code == 400


def test_what_they_hold_each_and_together(two):
    about = two.client.get("/api/index").json()
    assert about["model"] == "colour, other"
    assert (about["media"], about["pictures"], about["videos"], about["dim"]) == (4, 3, 1, 0)
    assert {hit["id"].partition(":")[0] for hit in about["sample"]} == {"films", "photos"}
    served = {one.pop("name"): one for one in about["collections"]}
    assert list(served) == ["films", "photos", "old"]
    assert (served["films"]["media"], served["films"]["model"]) == (2, "colour")
    assert served["old"]["problem"] == "old.index holds no index"
    one = two.client.get("/api/index", params={"collection": "photos"}).json()
    assert (one["media"], one["videos"], one["model"]) == (2, 0, "other")


def test_a_collection_that_is_not_there_is_said(two):
    answer = search(two, q="red", collection="holiday")
    assert (answer.status_code, answer.json()["error"]) == (
        404,
        "there is no collection 'holiday' here; there is films, photos",
    )
    answer = search(two, q="red", collection="old")
    assert (answer.status_code, answer.json()["error"]) == (
        503,
        "the collection old is not served: old.index holds no index",
    )


def test_one_that_cannot_be_searched_is_said_and_the_others_answer(two, monkeypatch):
    def absent(*_, **__):
        raise Unavailable("the model is not here")

    monkeypatch.setattr(two.index["films"], "search", absent)
    answer = search(two, q="red").json()
    assert answer["problems"] == ["films: the model is not here"]
    assert {hit["id"].partition(":")[0] for hit in answer["hits"]} == {"photos"}
    assert search(two, q="red", collection="films").status_code == 503
    monkeypatch.setattr(two.index["photos"], "search", absent)
    assert search(two, q="red").status_code == 503


def test_every_route_of_the_openapi_document_that_searches_takes_a_collection(two):
    paths = two.client.get("/openapi.json").json()["paths"]
    for path in ("/api/index", "/api/search", "/api/search/image", "/api/similar/{clip_id}"):
        (operation,) = paths[path].values()
        assert "collection" in {one["name"] for one in operation["parameters"]}, path


def test_indexes_of_one_model_share_it(tmp_path, monkeypatch):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        make_index(tmp_path / name, {name: "red"}, toy.ColourEncoder())
    made = []

    def load(*_, **__):
        made.append(toy.ColourEncoder())
        return made[-1]

    monkeypatch.setattr("sayso.encoders.load_encoder", load)
    addresses = [str(tmp_path / name / "x.index") for name in ("a", "b")]
    indexes, unopened = open_collections([*addresses, str(tmp_path / "nothing.index")])
    assert (list(indexes), list(unopened)) == (["x", "x-2"], ["nothing"])
    assert "nothing.index" in unopened["nothing"]
    encoders = {id(index.encoder) for index in indexes.values()}
    assert len(encoders) == len(made) == 1
    assert all(isinstance(index, ServedIndex) for index in indexes.values())
    assert [hit.title for hit in Holdings(indexes["x"]).search("red")] == ["a"]


def test_nothing_is_served_where_nothing_can_be_opened(tmp_path):
    with pytest.raises(SaysoError, match=r"nothing\.index"):
        open_collections([str(tmp_path / "nothing.index"), str(tmp_path / "other.index")])


def test_names_are_short_and_each_is_there_once():
    addresses = ["s3://bucket/films.index", "/x/films.index/", "C:\\my photos: 2019", "..", "été.index"]
    assert collection_names(addresses) == ["films", "films-2", "my-photos-2019", "index", "été"]
