"""WebDataset shards: listed by their headers, videos read from inside."""

from __future__ import annotations

import io
import json
import tarfile

import numpy as np
import pytest

from data.narrated import colour_of, narrate
from sayso.core.types import Caption, Span
from sayso.data import Clips, Loader, read_corpus

WHOLE = Span(0, float("inf"))


def write_shard(path, files):
    with tarfile.open(path, "w") as shard:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            shard.addfile(entry, io.BytesIO(content))
    return path


CUES = b"WEBVTT\n\n00:01.000 --> 00:02.000\nglue it\n"
LISTS = {"start": [1, 3], "end": [2, 4], "text": ["cut", "glue"]}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"txt": b"a whole video\n"}, [Caption(WHOLE, "a whole video")]),
        ({"vtt": CUES, "txt": b"title"}, [Caption(Span(1, 2), "glue it")]),
        ({"en.vtt": CUES}, [Caption(Span(1, 2), "glue it")]),
        ({"json": json.dumps(LISTS).encode()}, [Caption(Span(1, 2), "cut"), Caption(Span(3, 4), "glue")]),
        ({"json": b'[{"start": 1, "end": 2, "text": "cut"}]'}, [Caption(Span(1, 2), "cut")]),
        ({"json": b'{"captions": [{"start": 1, "end": 2, "text": "cut"}]}'}, [Caption(Span(1, 2), "cut")]),
        ({"json": b'{"caption": "all of it", "fps": 25}'}, [Caption(WHOLE, "all of it")]),
        ({"json": b'{"fps": 25}', "txt": b"told"}, [Caption(WHOLE, "told")]),
    ],
)
def test_captions_of_every_form(tmp_path, files, expected):
    named = {f"part/0001.{suffix}": content for suffix, content in files.items()}
    corpus = read_corpus(write_shard(tmp_path / "s.tar", {"part/0001.mp4": b"x", **named}))
    assert [corpus.caption(c) for c in range(corpus.captions)] == expected
    assert list(corpus.ids) == ["part/0001"]


CUE = b"1\n00:00:01,000 --> 00:00:02,000\n%s\n"


def said(corpus):
    return {name: corpus.caption(corpus.captions_of(v)[0]).text for v, name in enumerate(corpus.ids)}


def test_names_with_dots_are_videos_of_their_own(tmp_path):
    files = {
        "talk.v1.mp4": b"1",
        "talk.v1.srt": CUE % b"one",
        "talk.v2.mp4": b"22",
        "talk.v2.en.srt": CUE % b"two",
        "x.y/a.mp4": b"333",
        "x.y/a.srt": CUE % b"three",
        "0001.video.mp4": b"4444",
        "0001.txt": b"four",
        "only.one.MP4": b"55555",
        "only.one.txt": b"five",
    }
    corpus = read_corpus(write_shard(tmp_path / "s.tar", files))
    assert said(corpus) == {
        "talk.v1": "one", "talk.v2": "two", "x.y/a": "three", "0001": "four", "only.one": "five",
    }  # fmt: skip
    assert [int(size) for _, size in corpus.parts] == [1, 2, 3, 4, 5]
    assert (corpus.missing, corpus.failures) == ([], ())


def test_the_order_of_a_shard_does_not_matter(tmp_path):
    files = {"talk.v2.srt": CUE % b"two", "b.txt": b"b", "talk.v1.srt": CUE % b"one"}
    files |= {"talk.v1.mp4": b"1", "b.mp4": b"x", "talk.v2.mp4": b"2"}
    assert said(read_corpus(write_shard(tmp_path / "s.tar", files))) == {
        "talk.v1": "one", "talk.v2": "two", "b": "b",
    }  # fmt: skip


