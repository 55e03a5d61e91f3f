"""The JSON routes, asked over HTTP and compared with the index asked in Python."""

from __future__ import annotations

import io

import httpx
import pytest
from PIL import Image
from starlette.testclient import TestClient

import toy
from sayso import Index
from sayso.core.errors import Unavailable
from sayso.serve import create_app
from sayso.version import __version__

NASTY = "<img src=x onerror=alert(1)>"
SAID = ["we begin with apples", "then come pears", "a plum tree", "thank you all"]


def png(colour: str, size=(64, 48)) -> bytes:
    held = io.BytesIO()
    Image.new("RGB", size, toy.COLOURS[colour]).save(held, "PNG")
    return held.getvalue()


def test_a_search_answers_what_the_index_answers(site):
    answer = site.client.get("/api/search", params={"q": "red", "limit": 5}).json()
    assert set(answer) == {"query", "hits", "found", "hints", "next", "took_ms", "problems"}
    assert answer["query"] == "red"
    assert answer["took_ms"] >= 0
    assert answer["hits"] == [hit.to_dict() for hit in site.index.search("red", limit=5)]
    assert [hit["likely"] for hit in answer["hits"]] == [hit["score"] >= 0.5 for hit in answer["hits"]]


def test_hints_come_with_the_answer(site):
    answer = site.client.get("/api/search", params={"q": "red"}).json()
    assert answer["hints"] == []
    answer = site.client.get("/api/search", params={"q": "red who:ilsa"}).json()
    assert ["names nobody" in hint for hint in answer["hints"]] == [True]
    similar = site.client.get(f"/api/similar/{site.index.search('red')[0].id}").json()
    assert similar["hints"] == []


def test_an_empty_index_says_so(tmp_path):
    (tmp_path / "none yet").mkdir()
    index = Index.open(tmp_path / "x.index", toy.ColourEncoder())
    index.add(tmp_path / "none yet")
    client = TestClient(create_app(index), base_url="http://127.0.0.1:7333")
    answer = client.get("/api/search", params={"q": "red"}).json()
    assert (answer["hits"], answer["found"], len(answer["hints"])) == ([], 0, 1)
    assert "is empty; add files to it with: sayso index" in answer["hints"][0]


def test_a_cursor_goes_on_to_the_end(site):
    whole = site.client.get("/api/search", params={"q": "red + blue", "limit": 500}).json()
    assert whole["next"] is None
    got, cursor = [], ""
    while cursor is not None:
        params = {"q": "red + blue", "limit": 2, "cursor": cursor}
        answer = site.client.get("/api/search", params=params).json()
        assert len(answer["hits"]) == 2 or answer["next"] is None
        got, cursor = got + answer["hits"], answer["next"]
    assert got == whole["hits"]
    assert whole["found"] == sum(hit["score"] >= 0.5 for hit in got)
    clip = got[0]["id"]
    first = site.client.get(f"/api/similar/{clip}", params={"limit": 1}).json()
    second = site.client.get(f"/api/similar/{clip}", params={"limit": 1, "cursor": first["next"]}).json()
    similar = site.index.similar(clip, limit=2)
    assert first["hits"] + second["hits"] == [hit.to_dict() for hit in similar]


def test_results_are_grouped_by_file_on_demand(site):
    grouped = site.client.get("/api/search", params={"q": "red", "limit": 500, "by_file": True}).json()[
        "hits"
    ]
    assert len({hit["media_id"] for hit in grouped}) == len(grouped)
    assert grouped == [hit.to_dict() for hit in site.index.search("red", limit=500, by_file=True)]


def test_a_hit_has_one_schema_in_python_over_http_and_in_the_openapi_document(site):
    hit = site.index.search("red", limit=1)[0].to_dict()
    document = site.client.get("/openapi.json").json()
    assert document["components"]["schemas"]["Hit"]["properties"].keys() == hit.keys()
    assert all("description" in document["components"]["schemas"]["Hit"]["properties"][key] for key in hit)
    assert document["info"]["version"] == __version__
    assert "422" not in str(document["paths"])
    assert {
        "/api/index",
        "/api/search",
        "/api/search/image",
        "/api/similar/{clip_id}",
        "/api/media/{media_id}",
    } <= set(document["paths"])


def test_sums_of_words_are_understood(site):
    hits = site.client.get("/api/search", params={"q": "2:white - black", "limit": 1}).json()["hits"]
    assert hits == [hit.to_dict() for hit in site.index.search("2:white - black", limit=1)]


def test_a_query_never_names_a_file_of_the_server(site):
    path = str(site.folder / "sea.png")
    over_http = site.client.get("/api/search", params={"q": path, "limit": 1}).json()["hits"][0]
    assert site.index.search(path, limit=1)[0].title == "sea", "in Python and on the command line it does"
    assert over_http["score"] < 0.99


