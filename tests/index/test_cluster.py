"""An index read on a Ray cluster holds what one read here holds, whatever is killed. Also a program."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import toy
from sayso.index.adding import Adding, add_paths
from sayso.index.cluster import Cluster
from sayso.index.orphans import is_whole
from sayso.index.shards import ShardFolder
from sayso.index.store import Store

if __name__ != "__main__":
    pytest.importorskip("lance")
    pytest.importorskip("ray")
pytestmark = pytest.mark.slow
LIMIT_S = 200  # Ray starts in about 10 s
COLOURS = sorted(toy.COLOURS)


class Slow(toy.ColourEncoder):
    """Leaves time to be killed, and says where it is."""

    def encode_video(self, frames):
        if folder := os.environ.get("SAYSO_TEST_PIDS"):
            Path(folder, str(os.getpid())).touch()
            time.sleep(0.1)
        return super().encode_video(frames)


def rows(address) -> list[dict]:
    """Return all clips in the order of their ids."""
    store = Store(address)
    table = store.clips.to_arrow()
    assert is_whole(store) and ShardFolder(store).ids() == []
    return table.sort_by("id").to_pylist()


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> Path:
    """Thirty short videos, ten pictures, and a file that is no video."""
    folder = tmp_path_factory.mktemp("library")
    for k in range(30):
        toy.make_video(folder / f"v{k}.mp4", [COLOURS[k % 8], COLOURS[(k + 3) % 8]], fps=2)
    for k in range(10):
        toy.make_picture(folder / f"p{k}.png", COLOURS[k % 8], size=(32 + k, 32))
    (folder / "broken.mp4").write_bytes((folder / "v0.mp4").read_bytes()[:40])
    return folder


@pytest.fixture(scope="module")
def expected(library, tmp_path_factory) -> list[dict]:
    """What is in an index that was read here."""
    address = tmp_path_factory.mktemp("here") / "x.index"
    add_paths(Store(address), [str(library)], toy.ColourEncoder, Adding())
    return rows(address)


@contextlib.contextmanager
def driver(address, library, *, shard_files=8, pids=None):
    here = [str(Path(__file__).parent), str(Path(toy.__file__).parent), os.environ.get("PYTHONPATH", "")]
    env = os.environ | {"PYTHONPATH": os.pathsep.join(here), "RAY_USAGE_STATS_ENABLED": "0"}
    env |= {"SAYSO_TEST_PIDS": str(pids)} if pids else {}
    command = [sys.executable, __file__, str(address), str(library), str(shard_files)]
    process = subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def finished(process) -> str:
    out, _ = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 0, out
    return out


def test_the_same_rows_bit_for_bit(tmp_path, library, expected):
    with driver(tmp_path / "x.index", library) as process:
        assert "40 added, 1 failed" in finished(process)
    assert rows(tmp_path / "x.index") == expected
    assert Store(tmp_path / "x.index").clips.version <= 6 + 2 + 3  # of them 2 of making and keeping it


def test_in_a_bucket_too(bucket, library, expected):
    with driver(f"{bucket}/x.index", library) as process:
        assert "40 added, 1 failed" in finished(process)
    assert rows(f"{bucket}/x.index") == expected


def test_an_actor_that_is_killed(tmp_path, library, expected):
    pids = tmp_path / "pids"
    pids.mkdir()
    with driver(tmp_path / "x.index", library, pids=pids) as process:
        give_up = time.monotonic() + LIMIT_S
        while not any(pids.iterdir()) and time.monotonic() < give_up:
            time.sleep(0.05)
        os.kill(int(next(pids.iterdir()).name), signal.SIGKILL)
        assert "40 added, 1 failed" in finished(process)
    assert rows(tmp_path / "x.index") == expected


def test_a_driver_that_is_killed(tmp_path, library, expected):
    pids = tmp_path / "pids"
    pids.mkdir()
    with driver(tmp_path / "x.index", library, pids=pids) as process:
        give_up = time.monotonic() + LIMIT_S
        while not (tmp_path / "x.index" / "shards").is_dir() and time.monotonic() < give_up:
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
    with driver(tmp_path / "x.index", library) as process:
        assert "1 failed" in finished(process)
    assert rows(tmp_path / "x.index") == expected


def test_two_drivers_that_cut_shards_otherwise(tmp_path, library, expected):
    address = tmp_path / "x.index"
    with driver(address, library, shard_files=8) as one, driver(address, library, shard_files=5) as other:
        assert "1 failed" in finished(one) and "1 failed" in finished(other)
    assert rows(address) == expected


if __name__ == "__main__":
    from test_cluster import Slow as Encoder  # by its name, so that it can be pickled

    cluster = Cluster(Encoder, actors=2, shard_files=int(sys.argv[3]))
    report = add_paths(Store(sys.argv[1]), [sys.argv[2]], Encoder, Adding(cluster=cluster))
    print(f"{report.added} added, {len(report.failures)} failed")
