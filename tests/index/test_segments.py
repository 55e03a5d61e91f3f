"""Search structures made in segments on a cluster answer as those made here do."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from ray_actors import actors
from sayso.index import maintaining, segments
from sayso.index.cluster import Cluster
from sayso.index.drawn import drawn_rows
from sayso.index.maintaining import maintain, missing_structures
from sayso.index.schema import SCHEMA_VERSION, Identity
from sayso.index.search import search_visual, search_words
from sayso.index.segments import build_on_cluster
from sayso.index.store import Store

pytest.importorskip("lance")
pytest.importorskip("ray")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="processes are found in /proc"),
]
COMMITS, CLIPS, DIM, K = 12, 1000, 32, 10


def no_encoder():
    raise AssertionError("no encoder is needed")


CLUSTER = Cluster(no_encoder, actors=2)


def drawn(seed: int, count: int) -> np.ndarray:
    """Unit vectors (N, D) around 60 centres."""
    centres = np.random.default_rng(7).standard_normal((60, DIM))
    rng = np.random.default_rng(seed)
    found = centres[rng.integers(0, 60, count)] + 0.5 * rng.standard_normal((count, DIM))
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


def filled(address) -> Store:
    """An index of many small commits, whose clips say words of unequal frequency."""
    store = Store(address)
    store.create(Identity(SCHEMA_VERSION, "drawn", "be" * 32, DIM, True, ""))
    rng = np.random.default_rng(0)
    for k in range(COMMITS):
        clips, media = drawn_rows(store.identity, k * CLIPS, drawn(k, CLIPS))
        said = [
            " ".join(f"word{n}" for n in rng.integers(0, 20, rng.integers(2, 9)) ** 2) for _ in range(CLIPS)
        ]
        at = clips.schema.get_field_index("text")
        store.append(
            clips.set_column(at, clips.schema.field(at), pa.array(said, clips.schema.field(at).type))
        )
        store.commit(media)
    return store


@pytest.fixture
def small(monkeypatch):
    """Twelve thousand clips are many."""
    monkeypatch.setattr(maintaining, "ANN_MIN_CLIPS", 5_000)
    for name, value in (("FRAGMENT_ROWS", 3_000), ("PARTITION", 1_000)):
        monkeypatch.setattr(segments, name, value)


def words_found(store: Store) -> list[list[tuple[str, float]]]:
    asked = ["word0", "word9 word361", "word16 word25 word36", "nobody said this"]
    return [
        sorted((one.id, round(one.bm25, 4)) for one in search_words(store, words, "text", 30_000, None, None))
        for words in asked
    ]


def recall(store: Store) -> float:
    """Share of the nearest ten that are found, of forty queries."""
    every = np.concatenate([drawn(k, CLIPS) for k in range(COMMITS)]).astype(np.float16).astype(np.float32)
    shares = []
    for query in drawn(99, 40):
        true = {f"{i:020x}-{i % 100}" for i in np.argsort(-(every @ query))[:K]}
        shares.append(len(true & {one.id for one in search_visual(store, query, K, None, None)}) / K)
    return float(np.mean(shares))


def structures(store: Store) -> dict[str, tuple[str, int, dict]]:
    """What each structure is: its kind, how many clips it covers, and how words are cut."""
    return {
        one.name: (
            one.index_type,
            one.num_indexed_rows,
            one.index_details if one.columns == ["text"] else {},
        )
        for one in store.clips.list_indices()
    }


def check_alike(here: Store, there: Store) -> None:
    here.refresh(), there.refresh()
    assert missing_structures(there) == []
    assert structures(there) == structures(here)
    assert set(structures(there)) == {"text_idx", "id_idx", "media_id_idx", f"vector_{COMMITS * CLIPS}"}
    assert words_found(there) == words_found(here)
    assert recall(there) >= 0.95 and recall(here) >= 0.95
    for sql in ("id = '000000000000000001c8-56'", "media_id in ('00000000000000000003')"):
        found = [store.clips.search().where(sql).select(["id"]).to_arrow() for store in (here, there)]
        assert found[0].sort_by("id") == found[1].sort_by("id") and len(found[0]) > 0


def test_a_cluster_makes_segments_that_answer_as_one_piece_does(tmp_path, small):
    here, there = filled(tmp_path / "here.index"), filled(tmp_path / "there.index")
    maintain(here)
    build_on_cluster(there, CLUSTER)
    there.refresh()
    assert len(there.clips.to_lance().get_fragments()) == COMMITS * CLIPS // segments.FRAGMENT_ROWS
    assert {one.num_segments for one in there.clips.list_indices()} == {CLUSTER.actors}
    check_alike(here, there)
    maintain(there, partial(build_on_cluster, cluster=CLUSTER))
    check_alike(here, there)


@contextlib.contextmanager
def killing(find: Callable[[], list[int]]):
    """Kill the first process that is found."""
    over, killed = threading.Event(), list[int]()

    def kill() -> None:
        while not killed and not over.wait(0.005):
            for pid in find():
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)
                return

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield killed
    finally:
        over.set()
        thread.join()


def test_a_worker_that_is_killed_costs_nothing(tmp_path, small):
    here, there = filled(tmp_path / "here.index"), filled(tmp_path / "there.index")
    maintain(here)
    with killing(lambda: actors(os.getpid())) as killed:
        build_on_cluster(there, CLUSTER)
    assert killed
    check_alike(here, there)


def test_a_small_index_needs_no_cluster(tmp_path):
    store = filled(tmp_path / "x.index")
    build_on_cluster(store, Cluster(no_encoder, address="nowhere:1"))
    assert store.clips.list_indices() == []


def test_in_a_bucket_too(bucket, small):
    there = filled(f"{bucket}/x.index")
    maintain(there, partial(build_on_cluster, cluster=CLUSTER))
    assert missing_structures(there) == [] and recall(there) >= 0.95
