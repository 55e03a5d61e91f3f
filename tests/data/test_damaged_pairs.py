"""A thousand damaged samples: each is counted with its reason, and the sound ones are read."""

from __future__ import annotations

import json
import os
import tarfile
from collections import Counter

import numpy as np
import pytest

from data.alt_text.corpora import encoded, rows_of
from data.damaged import CUT, GOOD, NO_PICTURE, write_damaged
from data.test_shards import write_shard
from sayso.core.errors import SaysoError
from sayso.data import Loader, PicturePairDataset, read_picture_pairs
from sayso.data.alt_text import NO_RULES, curate

WHEN_DECODED = {CUT, NO_PICTURE, "has more pixels than can be decoded"}


def test_curation_counts_each_with_its_reason(tmp_path):
    expected = write_damaged(tmp_path)
    result = curate(tmp_path, tmp_path / "kept.parquet")
    assert Counter({one.reason: one.count for one in result.problems}) == expected
    assert result.dropped == {"unreadable": 1000}
    assert (result.kept, result.pictures) == (60, 60)
    assert Counter(row["why"] for row in rows_of(tmp_path / "kept.parquet") if row["dropped_by"]) == expected
    pairs = read_picture_pairs(tmp_path / "kept.parquet")
    assert sum(1 for i in range(len(pairs)) if pairs.read(i)) == 60
    assert not pairs.problems


def test_reading_counts_each_with_its_reason_and_training_the_rest(tmp_path):
    expected = write_damaged(tmp_path)
    pairs = read_picture_pairs(tmp_path)
    listed = {why: count for why, count in expected.items() if why not in WHEN_DECODED}
    assert {one.reason: one.count for one in pairs.problems} == listed
    assert len(pairs.failures) == len(listed)
    wrong = {i: why for i in range(len(pairs)) if (why := error_of(pairs, i))}
    assert all(pairs.name(i) in why for i, why in wrong.items())
    bad = len(wrong)
    assert bad == expected.total() - sum(listed.values())
    assert len(pairs) - bad == 60


def error_of(pairs, picture):
    try:
        pairs.read(picture, 64)
    except SaysoError as error:
        return str(error)
    return ""


def test_a_loader_goes_on_with_others_in_place_of_those_that_cannot_be_decoded(tmp_path):
    write_damaged(tmp_path, damaged=220)
    loader = Loader(PicturePairDataset(read_picture_pairs(tmp_path), 24), 10, workers=2, epochs=1)
    batches = list(loader)
    assert len(batches) == len(loader.dataset) // 10
    images = np.concatenate([batch["image"] for batch in batches])
    assert np.ptp(images, axis=(1, 2)).max() < 8  # every one is of one colour
    assert loader.failures and {failure.stage for failure in loader.failures} == {"decode"}


@pytest.mark.parametrize("cut", [700, 5_000, -10_000])
def test_a_shard_that_was_cut_off_keeps_what_stands_before(tmp_path, cut):
    files = {f"{n:03d}.{suffix}": content for n in range(6) for suffix, content in GOOD[0].items()}
    path = write_shard(tmp_path / "0.tar", files)
    path.write_bytes(path.read_bytes()[:cut])
    write_shard(tmp_path / "1.tar", {"z.jpg": encoded(), "z.txt": b"sound"})
    pairs = read_picture_pairs(tmp_path)
    assert ("sound",) in [pairs.captions(i) for i in range(len(pairs))]
    assert "its shard is damaged or cut off after it" in [one.reason for one in pairs.problems]
    assert all("0.tar" in one.where for one in pairs.problems)


def test_a_shard_that_shrank_after_it_was_listed_is_told(tmp_path):
    path = write_shard(tmp_path / "0.tar", {f"{n}.{s}": c for n in range(3) for s, c in GOOD[0].items()})
    pairs = read_picture_pairs(path)
    path.write_bytes(path.read_bytes()[:600])
    with pytest.raises(SaysoError, match="is shorter than when it was listed"):
        pairs.read(2)
    path.unlink()
    with pytest.raises(SaysoError, match="cannot be read"):
        pairs.read(0)


def test_tables_and_manifests_with_broken_rows(tmp_path):
    (tmp_path / "a.jpg").write_bytes(encoded())
    rows = [{"path": "a.jpg", "text": "sound"}, [1], {"path": 3, "text": "x"}, {"path": "a.jpg"}]
    rows += [{"path": "a.jpg", "text": text} for text in ("", 4)]
    rows += [{"path": path, "text": "x"} for path in ("none.jpg", "n" * 300, "\0")]
    places = [(1e30, 5), (10**20, 5), (-4, 5), (0, 10**20), (0, -7)]
    rows += [{"path": "a.jpg", "text": "x", "offset": at, "size": size} for at, size in places]
    (tmp_path / "list.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows) + "{\n")
    pairs = read_picture_pairs(tmp_path / "list.jsonl")
    assert [pairs.captions(i) for i in range(len(pairs))] == [("sound",)]
    assert {one.reason: one.count for one in pairs.problems} == {
        "is no object": 2,
        "names no file": 1,
        "has no caption": 1,
        "its caption is empty": 1,
        "its caption is no text": 1,
        "there is no such file": 3,
        "its place in an archive is wrong": 5,
    }


def test_nothing_waits_for_a_pipe_or_reads_a_folder_as_a_file(tmp_path):
    (tmp_path / "a.jpg").write_bytes(encoded())
    (tmp_path / "a.txt").write_text("sound")
    (tmp_path / "b.jpg").write_bytes(encoded())
    os.mkfifo(tmp_path / "b.txt")
    os.mkfifo(tmp_path / "c.jpg")
    (tmp_path / "c.txt").write_text("of a pipe")
    (tmp_path / "d.jpg").write_bytes(encoded())
    (tmp_path / "d.txt").mkdir()
    result = curate(tmp_path, tmp_path / "kept.parquet", NO_RULES)
    assert result.kept == 1
    assert {(one.reason, one.missing) for one in result.problems} == {
        ("its caption is empty", False),
        ("has no caption", True),
        ("is a named pipe", False),
    }


def test_links_and_hidden_members_of_a_shard_are_no_samples(tmp_path):
    path = write_shard(tmp_path / "0.tar", {"a.jpg": encoded(), "a.txt": b"sound", "._a.jpg": b"x"})
    with tarfile.open(path, "a") as shard:
        link = tarfile.TarInfo("b.jpg")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        shard.addfile(link)
    pairs = read_picture_pairs(path)
    assert (len(pairs), bool(pairs.problems)) == (1, False)
