"""Readers never see half a file, nor two versions of one: neither after a kill nor while it is read."""

from __future__ import annotations

import pytest

import toy
from sayso import Index
from sayso.index.store import Store


class Stop(BaseException):
    """As a kill."""


def answers(index):
    """Return all that a reader can see of an index, by each way to it."""
    seen = [(hit.path, hit.start_s, hit.media_id) for hit in index.search("red", limit=100)]
    said = [(hit.path, hit.start_s, hit.media_id) for hit in index.search("apple", limit=100)]
    every = [
        (hit.path, hit.start_s, hit.media_id) for hit in index.search("", sort="time", merge=False, limit=100)
    ]
    for _, _, media_id in {*seen, *said, *every}:
        index.media(media_id)  # a KeyError where its row is missing
    assert len(index) == index.info()["clips"]
    return sorted(seen), sorted(said), sorted(every), len(index)


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "media"
    folder.mkdir()
    toy.make_video(folder / "a.mp4", ["red", "blue", "green"])
    (folder / "a.srt").write_text("1\n00:00:00,000 --> 00:00:02,000\nan apple\n")
    return folder


@pytest.mark.slow
def test_at_every_commit_of_a_run_a_reader_sees_the_old_or_the_new(tmp_path, folder, monkeypatch):
    """Stop before and after any write of a run that adds a file and replaces another."""
    index = Index.open(tmp_path / "x.index", toy.ColourEncoder())
    index.add(folder)
    old = answers(index)
    toy.make_video(folder / "a.mp4", ["blue", "red", "white", "red"])
    toy.make_video(folder / "b.mp4", ["red", "red"])
    new = None
    seen = []

    def watched(name):
        write = getattr(Store, name)

        def told(self, *args, **kwargs):
            done = write(self, *args, **kwargs)
            reader = Index.open(tmp_path / "x.index", toy.ColourEncoder())
            seen.append(answers(reader))
            return done

        monkeypatch.setattr(Store, name, told)

    for name in ("append", "commit", "delete_clips"):
        watched(name)
    monkeypatch.setattr("sayso.index.writer.FLUSH_ROWS", 1)
    index.add(folder)
    new = answers(Index.open(tmp_path / "x.index", toy.ColourEncoder()))
    assert new[3] > old[3]
    assert len(seen) >= 5
    for state in seen:
        for path in (str(folder / "a.mp4"), str(folder / "b.mp4")):
            mine = [one for one in state[2] if one[0] == path]
            assert mine in (
                [one for one in old[2] if one[0] == path],
                [one for one in new[2] if one[0] == path],
            )


def test_clips_of_a_killed_run_are_not_found(tmp_path, folder, monkeypatch):
    index = Index.open(tmp_path / "x.index", toy.ColourEncoder())
    index.add(folder)
    before = answers(index)
    toy.make_video(folder / "long.mp4", ["red"], seconds_each=40)

    def stop(*_, **__):
        raise Stop

    monkeypatch.setattr("sayso.index.writer.FLUSH_ROWS", 2)
    monkeypatch.setattr(Store, "commit", stop)
    with pytest.raises(Stop):
        index.add(folder)
    monkeypatch.undo()
    reader = Index.open(tmp_path / "x.index", toy.ColourEncoder())
    assert reader.store.clips.count_rows() > before[3]  # they are there
    assert answers(reader) == before
    index.add(folder)
    assert len(answers(index)[2]) > len(before[2])


def test_a_reader_that_was_open_sees_what_became_whole(tmp_path, folder):
    """The last ranking is not kept over the commit of a medium."""
    index = Index.open(tmp_path / "x.index", toy.ColourEncoder())
    index.add(folder)
    before = answers(index)
    store = index.store
    rows = store.media.search().to_arrow()
    store.media.delete("true")
    assert answers(index) == ([], [], [], 0)
    store.media.add(rows)
    assert answers(index) == before
