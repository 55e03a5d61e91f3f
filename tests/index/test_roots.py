"""What an index remembers: the same command without its options changes nothing; drives come and go."""

from __future__ import annotations

import os
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

import toy
from sayso import Index
from sayso.core.errors import SaysoError
from sayso.index.roots import Cut, Root, Roots, absolute, read_roots


def opened(where) -> Index:
    return Index.open(where, toy.ColourEncoder())


def spans(index: Index) -> set[tuple[str, float, float]]:
    rows = index.store.clips.to_arrow().select(["path", "start_s", "end_s"]).to_pylist()
    assert len(rows) == len({(row["path"], row["start_s"]) for row in rows})
    return {(os.path.basename(row["path"]), row["start_s"], row["end_s"]) for row in rows}


@pytest.fixture
def media(tmp_path):
    """A folder with a video and a picture, and in it another with a video that has captions."""
    folder = tmp_path / "media"
    (folder / "talks").mkdir(parents=True)
    toy.make_video(folder / "rb.mp4", ["red", "blue"])
    toy.make_picture(folder / "white.png", "white")
    toy.make_video(folder / "talks" / "talk.mp4", ["green", "cyan"])
    srt = "1\n00:00:01,000 --> 00:00:03,000\none\n\n2\n00:00:05,000 --> 00:00:07,000\ntwo\n"
    (folder / "talks" / "talk.srt").write_text(srt)
    return folder


def test_the_same_command_without_its_options_changes_nothing(media, tmp_path):
    where = tmp_path / "x.index"
    opened(where).add(media, window_s=2.0)
    before = spans(opened(where))
    assert {(start, end) for name, start, end in before if name == "rb.mp4"} == {
        (0, 2),
        (2, 4),
        (4, 6),
        (6, 8),
    }
    for again in (opened(where).add(media), opened(where).add(), opened(where).add(media / "talks")):
        assert (again.clips, again.replaced, again.failures) == (0, 0, [])
    assert spans(opened(where)) == before
    assert opened(where).add(media, window_s=4.0).replaced == 2
    assert opened(where).add().unchanged == 3


def test_without_paths_all_that_was_named_is_brought_up_to_date(media, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    alone = toy.make_picture(other / "cyan.png", "cyan")
    toy.make_picture(other / "not named.png", "black")
    index = opened(tmp_path / "x.index")
    index.add(media)
    index.add(alone)
    toy.make_picture(media / "talks" / "new.png", "yellow")
    toy.make_picture(alone, "magenta")
    report = index.add()
    assert (report.files, report.added, report.replaced, report.unchanged) == (5, 1, 1, 3)
    assert [(row.path, row.kind) for row in read_roots(index.store).rows] == [
        (str(media), "folder"),
        (str(alone), "file"),
    ]


def test_an_index_that_remembers_nothing_says_so(media, tmp_path):
    index = opened(tmp_path / "x.index")
    index.add(media)
    index.store.connection.drop_table("roots")  # as an older sayso left it
    with pytest.raises(SaysoError, match=r"remembers no folders; name them once: sayso index .*x.index PATH"):
        index.add()
    assert index.add(media).unchanged == 3
    assert index.add().unchanged == 3


def test_a_folder_in_a_folder_is_cut_in_its_own_way_until_both_are_asked_for(media, tmp_path):
    index = opened(tmp_path / "x.index")
    index.add(media)
    assert index.add(media / "talks", by_caption=True).replaced == 1
    talk = {(start, end) for name, start, end in spans(index) if name == "talk.mp4"}
    assert talk == {(1, 3), (5, 7)}
    assert index.add().unchanged == index.add(media).unchanged == 3
    assert index.add(media, by_caption=False).replaced == 1
    assert [row.path for row in read_roots(index.store).rows] == [str(media)]
    assert index.add().unchanged == 3


def test_a_list_of_failures_is_no_root(media, tmp_path):
    index = opened(tmp_path / "x.index")
    index.add(media)
    (tmp_path / "failed.jsonl").write_text(
        f'{{"path": "{media / "white.png"}", "stage": "read", "error": "x"}}\n'
    )
    index.add(tmp_path / "failed.jsonl")
    assert [row.path for row in read_roots(index.store).rows] == [str(media)]


def test_a_drive_that_is_not_mounted_is_no_reason_to_prune(media, tmp_path):
    drive = tmp_path / "drive"
    shutil.copytree(media, drive)
    (media / "linked").symlink_to(drive / "talks")
    index = opened(tmp_path / "x.index")
    index.add(drive, media)
    before = spans(index), index.store.records().keys()
    drive.rename(tmp_path / "elsewhere")
    report = index.add(prune=True)
    assert (report.removed, report.absent) == (0, (str(drive),))
    assert index.add(drive, media, prune=True).removed == 0
    drive.mkdir()  # where it was mounted
    assert index.add(prune=True).removed == 0
    assert index.add(drive, prune=True).removed == 0
    assert (spans(index), index.store.records().keys()) == before
    drive.rmdir()
    (tmp_path / "elsewhere").rename(drive)
    assert index.add(prune=True).unchanged == 7
    (drive / "white.png").unlink()
    assert index.add().vanished == 1
    assert index.add(prune=True).removed == 1


NAMES = st.lists(st.sampled_from("abc"), max_size=3).map(lambda parts: "/" + "/".join(parts))


@given(st.lists(st.tuples(NAMES, st.booleans(), st.integers(1, 3)), max_size=6), NAMES)
def test_the_longest_root_decides(named, path):
    rows = {
        name: Root(name, "left out" if out else "folder", float(window), False, str(k))
        for k, (name, out, window) in enumerate(named)
    }
    roots = Roots(tuple(rows.values()))
    covering = [row for row in rows.values() if row.covers(path)]
    owner = max(covering, key=lambda row: len(row.path), default=None)
    assert roots.owner(path) == owner
    assert roots.is_left_out(path) == (owner is not None and owner.kind == "left out")
    if owner is not None and owner.kind == "folder":
        assert roots.segmentation(path) == owner.segmentation


def test_naming_again_remembers_once(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    files = [str(toy.make_picture(tmp_path / "a" / "b" / f"{k}.png", "red")) for k in range(3)]
    above, below = absolute(str(tmp_path / "a")), absolute(str(tmp_path / "a" / "b"))
    roots = Roots().named([below, *files], Cut())
    assert [row.path for row in roots.rows] == [below]
    roots = roots.named([above], Cut())
    assert [row.path for row in roots.rows] == [above]
    assert roots.named([below, above, *files], Cut()) == roots
    finer = roots.named(files[:1], Cut(window_s=1.0))
    assert [(row.path, row.window_s) for row in finer.rows] == [(above, 4.0), (files[0], 1.0)]
    out = finer.without(below)
    assert [(row.path, row.kind) for row in out.rows] == [(above, "folder"), (below, "left out")]
    assert out.is_left_out(files[0]) and not out.named(files[:1], Cut()).is_left_out(files[0])
    assert out.without(above).rows == ()
