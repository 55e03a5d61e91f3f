"""The life of an index: made, brought up to date, searched, and never confused."""

from __future__ import annotations

import io
import json
import os
import shutil
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import toy
from sayso import Index, Span
from sayso.core.errors import IndexMismatch, QueryError, SaysoError
from sayso.index import Hit

CONTRACT = {"id", "path", "start_s", "end_s", "score", "text", "thumb", "meta"}


def name(hit: Hit) -> str:
    return os.path.basename(hit.path)


def contents(index: Index) -> set[tuple[str, float, float]]:
    """Every clip of an index: file, start, end; and that no clip is there twice."""
    table = index.store.clips.to_arrow().select(["id", "path", "start_s", "end_s"]).to_pylist()
    clips = [(row["path"], row["start_s"], row["end_s"]) for row in table]
    assert len(clips) == len(set(clips))
    assert len({row["id"] for row in table}) == len(table)
    return set(clips)


def test_the_moment_is_found_not_only_the_file(index, media):
    for colour, start, end in (("red", 0, 4), ("blue", 4, 8), ("green", 8, 12)):
        hit = index.search(colour)[0]
        assert (name(hit), hit.start_s, hit.end_s) == ("rbg.mp4", start, end)
        assert hit.score > 0.9
        assert hit.span == Span(start, end)
    assert name(index.search("white")[0]) == "white.png"
    yellow = index.search("yellow")[0]
    assert (yellow.start_s, yellow.end_s) == (0, 6), "both clips of the yellow video are one moment"


def test_a_hit_has_the_same_keys_everywhere(index):
    hit = index.search("red")[0].to_dict()
    assert set(hit) >= CONTRACT
    assert json.loads(json.dumps(hit)) == hit
    assert set(hit) == {field.name for field in fields(Hit)}


def test_limit_threshold_and_merging(index):
    assert len(index.search("red", limit=2)) == 2
    assert {name(hit) for hit in index.search("red", min_score=0.9)} == {"rbg.mp4"}
    assert index.search("red", min_score=1.1) == []
    assert len(index.search("yellow", merge=False, filter="path LIKE '%yellow%'")) == 2


def test_fewer_answers_are_the_first_of_more(tmp_path):
    """Also where visual and text score disagree: what leads neither ranking may lead their fusion."""
    toy.make_video(tmp_path / "v.mp4", ["red", "green", "blue", "white"], 4)
    rows = ["v.mp4,0,4,a wall", "v.mp4,4,8,blue red paint", "v.mp4,8,12,a red red door", "v.mp4,12,16,red"]
    (tmp_path / "rows.csv").write_text("path,start_s,end_s,text\n" + "\n".join(rows) + "\n")
    index = Index.open(tmp_path / "my.index", toy.ColourEncoder())
    index.add(tmp_path / "rows.csv")
    for merge in (False, True):
        whole = [hit.id for hit in index.search("red", limit=4, merge=merge)]
        for limit in (1, 2, 3):
            assert [hit.id for hit in index.search("red", limit=limit, merge=merge)] == whole[:limit]


def test_pictures_and_clips_are_queries(index, media):
    image = Image.new("RGB", (40, 90), toy.COLOURS["white"])
    assert name(index.search(like=image)[0]) == "white.png"
    assert name(index.search(like=str(media / "white.png"))[0]) == "white.png"
    hit = index.search(like=f"{media / 'rbg.mp4'}@6")[0]
    assert (name(hit), hit.start_s) == ("rbg.mp4", 4.0)


def test_similar_leaves_the_clip_itself_out(index):
    hit = index.search("red")[0]
    similar = index.similar(hit.id)
    assert similar
    assert all(other.id != hit.id for other in similar)
    with pytest.raises(KeyError):
        index.similar("no such clip")


@pytest.mark.parametrize("query", ["", "  "])
def test_an_empty_query_is_told(index, query):
    with pytest.raises(QueryError, match="empty"):
        index.search(query)


def test_one_file_can_be_looked_up(index):
    hit = index.search("blue")[0]
    medium = index.media(hit.media_id)
    assert (medium.path, medium.kind, medium.clips) == (hit.path, "video", 3)
    assert medium.duration_s == pytest.approx(12, abs=0.3)
    assert [m.start_s for m in index.moments(hit.media_id)] == [0, 4, 8]
    assert Image.open(io.BytesIO(index.thumbnail(hit.id))).format == "JPEG"
    for look_up in (index.media, index.transcript, index.thumbnail):
        with pytest.raises(KeyError):
            look_up("nothing")


def test_unchanged_files_are_not_read_again(index, media, monkeypatch):
    before = contents(index)
    monkeypatch.setattr("sayso.index.planning.content_digest", lambda path: pytest.fail(f"{path} was read"))
    again = Index.open(index.store.address)  # no model is needed, nor loaded
    report = again.add(media)
    assert (report.unchanged, report.added, report.clips) == (4, 0, 0)
    assert contents(again) == before


