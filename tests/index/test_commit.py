"""Many writers, one commit: shards of clips become visible together, once, whatever was killed in between."""

from __future__ import annotations

import random
import zlib
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from sayso.index.commit import settle_shards
from sayso.index.live import is_whole
from sayso.index.orphans import remove_orphans
from sayso.index.schema import MEDIA_SCHEMA, SCHEMA_VERSION, Identity, clips_schema
from sayso.index.shards import ShardFolder, ShardSink
from sayso.index.store import Store

pytest.importorskip("lance")
IDENTITY = Identity(SCHEMA_VERSION, "toy", "c0" * 32, 4, True, "")


def rows(name: str, clips: int) -> tuple[pa.Table, dict]:
    """Return the clips and the medium of a file; ``name`` is also its content."""
    schema = clips_schema(IDENTITY)
    empty = {"string": "", "double": 0.0, "binary": b"", "int32": 0}
    found = []
    for k in range(clips):
        row = {field.name: empty.get(str(field.type)) for field in schema}
        vector = np.random.default_rng(zlib.crc32(f"{name} {k}".encode())).random(4).astype(np.float16)
        found.append({**row, "id": f"{name}-{k}", "media_id": name, "vector": vector})
    medium = dict.fromkeys(MEDIA_SCHEMA.names) | {"path": name.partition("#")[0], "media_id": name}
    return pa.Table.from_pylist(found, schema=schema), medium | {"clips": clips, "captions": []}


def leave(store: Store, id_: str, files: dict[str, int], replaces: dict[str, str] | None = None) -> None:
    """Do what one of many writers does."""
    sink = ShardSink(store)
    for name, clips in files.items():
        table, medium = rows(name, clips)
        sink.append(table)
        sink.commit(pa.Table.from_pylist([medium], schema=MEDIA_SCHEMA))
    ShardFolder(store).write(sink.shard(id_, replaces or {}))


def held(store: Store) -> Counter[str]:
    store.refresh()
    return Counter(row["media_id"] for row in store.clips.to_arrow().select(["media_id"]).to_pylist())


@pytest.fixture
def store(tmp_path) -> Store:
    store = Store(tmp_path / "x.index")
    store.create(IDENTITY)
    return store


def test_all_open_shards_are_one_commit_of_each_table(store):
    for k in range(6):
        leave(store, f"s{k}", {f"a{k}": 3, f"b{k}": 1})
    before = store.clips.version, store.media.version
    assert held(store) == {}, "what is not committed is not seen"
    with store.writing():
        done = settle_shards(store)
    assert len(done.shards) == 6 and ShardFolder(store).ids() == []
    assert held(store) == {f"a{k}": 3 for k in range(6)} | {f"b{k}": 1 for k in range(6)}
    assert {row.media_id for row in store.records().values()} == set(held(store))
    assert (store.clips.version, store.media.version) == (before[0] + 1, before[1] + 1)
    assert settle_shards(store).shards == []


def test_the_same_shard_twice_is_there_once(store):
    leave(store, "s", {"a": 3})
    shard = ShardFolder(store).read("s")
    settle_shards(store)
    ShardFolder(store).write(shard)  # a second worker was at it, too
    assert [one.id for one in settle_shards(store).again] == ["s"]
    assert held(store) == {"a": 3}


@pytest.mark.parametrize("after", ["clips", "media", "removal"])
def test_a_commit_that_was_killed_goes_on(store, monkeypatch, after):
    leave(store, "first", {"old#1": 2, "kept": 1})
    settle_shards(store)
    leave(store, "s", {"a": 3, "old#2": 4}, {"old": "old#1"})
    leave(store, "t", {"b": 2})

    class Killed(BaseException):
        pass

    def stop(*_, **__):
        raise Killed

    target = {"clips": (store, "commit"), "media": (store, "delete_clips"), "removal": (ShardFolder, "drop")}
    commit = store.commit
    with monkeypatch.context() as patch:
        if after == "media":  # its own removal comes first, of nothing
            patch.setattr(
                store, "commit", lambda *given: (patch.setattr(store, "delete_clips", stop), commit(*given))
            )
        else:
            patch.setattr(*target[after], stop)
        with pytest.raises(Killed):
            settle_shards(store)
    settle_shards(store)
    remove_orphans(store)
    assert held(store) == {"a": 3, "old#2": 4, "b": 2, "kept": 1}
    assert is_whole(store) and len(store.records()) == 4


def test_remains_of_another_run_are_not_taken_for_the_shard(store):
    store.append(rows("a", 2)[0])  # of three: a run without shards was killed here
    leave(store, "s", {"a": 3, "b": 1})
    settle_shards(store)
    assert held(store) == {"a": 3, "b": 1} and is_whole(store)


def test_an_overtaken_shard_is_forgotten_whole(store):
    leave(store, "s", {"a": 3, "b": 1})
    leave(store, "t", {"b": 1, "c": 2})  # cut otherwise
    done = settle_shards(store)
    assert ([one.id for one in done.shards], [one.id for one in done.overtaken]) == (["s"], ["t"])
    assert held(store) == {"a": 3, "b": 1}
    leave(store, "u", {"a#2": 2}, {"a": "a"})
    leave(store, "v", {"a#3": 2}, {"a": "a"})  # read before the other was there
    assert len(settle_shards(store).overtaken) == 1
    assert held(store) in ({"a#2": 2, "b": 1}, {"a#3": 2, "b": 1})


def test_a_shard_whose_clips_were_cleaned_away_is_forgotten(store):
    leave(store, "s", {"a": 3})
    (fragment,) = ShardFolder(store).read("s").fragments
    path = fragment["files"][0]["path"]
    Path(store.address, "clips.lance", "data", path).unlink()
    assert len(settle_shards(store).overtaken) == 1
    assert held(store) == {} and store.records() == {}


def test_random_histories_keep_every_file_once(tmp_path):
    """Shards, doubles, kills between any two writes and compaction, in any order: against a dict."""
    for seed in range(3):
        rng = random.Random(seed)
        store = Store(tmp_path / f"{seed}.index")
        store.create(IDENTITY)
        truth: dict[str, int] = {}
        for step in range(8):
            files = {f"f{rng.randrange(6)}x{step}": rng.randint(1, 4) for _ in range(2)}
            leave(store, f"s{step}", files)
            shard = ShardFolder(store).read(f"s{step}")
            truth |= files
            if rng.random() < 0.4:  # killed between clips and media
                commit, store.commit = store.commit, lambda *_: 1 / 0
                with pytest.raises(ZeroDivisionError):
                    settle_shards(store)
                store.commit = commit
            if rng.random() < 0.5:
                store.clips.optimize()
            settle_shards(store)
            if rng.random() < 0.5:
                ShardFolder(store).write(shard)
        settle_shards(store)
        assert held(store) == truth and is_whole(store)