def titles(answer: httpx.Response) -> set[str]:
    assert answer.status_code == 200, answer.text
    return {hit["title"] for hit in answer.json()["hits"]}


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"kind": "picture"}, {"sea", "rose", "scan", NASTY}),
        ({"title": "TAL"}, {"talk"}),
        ({"title": "%"}, set()),
        ({"title": "l_"}, set()),
        ({"title": "<IMG"}, {NASTY}),
        ({"path": ".MKV"}, {"film"}),
        ({"path": "x' OR 1=1 --"}, set()),
        ({"min_duration_s": 12.5}, {"talk"}),
        ({"max_duration_s": 3}, {"clip"}),
        ({"min_duration_s": 7, "max_duration_s": 13, "path": "avi"}, {"old"}),
        ({"filter": "title = 'sea' OR title = 'rose'", "kind": "picture"}, {"sea", "rose"}),
        ({"filter": "title = 'sea' OR title = 'talk'", "kind": "video"}, {"talk"}),
        ({"kind": "picture", "min_duration_s": 1}, set()),
    ],
)
def test_filters(site, filters, expected):
    assert titles(site.client.get("/api/search", params={"q": "red", "limit": 50, **filters})) == expected


def test_text_weight_and_merge_and_min_score(site):
    def ask(**params):
        return site.client.get("/api/search", params={"q": "pears", **params}).json()["hits"]

    assert [hit["text"] for hit in ask(text_weight=1)] == [SAID[1]]
    assert ask(text_weight=1) == [hit.to_dict() for hit in site.index.search("pears", text_weight=1)]
    apart = site.client.get(
        "/api/search", params={"q": "cyan", "merge": False, "path": "film", "limit": 9}
    ).json()
    assert [hit["end_s"] - hit["start_s"] for hit in apart["hits"]] == [4, 4, 4]
    assert all(hit["score"] >= 0.9 for hit in ask(q="red", min_score=0.9, text_weight=0))


def test_search_by_a_picture_and_words(site):
    files = {"picture": ("x.png", png("yellow"), "image/png")}
    answer = site.client.post("/api/search/image", files=files, params={"kind": "picture", "limit": 1})
    assert titles(answer) == {"scan"}
    both = site.client.post(
        "/api/search/image", files=files, params={"q": "red - yellow", "text_weight": 0, "limit": 1}
    )
    like = Image.open(io.BytesIO(png("yellow")))
    assert both.json()["hits"] == [
        h.to_dict() for h in site.index.search("red - yellow", like=like, text_weight=0, limit=1)
    ]


def test_an_upload_is_turned_upright_and_only_pictures_are_read(site):
    held = io.BytesIO()
    image = Image.new("RGB", (90, 60), toy.COLOURS["blue"])
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(held, "JPEG", exif=exif)
    files = {"picture": ("x.jpg", held.getvalue(), "image/jpeg")}
    assert titles(
        site.client.post("/api/search/image", files=files, params={"kind": "picture", "limit": 1})
    ) == {"sea"}
    for content in (
        b"",
        b"no picture",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n",
        png("red")[:50],
    ):
        answer = site.client.post("/api/search/image", files={"picture": ("x.jpg", content, "image/jpeg")})
        assert answer.status_code == 400
        assert answer.json()["error"].startswith("the upload ")
        assert "/" not in answer.json()["error"], "no path of the server"


def test_a_picture_that_would_fill_the_memory_is_refused_before_it_is_unpacked(site):
    held = io.BytesIO()
    Image.new("1", (9_500, 9_000)).save(held, "PNG")
    answer = site.client.post("/api/search/image", files={"picture": ("x.png", held.getvalue(), "image/png")})
    assert answer.status_code == 400
    assert "9500 x 9000 pixels" in answer.json()["error"]


def test_similar(site):
    red = site.index.search("red", filter="kind = 'picture'", limit=1)[0]
    answer = site.client.get(f"/api/similar/{red.id}", params={"limit": 3, "kind": "video"}).json()
    assert answer["hits"] == [
        hit.to_dict() for hit in site.index.similar(red.id, limit=3, filter="kind = 'video'")
    ]
    assert (answer["hits"][0]["title"], answer["hits"][0]["start_s"]) == ("talk", 0)


def test_a_file_with_its_transcript_and_its_moments(site):
    media = site.client.get(f"/api/media/{site.id_of('talk.mp4')}").json()
    assert (media["title"], media["kind"], media["duration_s"], media["width"]) == ("talk", "video", 16, 64)
    assert (media["playable"], media["exists"], media["fps"]) == ("direct", True, 10)
    assert [line["text"] for line in media["transcript"]] == SAID
    assert [line["start_s"] for line in media["transcript"]] == [0, 4, 8, 12]
    assert [(hit["start_s"], hit["score"]) for hit in media["moments"]] == [(0, 0), (4, 0), (8, 0), (12, 0)]


