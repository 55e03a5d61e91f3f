"""An index in an object store: the same as on disk, served here by moto on loopback."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import pytest

import toy
from sayso import Index
from sayso.index.lock import Lease
from sayso.index.store import Store
from waiting import PATIENCE_S


@pytest.fixture(scope="module")
def bucket():
    boto3 = pytest.importorskip("boto3")
    server_module = pytest.importorskip("moto.server")
    server = server_module.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT", endpoint)
        patch.setenv("AWS_ALLOW_HTTP", "true")
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket="films")
        yield "s3://films"
    server.stop()


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
