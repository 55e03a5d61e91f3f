"""An index in an object store: the same as on disk, served here by moto on loopback."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import pytest

import toy
from sayso import Index
from sayso.index.adding import Adding, add_paths
from sayso.index.cluster import Cluster
from sayso.index.live import is_whole
from sayso.index.lock import Lease
from sayso.index.shards import ShardFolder
from sayso.index.store import Store
from waiting import PATIENCE_S


def test_an_index_lives_in_a_bucket(bucket, media):
    index = Index.open(f"{bucket}/a.index", toy.ColourEncoder())
    assert index.add(media).added == 4
    again = Index.open(f"{bucket}/a.index", toy.ColourEncoder(), create=False)
    hit = again.search("blue")[0]
    assert (hit.title, hit.start_s, hit.end_s) == ("rbg", 4.0, 8.0)
    assert again.add(media).unchanged == 4
    assert len(again.thumbnail(hit.id)) > 100


def test_one_writer_at_a_time_and_a_dead_one_is_taken_over(bucket, caplog, monkeypatch):
    now = [time.time()]  # the leases' clock goes on where this test says so
    sleep = lambda seconds: now.__setitem__(0, now[0] + seconds)  # noqa: E731
    monkeypatch.setattr("sayso.index.lock.time", SimpleNamespace(time=lambda: now[0], sleep=sleep))
    connection = Store(f"{bucket}/lease.index").connection
    first, second = Lease(connection, seconds=1.0), Lease(connection, seconds=1.0)
    with first.hold():
        sleep(0.9)
        give_up = time.monotonic() + PATIENCE_S
        while not _held_until(connection, now[0] + 0.9) and time.monotonic() < give_up:
            time.sleep(0.05)
        sleep(0.5)
        assert not second.try_acquire(), "a living writer renews its lease"
    assert second.try_acquire()
    second.release()
    dead = Lease(connection, seconds=0.2)
    assert dead.try_acquire()  # and nobody renews
    with second.hold():
        assert _held_until(connection, now[0] + 0.9)
    (waited,) = (record for record in caplog.records if record.name.startswith("sayso"))
    assert waited.levelname == "WARNING" and "waiting" in waited.getMessage()


def _held_until(connection, moment):
    return connection.open_table("writer").count_rows(f"until >= {moment}") == 1


def test_of_many_writers_one_gets_the_lease(bucket):
    leases = [Lease(Store(f"{bucket}/race.index").connection, seconds=30) for _ in range(6)]
    leases[0].try_acquire()
    leases[0].release()
    got = []
    threads = [threading.Thread(target=lambda one=one: got.append(one.try_acquire())) for one in leases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(got) == 1


def test_work_that_is_done_does_not_fail_as_the_lease_cannot_be_given_back():
    said = iter(["nothing", "Too many concurrent writers", "nothing", "other"])

    def update(**_):
        if (error := next(said)) != "nothing":
            raise RuntimeError(error)

    table = SimpleNamespace(update=update, checkout_latest=lambda: None, count_rows=lambda *_: 1)
    lease = Lease(SimpleNamespace(create_table=lambda *_, **__: table), seconds=3600)
    with lease.hold():
        pass
    with pytest.raises(RuntimeError, match="other"), lease.hold():
        pass


def test_a_store_that_is_away_for_a_moment_ends_no_renewal():
    renewed, said = threading.Event(), iter(["", "connection reset", ""])

    def update(**_):
        if error := next(said, None):
            raise OSError(error)
        if error is None:
            renewed.set()

    table = SimpleNamespace(update=update, checkout_latest=lambda: None, count_rows=lambda *_: 1)
    with Lease(SimpleNamespace(create_table=lambda *_, **__: table), seconds=0.01).hold():
        assert renewed.wait(PATIENCE_S)


def test_shards_of_a_cluster_lie_in_the_bucket_too(bucket, media, ray_here, tmp_path):
    pytest.importorskip("lance")
    here, there = Store(tmp_path / "here.index"), Store(f"{bucket}/shards.index")
    add_paths(here, [str(media)], toy.ColourEncoder, Adding())
    written = []
    how = Adding(cluster=Cluster(toy.ColourEncoder, shard_files=2))
    with pytest.MonkeyPatch.context() as patch:
        write = ShardFolder.write
        patch.setattr(
            ShardFolder, "write", lambda folder, shard: (written.append(shard.id), write(folder, shard))
        )
        assert add_paths(there, [str(media)], toy.ColourEncoder, how).added == 4
    assert len(written) == 2 and ShardFolder(there).ids() == [] and is_whole(there)
    rows = [store.clips.to_arrow().sort_by("id").to_pylist() for store in (here, there)]
    assert rows[0] == rows[1]


def test_a_shard_that_was_left_in_the_bucket_is_committed(bucket, media, ray_here):
    """The driver was killed before its commit: the next run has nothing to read."""
    pytest.importorskip("lance")
    store, how = Store(f"{bucket}/left.index"), Adding(cluster=Cluster(toy.ColourEncoder, shard_files=4))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sayso.index.cluster.settle_shards", raise_interrupt)
        with pytest.raises(KeyboardInterrupt):
            add_paths(store, [str(media)], toy.ColourEncoder, how)
    assert len(ShardFolder(store).ids()) == 1 and store.clips.count_rows() == 0
    ray_here.clear()
    report = add_paths(Store(f"{bucket}/left.index"), [str(media)], toy.ColourEncoder, how)
    assert (report.unchanged, report.added, ray_here) == (4, 0, [])
    assert ShardFolder(store).ids() == [] and is_whole(Store(f"{bucket}/left.index"))


def raise_interrupt(_: object) -> None:
    raise KeyboardInterrupt
