"""A corpus keeps what it was given, in memory and on disk."""

from __future__ import annotations

import math
import tarfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayso.core.errors import SaysoError
from sayso.core.types import Caption, Span
from sayso.data import Corpus, Missing, read_corpus
from sayso.data.corpus import CorpusBuilder

times = st.floats(0, 1e4, allow_nan=False)
said = st.lists(st.tuples(times, times, st.sampled_from(["cut", "stir it", "", "  "])), max_size=6)


def content(corpus):
    """Return all of a corpus as plain lists."""
    videos = [
        (
            corpus.ids[v],
            corpus.paths[v],
            corpus.parts[v].tolist(),
            [corpus.caption(c) for c in corpus.captions_of(v)],
        )
        for v in range(len(corpus))
    ]
    return videos, corpus.missing, corpus.dropped


@settings(deadline=None)
@given(st.lists(said, max_size=5))
def test_captions_come_back_by_video_in_order_of_time(videos):
    builder = CorpusBuilder()
    kept = []
    for i, captions in enumerate(videos):
        builder.add(f"v{i}", f"/films/v{i}.mp4", captions)
        good = sorted((start, end, text) for start, end, text in captions if text.strip() and start <= end)
        kept += [(f"v{i}", good)] if good else []
    corpus = builder.finish()
    assert list(corpus.ids) == [name for name, _ in kept]
    assert corpus.captions == sum(len(good) for _, good in kept)
    for v, (_, good) in enumerate(kept):
        assert [corpus.caption(c) for c in corpus.captions_of(v)] == [
            Caption(Span(start, end), text) for start, end, text in good
        ]
        assert {corpus.video_of(c) for c in corpus.captions_of(v)} == {v}
    assert corpus.dropped == sum(map(len, videos)) - corpus.captions
    assert len(corpus.missing) == len(videos) - len(kept)


def test_impossible_captions_are_counted_and_left_out():
    builder = CorpusBuilder()
    captions = [
        (math.nan, 1, "a"),
        (1, math.nan, "b"),
        (2, 1, "c"),
        (math.inf, math.inf, "d"),
        (-1, 2, " e\nf "),
    ]
    builder.add("v", "v.mp4", captions)
    corpus = builder.finish()
    assert corpus.dropped == 4
    assert corpus.caption(0) == Caption(Span(0, 2), "e f")


def test_a_saved_corpus_is_the_same_and_stays_on_disk(corpus, tmp_path):
    folder = corpus.save(tmp_path / "deep" / "saved")
    opened = read_corpus(folder)
    assert content(opened) == content(corpus)
    assert isinstance(opened.spans.base, np.memmap)
    assert [path.name for path in folder.parent.iterdir()] == ["saved"]
    with pytest.raises(SaysoError, match="saved is there already"):
        corpus.save(folder)


def test_an_empty_corpus_can_be_saved(tmp_path):
    builder = CorpusBuilder()
    builder.miss("x", "is gone")
    opened = Corpus.open(builder.finish().save(tmp_path / "empty"))
    assert (len(opened), opened.captions, opened.missing) == (0, 0, [Missing("x", "is gone")])


@pytest.mark.parametrize("head", ['{"schema": 99}', "{", '{"schema": 1, "missing": [], "dropped": 0}'])
def test_what_is_no_saved_corpus_is_one_sentence(tmp_path, head):
    (tmp_path / "corpus.json").write_text(head)
    with pytest.raises(SaysoError, match="save it anew"):
        read_corpus(tmp_path)


def test_a_video_in_a_shard_is_read_from_where_it_lies(tmp_path):
    inside = tmp_path / "x.mp4"
    inside.write_bytes(bytes(range(256)) * 9000)
    with tarfile.open(tmp_path / "s.tar", "w") as shard:
        shard.add(inside, "x.mp4")
    with tarfile.open(tmp_path / "s.tar") as shard:
        (member,) = shard.getmembers()
    builder = CorpusBuilder()
    part = (member.offset_data, member.size)
    builder.add("x", str(tmp_path / "s.tar"), [(0, 1, "hello")], part)
    builder.add("whole", str(inside), [(0, 1, "hello")])
    corpus = builder.finish()
    with corpus.file(0) as copy:
        assert Path(copy).read_bytes() == inside.read_bytes()
    with corpus.file(1) as same:
        assert same == str(inside)
    assert corpus.name(0) == f"{tmp_path / 's.tar'}: x"
    (tmp_path / "s.tar").write_bytes(b"cut")
    with pytest.raises(SaysoError, match="shorter than when it was listed"), corpus.file(0):
        pass
    (tmp_path / "s.tar").unlink()
    with pytest.raises(SaysoError, match="No such file"), corpus.file(0):
        pass