def test_the_moments_of_a_file_are_scored_for_a_query(site):
    id_ = site.id_of("talk.mp4")
    blue = site.client.get(f"/api/media/{id_}", params={"q": "blue", "text_weight": 0}).json()["moments"]
    assert [hit["start_s"] for hit in blue] == [0, 4, 8, 12]
    assert max(blue, key=lambda hit: hit["score"])["start_s"] == 8
    pears = site.client.get(f"/api/media/{id_}", params={"q": "pears", "text_weight": 1}).json()["moments"]
    assert [hit["start_s"] for hit in pears] == [4]
    sea = site.index.search("blue", filter="title = 'sea'")[0].id
    like = site.client.get(f"/api/media/{id_}", params={"similar": sea}).json()["moments"]
    assert max(like, key=lambda hit: hit["score"])["start_s"] == 8


def test_a_picture_has_no_transcript_and_no_frames(site):
    media = site.client.get(f"/api/media/{site.id_of('scan.tiff')}").json()
    assert (media["kind"], media["fps"], media["transcript"], media["playable"]) == (
        "picture",
        None,
        [],
        "stream",
    )


def test_what_the_index_holds(site):
    about = site.client.get("/api/index").json()
    info = site.index.info()
    assert {key: about[key] for key in ("clips", "media", "has_text", "model", "dim")} == {
        key: info[key] for key in ("clips", "media", "has_text", "model", "dim")
    }
    assert (about["videos"], about["pictures"], about["duration_s"]) == (
        4,
        4,
        pytest.approx(16 + 12 + 8 + 2, abs=0.5),
    )
    assert len({hit["media_id"] for hit in about["sample"]}) == len(about["sample"]) == 8


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/api/search", "the query is empty"),
        ("/api/search?q=", "the query is empty"),
        ("/api/search?q=%20", "the query is empty"),
        ("/api/search?q=red&limit=0", "limit: input should be greater than or equal to 1"),
        ("/api/search?q=red&limit=501", "limit: input should be less than or equal to 500"),
        ("/api/search?q=red&text_weight=2", "text_weight: input should be less than or equal to 1"),
        ("/api/search?q=red&cursor=-1", "cursor: string should match pattern '^\\d{0,8}$'"),
        ("/api/search?q=red&min_score=nan", "min_score: input should be a finite number"),
        ("/api/search?q=red&kind=song", "kind: input should be 'video', 'picture' or 'sound'"),
        ("/api/search?q=red&filter=colour%20%3D%201", "cannot be used"),
        ("/api/search?q=red%20-%20red", "cancel each other out"),
        ("/api/search?q=" + 1001 * "x", "q: string should have at most 1000 characters"),
    ],
)
def test_a_wrong_request_gets_one_sentence(site, path, sentence):
    answer = site.client.get(path)
    assert answer.status_code == 400
    assert answer.json().keys() == {"error"}
    assert sentence in answer.json()["error"]


@pytest.mark.parametrize("id_", ["nothing", "' OR '1'='1", "..%2F..%2Fetc%2Fpasswd", 300 * "x", "%00"])
@pytest.mark.parametrize("route", ["/api/similar/{}", "/api/media/{}", "/thumb/{}", "/media/{}", "/play/{}"])
def test_an_unknown_id_is_not_found(site, route, id_):
    answer = site.client.get(route.format(id_))
    assert answer.status_code in ((400,) if len(id_) > 200 else (404,))
    assert answer.json()["error"]


def test_an_unknown_clip_to_compare_with_is_not_found(site):
    answer = site.client.get(f"/api/media/{site.id_of('talk.mp4')}", params={"similar": "nothing"})
    assert answer.status_code == 404


def test_a_model_that_is_not_at_hand_is_told(site, serving, monkeypatch):
    def absent(*_, **__):
        raise Unavailable("the model is not here; run: sayso models")

    monkeypatch.setattr(site.index, "search", absent)
    answer = site.client.get("/api/search", params={"q": "red"})
    assert (answer.status_code, answer.json()) == (503, {"error": "the model is not here; run: sayso models"})


def test_a_failure_of_the_server_is_told_without_its_inside(site, monkeypatch):
    def broken(*_, **__):
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(site.index, "search", broken)
    answer = site.client.get("/api/search", params={"q": "red"})
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "ZeroDivisionError" in answer.json()["error"]


def test_the_application_can_be_made_without_a_server(library):
    assert create_app(library[0]).openapi()["info"]["title"] == "sayso"
