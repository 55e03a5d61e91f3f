"""Finds taken away over HTTP: picks looked up, files saved, clips cut; by ids, never by paths."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

import toy
from sayso import Index


@pytest.fixture
def talk(site):
    """The clips of a video with sound: four colours of four seconds."""
    return site.index.moments(site.id_of("talk.mp4"))


def save(site, form: str, moments: list[dict], name: str = "red"):
    return site.client.post(f"/api/save/{form}", json={"name": name, "moments": moments})


def pick(hit, **more) -> dict:
    return {"id": hit.id, "start_s": hit.start_s, "end_s": hit.end_s, **more}


def test_picks_come_back_in_their_order_with_their_spans(site, talk):
    wanted = [f"{talk[2].id}@9-10.5", talk[0].id, f"{talk[0].id}@0-8"]
    hits = site.client.get("/api/moments", params={"pick": wanted}).json()["hits"]
    assert [(hit["id"], hit["start_s"], hit["end_s"]) for hit in hits] == [
        (talk[2].id, 9.0, 10.5),
        (talk[0].id, 0.0, 4.0),
        (talk[0].id, 0.0, 8.0),
    ]
    assert hits[2]["text"] == "we begin with apples then come pears"
    some = site.client.get("/api/moments", params={"pick": ["nobody-1@0-4", talk[1].id]}).json()["hits"]
    assert [hit["id"] for hit in some] == [talk[1].id], "what is gone is left out"
    answer = site.client.get("/api/moments", params={"pick": "x@5-4"})
    assert (answer.status_code, "ends before it starts" in answer.json()["error"]) == (400, True)


def test_a_table_holds_the_scores_that_the_search_said(site):
    hits = site.index.search("blue", limit=3)
    answer = save(site, "csv", [pick(hit, scores={"score": round(hit.score, 3)}) for hit in hits])
    assert answer.headers["content-disposition"] == 'attachment; filename="sayso.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["id"], float(row["score"])) for row in rows] == [
        (hit.id, round(hit.score, 3)) for hit in hits
    ]
    plain = list(csv.DictReader(io.StringIO(save(site, "csv", [pick(hits[0])]).text)))
    assert plain[0]["score"] == "", "a pick without a search has no score"
    assert plain[0]["likely"] == "True" and [row["likely"] for row in rows] == [str(h.likely) for h in hits]


def test_every_format(site, talk):
    moments = [pick(talk[1]), pick(talk[3])]
    assert save(site, "edl", moments, "two moments").text.startswith(
        "TITLE: two moments\nFCM: NON-DROP FRAME"
    )
    assert save(site, "fcpxml", moments).text.count("<asset-clip") == 2
    assert json.loads(save(site, "otio", moments).text)["OTIO_SCHEMA"] == "Timeline.1"
    assert "00:00:04,000 --> 00:00:08,000\nthen come pears" in save(site, "srt", moments).text
    assert [hit["id"] for hit in save(site, "json", moments).json()["hits"]] == [talk[1].id, talk[3].id]
    sheet = save(site, "sheet", moments)
    assert sheet.headers["content-type"] == "image/png"
    with Image.open(io.BytesIO(sheet.content)) as picture:
        r, g, b = picture.getpixel((16 + 160, 16 + 90))
    assert g > 150 > r + b


@pytest.mark.parametrize(
    ("form", "body", "status"),
    [
        ("exe", {"moments": [{"id": "x", "start_s": 0, "end_s": 1}]}, 400),
        ("csv", {"moments": []}, 400),
        ("csv", {"moments": [{"id": "x", "start_s": 0, "end_s": 1}]}, 400),
        ("csv", {"moments": [{"id": "x", "start_s": 0, "end_s": 1}] * 501}, 400),
        ("csv", {"moments": [{"id": "x", "start_s": 0, "end_s": 1, "scores": {"../x": 1}}]}, 400),
        ("csv", {"moments": [{"path": "/etc/passwd", "start_s": 0, "end_s": 1}]}, 400),
    ],
)
def test_what_cannot_be_saved(site, form, body, status):
    answer = site.client.post(f"/api/save/{form}", json=body)
    assert answer.status_code == status
    assert answer.json()["error"]


def test_a_clip_has_the_frames_and_the_sound_of_its_span(site, talk):
    answer = site.client.get(f"/clip/{talk[0].id}", params={"start_s": 3, "end_s": 5.5})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''talk_3.00-5.50.mp4"
    assert int(answer.headers["content-length"]) == len(answer.content)
    with av.open(io.BytesIO(answer.content)) as file:
        means = [frame.to_ndarray(format="rgb24").mean((0, 1)) for frame in file.decode(video=0)]
    near = [min(toy.COLOURS, key=lambda name: abs(mean - toy.COLOURS[name]).sum()) for mean in means]
    assert near == ["red"] * 10 + ["green"] * 15
    with av.open(io.BytesIO(answer.content)) as file:
        wave = np.concatenate([frame.to_ndarray()[0] for frame in file.decode(audio=0)])
        rate = file.streams.audio[0].rate
    peak = np.abs(np.fft.rfft(wave)).argmax() * rate / len(wave)
    assert peak == pytest.approx(440, abs=2)
    assert len(wave) / rate == pytest.approx(2.5, abs=0.07)


def test_a_clip_without_a_span_is_the_hits_own(site, talk):
    answer = site.client.get(f"/clip/{talk[2].id}", params={"form": "gif"})
    with Image.open(io.BytesIO(answer.content)) as picture:
        assert (picture.format, picture.info["duration"] * picture.n_frames) == ("GIF", 4000)


@pytest.mark.parametrize(
    ("name", "params", "status", "says"),
    [
        ("sea.png", {}, 400, "is a picture"),
        ("talk.mp4", {"start_s": 0, "end_s": 500}, 400, "at most 120 s are cut here"),
        ("talk.mp4", {"start_s": 5, "end_s": 4}, 400, "makes no sense"),
        ("talk.mp4", {"start_s": 90, "end_s": 95}, 400, "holds no picture"),
        ("talk.mp4", {"start_s": "nan"}, 400, "start_s"),
        ("talk.mp4", {"form": "exe"}, 400, "form"),
    ],
)
def test_clips_that_cannot_be_cut(site, name, params, status, says):
    clip = site.index.moments(site.id_of(name))[0]
    answer = site.client.get(f"/clip/{clip.id}", params=params)
    assert answer.status_code == status
    assert says in answer.json()["error"]


def test_a_path_is_no_clip(site):
    for path in (site.folder / "talk.mp4", "..%2f..%2fetc%2fpasswd"):
        assert site.client.get(f"/clip/{path}").status_code in (400, 404)


def test_a_video_that_vanished(tmp_path, serving):
    toy.make_video(tmp_path / "a.mp4", ["red"])
    index = Index.open(tmp_path / "x.index", toy.ColourEncoder())
    index.add(tmp_path / "a.mp4")
    with serving(index, tmp_path) as site:
        clip = index.search("red")[0]
        Path(clip.path).unlink()
        answer = site.client.get(f"/clip/{clip.id}")
        assert (answer.status_code, "there is nothing at this path" in answer.json()["error"]) == (404, True)
        assert save(site, "edl", [pick(clip)]).status_code == 200, "an edit list outlives the file"


def test_words_added_to_a_similar_clip(site, talk):
    alone = site.client.get(f"/api/similar/{talk[0].id}", params={"limit": 3}).json()["hits"]
    both = site.client.get(f"/api/similar/{talk[0].id}", params={"limit": 3, "q": "- red + 3:blue"}).json()[
        "hits"
    ]
    assert alone[0]["title"] == "rose"
    assert both[0]["title"] in ("sea", "talk")
    assert talk[0].id not in {hit["id"] for hit in both}
    assert site.client.get("/api/similar/nobody-1", params={"q": "x"}).status_code == 404