def test_a_touched_file_is_not_embedded_again(index, media):
    os.utime(media / "white.png", (1, 1))
    report = index.add(media)
    assert (report.unchanged, report.clips) == (4, 0)
    assert index.store.records()[str(media / "white.png")].mtime_ns == 10**9


def test_new_captions_change_the_words_and_decode_nothing(index, media, monkeypatch):
    srt = media / "rbg.srt"
    srt.write_text("1\n00:00:04,500 --> 00:00:07,000\na white boat\n")
    assert index.add(media).replaced == 1
    assert [hit.text for hit in index.moments(index.search("blue")[0].media_id)] == ["", "a white boat", ""]
    monkeypatch.setattr("sayso.index.update.extract", lambda *_, **__: pytest.fail("a file was decoded"))
    monkeypatch.setattr("sayso.index.planning.content_digest", lambda path: pytest.fail(f"{path} was read"))
    os.utime(srt, (1, 1))
    assert index.add(media).unchanged == 4
    srt.write_text("1\n00:00:04,500 --> 00:00:09,000\na green tree\n")
    assert index.add(media).replaced == 1
    hit = index.search("green tree", text_weight=1.0)[0]
    assert (name(hit), hit.text) == ("rbg.mp4", "a green tree")
    assert not index.search("boat", text_weight=1.0)
    assert [caption.text for caption in index.transcript(hit.media_id)] == ["a green tree"]
    assert [(m.start_s, m.id.rpartition("-")[2]) for m in index.moments(hit.media_id)] == [
        (0, "0"),
        (4, "1"),
        (8, "2"),
    ]
    assert index.search("blue", text_weight=0.0)[0].score > 0.9
    assert index.add(media).unchanged == 4
    srt.unlink()
    assert index.add(media).replaced == 1
    assert not any(hit.text for hit in index.moments(index.search("blue", text_weight=0.0)[0].media_id))


def test_a_changed_file_is_replaced(index, media):
    toy.make_video(media / "rbg.mp4", ["cyan", "black"])
    report = index.add(media)
    assert (report.replaced, report.added, report.unchanged) == (1, 0, 3)
    assert {(s, e) for p, s, e in contents(index) if p.endswith("rbg.mp4")} == {(0, 4), (4, 8)}
    assert name(index.search("cyan")[0]) == "rbg.mp4"
    assert index.search("red")[0].score < 0.9


def test_a_moved_file_keeps_its_clips(index, media):
    before = {hit.id for hit in index.moments(index.search("red")[0].media_id)}
    (media / "rbg.mp4").rename(media / "sub" / "moved it's.mp4")
    report = index.add(media)
    assert (report.moved, report.added, report.clips) == (1, 0, 0)
    hit = index.search("red")[0]
    assert hit.path == str(media / "sub" / "moved it's.mp4")
    assert {other.id for other in index.moments(hit.media_id)} == before
    assert index.add(media, prune=True).removed == 0
    assert len(contents(index)) == 7


def test_a_copy_is_a_file_of_its_own(index, media):
    shutil.copy(media / "white.png", media / "copy.png")
    assert index.add(media).added == 1
    both = index.search("white", min_score=0.9, merge=False)
    assert {name(hit) for hit in both} == {"white.png", "copy.png"}
    (media / "white.png").unlink()
    assert index.add(media, prune=True).removed == 1
    assert {name(hit) for hit in index.search("white", min_score=0.9)} == {"copy.png"}


def test_vanished_files_stay_until_pruned_and_only_below_the_given_folders(index, media):
    (media / "white.png").unlink()
    (media / "sub" / "yellow.mp4").unlink()
    assert index.add(media).removed == 0
    assert index.add(media / "sub", prune=True).removed == 1
    assert name(index.search("white")[0]) == "white.png"
    assert index.add(media, prune=True).removed == 1
    assert index.search("white")[0].score < 0.9


def test_a_bad_file_is_told_and_skipped(index, media):
    (media / "bad.mp4").write_bytes(b"\0" * 2000)
    (media / "empty.jpg").write_bytes(b"")
    (media / "dangling.mp4").symlink_to(media / "nowhere")
    report = index.add(media)
    assert {os.path.basename(failure.path) for failure in report.failures} == {
        "bad.mp4",
        "empty.jpg",
        "dangling.mp4",
    }
    assert all(failure.path in failure.error for failure in report.failures)
    assert report.unchanged == 4


def test_captions_beside_a_video_are_its_words(tmp_path):
    video = toy.make_video(tmp_path / "talk.mp4", ["red", "blue", "green"])
    (tmp_path / "talk.srt").write_text(
        "1\n00:00:00,500 --> 00:00:03,000\nfirst we glue the wood\n\n"
        "2\n00:00:08,200 --> 00:00:11,000\nthen it is painted\n"
    )
    index = Index.open(tmp_path / "x.index", toy.ColourEncoder())
    index.add(tmp_path)
    assert [hit.text for hit in index.moments(index.search("red")[0].media_id)] == [
        "first we glue the wood",
        "",
        "then it is painted",
    ]
    said = index.search("gluing wood", text_weight=1.0)
    assert [(hit.start_s, hit.text) for hit in said] == [(0, "first we glue the wood")]
    assert said[0].bm25 > 0
    both = index.search("blue paint")
    assert {both[0].start_s, both[1].start_s} == {4, 8}, "one by its picture, the other by its text"
    assert all(hit.visual is not None for hit in both)
    assert [c.text for c in index.transcript(said[0].media_id)] == [
        "first we glue the wood",
        "then it is painted",
    ]
    assert index.search("red", text_weight=0.0)[0].score > 0.9
    (tmp_path / "talk.srt").write_text("1\n00:00:00,500 --> 00:00:03,000\nnow sand it\n")
    assert index.add(tmp_path).replaced == 1
    assert index.search("sand", text_weight=1.0)[0].path == str(video)
    assert index.search("glue", text_weight=1.0) == []