def test_captions_without_a_video_and_names_that_stand_twice_are_told(tmp_path, caplog):
    files = {"talk.v1.mp4": b"1", "talk.v1.txt": b"one", "talk.v2.mp4": b"2", "talk.v2.txt": b"two"}
    path = write_shard(tmp_path / "s.tar", files | {"talk.v3.txt": b"three"})
    with tarfile.open(path, "a") as shard:
        shard.addfile(tarfile.TarInfo("talk.v1.mp4"), io.BytesIO())
    corpus = read_corpus(path)
    assert sorted(said(corpus)) == ["talk.v1", "talk.v2"]
    assert {one.path: one.error for one in corpus.failures} == {
        f"{path}: talk.v1.mp4": "is there twice, the last counts",
        f"{path}: talk.v3.txt": "has no video",
    }
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda data: data[:1024] + b"\xff" * 512 + data[1536:], "the header there is damaged (byte 1,024)"),
        (lambda data: data[:1024], "it has no end mark and may be cut off (byte 1,024)"),
        (lambda data: data[:3000], "the header there is damaged|unexpected end of data"),
    ],
)
def test_a_shard_that_is_damaged_after_its_beginning_is_told(tmp_path, spoil, why):
    """Two blocks a file: its header, and its content."""
    files = {"a.mp4": b"1", "a.txt": b"a", "b.mp4": b"2", "b.txt": b"b"}
    path = write_shard(tmp_path / "s.tar", files)
    path.write_bytes(spoil(path.read_bytes()))
    corpus = read_corpus(path)
    assert any(part in corpus.failures[-1].error for part in why.split("|")), corpus.failures


def test_what_is_wrong_in_a_shard_costs_that_sample_or_that_shard(tmp_path):
    files = {
        "a.mp4": b"x",
        "a.json": b"{",
        "b.txt": b"no video",
        "c.mp4": b"no caption",
        "d.mp4": b"x",
        "d.txt": b"good",
    }
    write_shard(tmp_path / "0.tar", files)
    (tmp_path / "1.tar").write_bytes(b"no tar at all" * 100)
    corpus = read_corpus(tmp_path)
    assert list(corpus.ids) == ["d"]
    why = {missing.video.removeprefix(str(tmp_path)): missing.why for missing in corpus.missing}
    assert why["/0.tar: b"] == "has no video"
    assert why["c"] == "has no captions"
    assert "JSON holds no captions" in why["/0.tar: a"]
    assert "cannot be read further" in why["/1.tar"]


def test_clips_out_of_shards_are_those_of_the_files(tmp_path):
    (tmp_path / "files").mkdir()
    for name in ("a", "b", "c"):
        narrate(tmp_path / "files", name)
    files = {path.name: path.read_bytes() for path in sorted((tmp_path / "files").iterdir())}
    write_shard(tmp_path / "0.tar", {k: v for k, v in files.items() if k[0] != "c"})
    write_shard(tmp_path / "1.tar", {k: v for k, v in files.items() if k[0] == "c"})

    def batches(place):
        dataset = Clips(read_corpus(place), frames=2, fps=2, size=32, bag_size=1, min_s=0)
        return list(Loader(dataset, 3, workers=2, epochs=2))

    packed, plain = batches(tmp_path), batches(tmp_path / "files")
    assert len(packed) == 2
    for one, other in zip(packed, plain, strict=True):
        assert np.array_equal(one["frames"], other["frames"])
        assert one["texts"].tolist() == other["texts"].tolist()
        assert [colour_of(frames) for frames in one["frames"]] == [
            texts[0].split()[1] for texts in one["texts"]
        ]


def test_a_damaged_video_in_a_shard_is_named_as_it_is_in_the_shard(tmp_path):
    narrate(tmp_path, "good")
    files = {"good.mp4": (tmp_path / "good.mp4").read_bytes(), "good.txt": b"good"}
    corpus = read_corpus(write_shard(tmp_path / "s.tar", files | {"x/bad.mp4": b"none", "x/bad.txt": b"bad"}))
    loader = Loader(Clips(corpus, frames=1, fps=1, size=16, bag_size=1), 1, workers=0, epochs=1)
    assert [batch["texts"].tolist() for batch in loader] == [[["good"]]] * 2
    (failure,) = loader.failures
    assert failure.path == f"{tmp_path / 's.tar'}: x/bad"
    assert failure.error.startswith(f"{tmp_path / 's.tar'}: x/bad is not a video")
