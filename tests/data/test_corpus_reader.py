"""What people have becomes a corpus; what is missing is counted."""

from __future__ import annotations

import csv
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sayso.core.errors import SaysoError
from sayso.core.types import Caption, Span
from sayso.data import read_corpus


def all_captions(corpus):
    return [[corpus.caption(c) for c in corpus.captions_of(v)] for v in range(len(corpus))]


def touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def test_a_folder_of_videos_with_captions_beside_them(tmp_path):
    touch(tmp_path, "a.mp4", "sub/b.mkv", "silent.mp4", "picture.jpg", "broken.mp4")
    (tmp_path / "a.en.srt").write_text("1\n00:00:01,000 --> 00:00:02,500\nCut the wood\n")
    (tmp_path / "sub" / "b.vtt").write_text("WEBVTT\n\n00:03.000 --> 00:04.000\nGlue it\n\nbroken cue\n")
    (tmp_path / "broken.srt").write_text("nothing of the kind")
    corpus = read_corpus(tmp_path)
    assert list(corpus.ids) == ["a", "b"]
    assert list(corpus.paths) == [str(tmp_path / "a.mp4"), str(tmp_path / "sub" / "b.mkv")]
    assert all_captions(corpus) == [
        [Caption(Span(1, 2.5), "Cut the wood")],
        [Caption(Span(3, 4), "Glue it")],
    ]
    gone = {missing.video.rpartition("/")[2]: missing.why for missing in corpus.missing}
    assert gone["silent"] == "has no captions"
    assert "expected" in gone["broken.mp4"]


ROWS = [
    {"path": "a.mp4", "start_s": 5.0, "end_s": 7.5, "text": "stir", "split": "train", "video_id": "A"},
    {"path": "a.mp4", "start_s": 1.0, "end_s": 2.0, "text": "pour", "split": "train", "video_id": "A"},
    {"path": "whole.mp4", "start_s": None, "end_s": None, "text": "a cat", "split": "test", "video_id": "W"},
    {"path": "gone.mp4", "start_s": 1.0, "end_s": 2.0, "text": "cut", "split": "train", "video_id": "G"},
]


def write_manifest(path, rows):
    if path.suffix == ".csv":
        with path.open("w", newline="") as file:
            table = csv.DictWriter(file, list(rows[0]))
            table.writeheader()
            table.writerows(rows)
    elif path.suffix == ".jsonl":
        path.write_text("\n".join(map(json.dumps, rows)))
    else:
        pq.write_table(pa.Table.from_pylist(rows), path)
    return path


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_a_manifest_of_captions(tmp_path, suffix):
    touch(tmp_path, "a.mp4", "whole.mp4")
    manifest = write_manifest(tmp_path / f"m{suffix}", ROWS)
    corpus = read_corpus(manifest)
    assert list(corpus.ids) == ["A", "W"]
    assert all_captions(corpus) == [
        [Caption(Span(1, 2), "pour"), Caption(Span(5, 7.5), "stir")],
        [Caption(Span(0, float("inf")), "a cat")],
    ]
    assert [m.video.rpartition("/")[2] for m in corpus.missing] == ["gone.mp4"]
    assert list(read_corpus(manifest, files=False).ids) == ["A", "W", "G"]
    train = read_corpus(manifest, split="train")
    assert list(train.ids) == ["A"]
    assert len(train.missing) == 1


def test_the_times_of_the_text_come_before_those_of_the_clip(tmp_path):
    touch(tmp_path, "a.mp4")
    row = {"path": "a.mp4", "start_s": 0, "end_s": 10, "text": "stir", "text_start_s": 2, "text_end_s": 3}
    assert all_captions(read_corpus(write_manifest(tmp_path / "m.jsonl", [row]))) == [
        [Caption(Span(2, 3), "stir")]
    ]


def test_a_manifest_without_texts_takes_them_from_caption_files(tmp_path):
    touch(tmp_path, "a.mp4", "b.mp4")
    cues = "WEBVTT\n\n00:00.000 --> 00:02.000\nfirst\n\n00:02.000 --> 00:04.000\nsecond\n"
    (tmp_path / "a.vtt").write_text(cues)
    (tmp_path / "told.vtt").write_text(cues)
    rows = [
        {"path": "a.mp4"},
        {"path": "b.mp4", "start_s": 0, "end_s": 4, "captions": "told.vtt"},
    ]
    assert all_captions(read_corpus(write_manifest(tmp_path / "m.jsonl", rows))) == [
        [Caption(Span(0, 2), "first"), Caption(Span(2, 4), "second")],
        [Caption(Span(0, 4), "first second")],
    ]


def test_a_wrong_row_costs_its_video_alone(tmp_path):
    touch(tmp_path, "a.mp4", "b.mp4", "c.mp4")
    rows = [
        {"path": "a.mp4", "start_s": 3, "end_s": 2, "text": "no"},
        {"path": "b.mp4", "text": "no", "text_start_s": "three", "text_end_s": 5},
        {"path": "c.mp4", "start_s": 1, "end_s": 2, "text": "yes"},
    ]
    corpus = read_corpus(write_manifest(tmp_path / "m.jsonl", rows))
    assert list(corpus.ids) == ["c"]
    assert len(corpus.missing) == 2


def test_reading_tells_how_far_it_is(tmp_path):
    touch(tmp_path, "a.mp4", "b.mp4")
    told = []

    class Told:
        def update(self, done, total=None, note="", amount=None):
            told.append((done, note))

        def message(self, text):
            raise AssertionError(text)

    read_corpus(tmp_path, progress=Told())
    assert told == [(1, "a.mp4"), (2, "b.mp4")]


@pytest.mark.parametrize("name", ["nowhere", "song.mp3"])
def test_what_is_no_corpus_is_one_sentence(tmp_path, name):
    (tmp_path / "song.mp3").write_bytes(b"x")
    with pytest.raises(SaysoError, match=f"{name}.*name a folder of videos, a manifest or a tar shard"):
        read_corpus(tmp_path / name)