def test_one_clip_a_caption(tmp_path):
    toy.make_video(tmp_path / "talk.mp4", ["red", "blue", "green"])
    (tmp_path / "talk.srt").write_text(
        "1\n00:00:00,500 --> 00:00:03,000\none\n\n2\n00:00:08,200 --> 00:00:11,000\ntwo\n"
    )
    index = Index.open(tmp_path / "x.index", toy.ColourEncoder())
    index.add(tmp_path, by_caption=True)
    assert {(start, end) for _, start, end in contents(index)} == {(0.5, 3.0), (8.2, 11.0)}
    assert index.search("green", text_weight=0)[0].text == "two"


def test_a_manifest_decides_spans_words_titles_and_more(tmp_path):
    toy.make_video(tmp_path / "v.mp4", ["red", "blue", "green"])
    toy.make_picture(tmp_path / "p.png", "white")
    (tmp_path / "m.csv").write_text(
        "path,start_s,end_s,text,title,split\nv.mp4,1,3,hello there,Intro,train\n"
        "v.mp4,9,11,,,test\nv.mp4,99,100,,,test\np.png,,,a white wall,,val\n"
    )
    index = Index.open(tmp_path / "x.index", toy.ColourEncoder())
    report = index.add(tmp_path / "m.csv")
    assert {(start, end) for _, start, end in contents(index)} == {(1, 3), (9, 11), (0, 0)}
    assert ["after its end" in failure.error for failure in report.failures] == [True]
    hit = index.search("red", text_weight=0)[0]
    assert (hit.title, hit.text, hit.meta) == ("Intro", "hello there", {"split": "train"})
    assert index.search("wall", text_weight=1)[0].meta == {"split": "val"}


def test_an_index_refuses_another_model(index):
    class Other(toy.ColourEncoder):
        name = "other"
        sha256 = "0" * 64

    with pytest.raises(IndexMismatch, match="made by the model colour, not by other"):
        Index.open(index.store.address, Other())
    with pytest.raises(IndexMismatch, match=r"colour.*leave --model away, or"):
        Index.open(index.store.address, "openai/clip-vit-base-patch32")
    with pytest.raises(IndexMismatch, match="leave --model away if you meant 'colour', or"):
        Index.open(index.store.address, "color")


def test_what_is_no_index_is_told(tmp_path):
    with pytest.raises(SaysoError, match=r"no index at .*sayso index"):
        Index.open(tmp_path / "nowhere", create=False)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "x.txt").write_text("x")
    with pytest.raises(SaysoError, match=r"holds other things \(x.txt\).*sayso index INDEX .*photos"):
        Index.open(tmp_path / "photos", toy.ColourEncoder()).add(tmp_path)
    with pytest.raises(SaysoError, match=r"is a file.*sayso index INDEX .*x.txt"):
        Index.open(tmp_path / "photos" / "x.txt", toy.ColourEncoder()).add(tmp_path)
    assert os.listdir(tmp_path / "photos") == ["x.txt"]


def test_the_index_names_its_model(index):
    info = index.info()
    assert {"schema", "model", "model_sha256", "dim", "normalised", "created"} <= info.keys()
    assert (info["model"], info["dim"], info["clips"], info["media"]) == ("colour", 5, 7, 4)


@settings(max_examples=15, deadline=None)
@given(st.sets(st.sampled_from(sorted(toy.COLOURS)), max_size=7))
def test_vectors_and_rows_cannot_slip(tmp_path_factory, gone):
    """Whatever is removed, every remaining row still has the vector of its own picture."""
    folder = tmp_path_factory.mktemp("slip")
    for colour in toy.COLOURS:
        toy.make_picture(folder / f"{colour}.png", colour)
    index = Index.open(folder / "x.index", toy.ColourEncoder())
    index.add(folder)
    for colour in gone:
        (folder / f"{colour}.png").unlink()
    index.add(folder, prune=True)
    rows = index.store.clips.to_arrow().select(["path", "vector"]).to_pylist()
    assert {os.path.basename(row["path"])[:-4] for row in rows} == set(toy.COLOURS) - gone
    for row in rows:
        expected = toy.direction(toy.COLOURS[os.path.basename(row["path"])[:-4]])
        np.testing.assert_allclose(np.float32(row["vector"]), expected, atol=2e-3)
