r"""Search latency at a million clips and more: ours next to faiss and usearch, in one run.

    python benchmarks/search.py                     # 1,000,000 x 512, about half an hour on 2 cores
    python benchmarks/search.py --clips 100000
    python benchmarks/search.py --clips 200000 1000000 5000000 \
        --engines exact write segments maintain ours one-piece ours

Every engine runs in a process of its own over the same vectors, so that memory
is its own. The vectors are drawn like embeddings are: clusters of unequal size
in a space whose spectrum decays; queries are drawn from the clusters as well,
not from the collection. They are drawn anew by whoever reads them, outside of what is timed, so that
they take no disk. Recall is against exact search in float32. Ours is timed
through ``Index.search``: filters, merging into moments and all; beside the time on the clock stand the CPU
milliseconds of all its threads, which a busy machine changes less.

flat, hnsw   faiss, exact and by a graph
ivf-sq8      faiss, partitions of vectors in 8 bits: trained on 64 a partition, all in memory
usearch      a graph of float16 vectors, viewed from its file
exact        the answers, some vectors at a time, for collections that no memory holds
write        the clips are written through our index's own store, 25,000 a commit
segments     their index is made in 8 segments, as 8 machines would: each of an eighth of the fragments, with
             centroids trained once on a sample (64 vectors a partition) and one rotation
one-piece    it is made (again) as ``sayso index`` does
maintain     what is missing then is made as ``sayso index`` does: look-ups of words and ids, compaction
raw          beside it, query by query in one process, LanceDB itself: as many partitions looked into and as
             many clips scored exactly, the ten best asked for at once, by id alone or with file and seconds
filtered     it is searched with filters that 10 % and 1 % of the clips pass, beside exact search among these
cold         it is searched with its files dropped from the page cache before each query
efforts      it is searched with more and more partitions looked into and clips scored exactly, for 200
             queries of another seed: the numbers of both were chosen by these
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

K = 10
QUERIES = 200
CHUNK = 25_000
SEGMENTS = 8
MEASURED, CHOSEN_BY, BACKGROUND = 1, 10**6, 10**6 + 1
"""Seeds of the queries that recall is measured with, of those a setting was chosen by, and of captions."""

EFFORTS = ((10, 200), (20, 200), (40, 200), (20, 400), (30, 300), (40, 400))
"""Partitions looked into, and clips scored exactly."""


def rows(n: int, dim: int, seed: int) -> np.ndarray:
    """Draw (n, dim) float32 unit vectors from 2,000 clusters shared by all seeds."""
    shared = np.random.default_rng(0)
    spectrum = (1 + np.arange(dim)) ** -0.5
    centres = shared.standard_normal((2000, dim)) * spectrum
    share = shared.dirichlet(np.full(2000, 0.5))
    rng = np.random.default_rng(seed)
    drawn = centres[rng.choice(2000, n, p=share)] + 0.7 * rng.standard_normal((n, dim)) * spectrum
    return (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)


class Parts:
    """The vectors of a collection, (CHUNK, D) float32 at a time; ``seconds`` went into drawing them."""

    def __init__(self, folder: Path) -> None:
        self.clips, self.dim, keep = json.loads((folder / "size.json").read_text())
        self.kept = folder / "vectors" if keep else None
        self.seconds = 0.0

    def __iter__(self) -> Iterator[np.ndarray]:
        for k, start in enumerate(range(0, self.clips, CHUNK)):
            began = time.perf_counter()
            part = self._part(k, min(CHUNK, self.clips - start))
            self.seconds += time.perf_counter() - began
            yield part

    def _part(self, number: int, count: int) -> np.ndarray:
        path = self.kept and self.kept / f"{number}.npy"
        if path and path.exists():
            return np.load(path)
        part = rows(count, self.dim, seed=2 + number)
        if path:
            path.parent.mkdir(exist_ok=True)
            np.save(path, part)
        return part


def run_exact(folder: Path, queries: np.ndarray) -> dict:
    best, names = np.full((len(queries), 0), 0, np.float32), np.empty((len(queries), 0), np.int64)
    first = 0
    for part in Parts(folder):
        scores = np.concatenate([best, queries @ part.T], axis=1)
        ids = np.concatenate(
            [names, np.broadcast_to(first + np.arange(len(part)), scores[:, best.shape[1] :].shape)], axis=1
        )
        kept = np.argpartition(-scores, K - 1, axis=1)[:, :K]
        best, names = np.take_along_axis(scores, kept, 1), np.take_along_axis(ids, kept, 1)
        first += len(part)
    return {"found": [[str(i) for i in ids] for ids in names]}


def resident_gb() -> float:
    """Return the memory this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**30


def timed(search, queries: np.ndarray) -> tuple[list[list[str]], dict[str, float]]:
    found, times, cpu = [], [], []
    for query in queries:
        start, busy = time.perf_counter(), time.process_time()
        found.append(search(query))
        times.append(1e3 * (time.perf_counter() - start))
        cpu.append(1e3 * (time.process_time() - busy))
    return found, {
        "p50_cpu_ms": float(np.percentile(cpu[1:], 50)),
        "p95_cpu_ms": float(np.percentile(cpu[1:], 95)),
        "first_ms": times[0],
        "p50_ms": float(np.percentile(times[1:], 50)),
        "p95_ms": float(np.percentile(times[1:], 95)),
    }


class Lookup:
    """An encoder whose text embeddings are the benchmark's queries, by number, or drawn for other texts."""

    name, sha256, similarity = "benchmark", "be" * 32, "cosine"

    def __init__(self, queries: np.ndarray) -> None:
        self.queries, self.dim = queries, queries.shape[1]

    def encode_text(self, texts: list[str]) -> np.ndarray:
        """Return the (B, D) queries of these numbers; what is no number is the background of an index."""
        if texts[0].isdigit():
            return self.queries[[int(text) for text in texts]]
        return rows(len(texts), self.dim, seed=BACKGROUND)


def run_cold(folder: Path, queries: np.ndarray) -> dict:
    """Search with none of the index's files in the page cache, as if it were much larger than memory."""
    from sayso import Index

    index = Index.open(folder / "bench.index", Lookup(queries), create=False)
    search = best_of(index)

    def forgetting(query: np.ndarray) -> tuple[list[str], float]:
        for file in (folder / "bench.index").rglob("*"):
            if file.is_file():
                with file.open("rb") as opened:
                    os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        began = time.perf_counter()
        return search(query), 1e3 * (time.perf_counter() - began)

    found, times = zip(*(forgetting(query) for query in queries), strict=True)
    p50, p95 = map(float, np.percentile(times[1:], [50, 95]))
    return {"first_ms": times[0], "p50_ms": p50, "p95_ms": p95, "found": list(found)}


def run_efforts(folder: Path, queries: np.ndarray) -> dict:
    """Search with more and more effort, for queries that nothing else is measured with."""
    from sayso import Index
    from sayso.index import search

    index = Index.open(folder / "bench.index", Lookup(queries), create=False)
    exact, result = json.loads((folder / "exact.json").read_text())[QUERIES:], {}
    for effort in EFFORTS:
        search.effort = lambda _, effort=effort: effort
        found, times = timed(best_of(index), queries)
        named = "{}/{}".format(*effort)
        result[f"recall_{named}"] = recall(found, exact)
        result |= {f"{key}_{named}": times[key] for key in ("p50_ms", "p50_cpu_ms")}
    return result


def run_filtered(folder: Path, queries: np.ndarray) -> dict:
    """Search among the first clips of each video: one of a hundred, and ten."""
    from sayso import Index
    from sayso.index.drawn import CLIP_S, CLIPS_A_VIDEO

    index, result, exact = Index.open(folder / "bench.index", Lookup(queries), create=False), {}, {}
    for kept in (10, 1):
        best, names, first = np.empty((len(queries), 0), np.float32), np.empty((len(queries), 0), np.int64), 0
        for part in Parts(folder):
            ids = np.flatnonzero((first + np.arange(len(part))) % CLIPS_A_VIDEO < kept)
            best = np.concatenate([best, queries @ part[ids].T], axis=1)
            names = np.concatenate([names, np.broadcast_to(first + ids, (len(queries), len(ids)))], axis=1)
            first += len(part)
            top = np.argsort(-best, axis=1, kind="stable")[:, :K]
            best, names = np.take_along_axis(best, top, 1), np.take_along_axis(names, top, 1)
        exact[kept] = [[str(i) for i in ids] for ids in names]
    for kept in (10, 1):
        numbers, condition = itertools.count(), f"start_s < {kept * CLIP_S}"

        def search(_: np.ndarray, numbers=numbers, condition=condition) -> list[str]:
            text = str(next(numbers))
            hits = index.search(text, limit=K, text_weight=0, merge=False, filter=condition)
            return [number_of(hit.id) for hit in hits]

        found, times = timed(search, queries)
        result[f"recall_{kept}%"] = recall(found, exact[kept])
        result |= {f"{key}_{kept}%": times[key] for key in ("p50_ms", "p50_cpu_ms", "p95_cpu_ms")}
    return result


def number_of(id_: str) -> str:
    """Return which of the vectors a clip is."""
    return str(int(id_.partition("-")[0], 16))


def best_of(index: Any) -> Callable[[np.ndarray], list[str]]:
    """Return what searches our index for one query after the other."""
    numbers = itertools.count()
    return lambda _: [
        number_of(hit.id) for hit in index.search(str(next(numbers)), limit=K, text_weight=0, merge=False)
    ]


def run_ours(folder: Path, queries: np.ndarray) -> dict:
    start = time.perf_counter()
    from sayso import Index

    index = Index.open(folder / "bench.index", Lookup(queries), create=False)
    index.search("0", limit=K, text_weight=0)
    cold = time.perf_counter() - start
    found, result = timed(best_of(index), queries)
    result["cold_start_s"] = cold
    moments = []
    for number in range(len(queries)):
        start = time.perf_counter()
        index.search(str(number), limit=K, text_weight=0)
        moments.append(1e3 * (time.perf_counter() - start))
    result["p50_moments_ms"], result["p95_moments_ms"] = map(float, np.percentile(moments, [50, 95]))
    return {**result, "found": found}


def run_raw(folder: Path, queries: np.ndarray) -> dict:
    """Take turns: LanceDB's own search, and ours over the same table. Ratios are of medians."""
    import lancedb

    from sayso import Index
    from sayso.index.search import effort

    index = Index.open(folder / "bench.index", Lookup(queries), create=False)
    table = lancedb.connect(folder / "bench.index").open_table("clips")
    probes, rescored = effort(table.count_rows())

    def raw(number: int, *columns: str) -> list[str]:
        query = table.search(queries[number], vector_column_name="vector").distance_type("cosine")
        query = query.nprobes(probes).refine_factor(-(-rescored // K)).limit(K)
        return [
            number_of(row["id"]) for row in query.select(["id", *columns, "_distance"]).to_arrow().to_pylist()
        ]

    def ours(number: int) -> list[str]:
        return [number_of(h.id) for h in index.search(str(number), limit=K, text_weight=0, merge=False)]

    ways: dict[str, Callable[[int], list[str]]] = {
        "raw_ids": raw,
        "raw_places": lambda number: raw(number, "path", "start_s", "end_s"),
        "ours": ours,
    }
    clock, busy, found = ({name: [] for name in ways} for _ in range(3))
    for turn in range(2 * len(queries)):  # first all untimed: who comes first loads what a query looks into
        number = turn % len(queries)
        for name in [*ways][number % len(ways) :] + [*ways][: number % len(ways)]:
            start, cpu = time.perf_counter(), time.process_time()
            ids = ways[name](number)
            if turn >= len(queries):
                clock[name].append(1e3 * (time.perf_counter() - start))
                busy[name].append(1e3 * (time.process_time() - cpu))
                found[name].append(ids)
    result = {}
    exact = json.loads((folder / "exact.json").read_text())[: len(queries)]
    for name in ways:
        result[f"{name}_p50_ms"] = float(np.median(clock[name]))
        result[f"{name}_p50_cpu_ms"] = float(np.median(busy[name]))
    for name in ("raw_ids", "ours"):
        result[f"{name}_recall"] = recall(found[name], exact)
    for peer in ("raw_ids", "raw_places"):
        result[f"ours/{peer}"] = result["ours_p50_ms"] / result[f"{peer}_p50_ms"]
        result[f"ours/{peer}_cpu"] = result["ours_p50_cpu_ms"] / result[f"{peer}_p50_cpu_ms"]
    return result


def write_ours(folder: Path, queries: np.ndarray) -> dict:
    """Write the vectors through the index's own store, as ``sayso index`` does; 100 clips are a video."""
    from sayso.index.drawn import drawn_rows
    from sayso.index.schema import SCHEMA_VERSION, Identity
    from sayso.index.store import Store

    store = Store(folder / "bench.index")
    store.create(Identity(SCHEMA_VERSION, "benchmark", "be" * 32, queries.shape[1], True, ""))
    start, number, parts = time.perf_counter(), 0, Parts(folder)
    for part in parts:
        clips, media = drawn_rows(store.identity, number, part)
        store.append(clips)
        store.commit(media)
        number += len(part)
    written = time.perf_counter()
    return {"write_s": written - start - parts.seconds, "disk_gb": disk_gb(folder)}


def disk_gb(folder: Path) -> float:
    """Return what our index takes."""
    return sum(f.stat().st_size for f in (folder / "bench.index").rglob("*") if f.is_file()) / 2**30


def calibrate(folder: Path) -> float:
    """Measure what similarities mean, as ``sayso index`` does in the end; return the seconds it took."""
    from sayso.index.background import calibrate_index
    from sayso.index.store import Store

    store, began = Store(folder / "bench.index"), time.perf_counter()
    calibrate_index(store, lambda: Lookup(np.load(folder / "queries.npy")))
    return time.perf_counter() - began


def build_missing(folder: Path) -> dict:
    """Make what the index lacks as ``sayso index`` does, and compact it."""
    from sayso.index.maintaining import maintain
    from sayso.index.store import Store

    store, took = Store(folder / "bench.index"), Took()
    maintain(store)
    return took.figures() | {"disk_gb": disk_gb(folder), "calibrate_s": calibrate(folder)}


def build_one_piece(folder: Path) -> dict:
    """Make the index of vectors, anew if there is one."""
    from sayso.index.maintaining import structure_config
    from sayso.index.store import Store

    store = Store(folder / "bench.index")
    for index in store.clips.list_indices():
        if index.columns == ["vector"]:
            store.clips.drop_index(index.name)
    name, took = f"vector_{store.clips.count_rows()}", Took()
    store.clips.create_index("vector", config=structure_config(store, "vector"), name=name)
    return took.figures() | {"disk_gb": disk_gb(folder)}


class Took:
    """What went by since it was made."""

    def __init__(self) -> None:
        self.start, self.busy = time.perf_counter(), time.process_time()

    def figures(self) -> dict[str, float]:
        """Return the seconds on the clock and those of the processors."""
        return {
            "build_s": time.perf_counter() - self.start,
            "build_cpu_s": time.process_time() - self.busy,
        }


def build_segments(folder: Path) -> dict:
    """Make the vectors' index in segments; the longest of them is what so many machines would take."""
    import lance

    from sayso.index.maintaining import Structure
    from sayso.index.segments import IndexSegment, segment_settings, share_out
    from sayso.index.store import Store

    store, table = Store(folder / "bench.index"), lance.dataset(str(folder / "bench.index" / "clips.lance"))
    vectors, took = Structure("vector", f"vector_{table.count_rows()}"), Took()
    settings = {"vector": segment_settings(store, table, vectors)}
    trained, longest, made = took.figures()["build_s"], 0.0, []
    for fragments in share_out(table, SEGMENTS):
        one = Took()
        made.append(IndexSegment("vector", fragments).run(table, settings))
        longest = max(longest, one.figures()["build_s"])
    table.commit_existing_index_segments(vectors.name, "vector", made)
    built = took.figures() | {"train_s": trained, "longest_segment_s": longest}
    return built | {"segments": len(made), "disk_gb": disk_gb(folder)}


def run_faiss(folder: Path, queries: np.ndarray, kind: str) -> dict:
    import faiss

    dim = queries.shape[1]
    index = (
        faiss.IndexFlatIP(dim) if kind == "flat" else faiss.IndexHNSWFlat(dim, 16, faiss.METRIC_INNER_PRODUCT)
    )
    start = time.perf_counter()
    if kind != "flat":
        index.hnsw.efConstruction = 80
    parts = Parts(folder)
    for part in parts:
        index.add(part)
    built = time.perf_counter() - start - parts.seconds
    if kind == "flat":
        best, result = timed(lambda q: index.search(q[None], K)[1][0].tolist(), queries)
        found = [[str(i) for i in ids] for ids in best]
        return {**result, "build_s": built, "resident_gb": resident_gb(), "found": found}
    exact = json.loads((folder / "exact.json").read_text())[:QUERIES]
    for ef in (32, 64, 128, 256, 512, 1024):
        index.hnsw.efSearch = ef
        best, result = timed(lambda q: index.search(q[None], K)[1][0].tolist(), queries)
        found = [[str(i) for i in ids] for ids in best]
        if recall(found, exact) >= 0.95:
            break
    return {**result, "build_s": built, "resident_gb": resident_gb(), "found": found, "efSearch": ef}


def run_ivf(folder: Path, queries: np.ndarray) -> dict:
    import faiss

    clips, dim, _ = json.loads((folder / "size.json").read_text())
    partitions = int(4 * clips**0.5)
    index = faiss.index_factory(dim, f"IVF{partitions},SQ8", faiss.METRIC_INNER_PRODUCT)
    start, parts = time.perf_counter(), Parts(folder)
    sample: list[np.ndarray] = []
    for part in parts:  # rows are drawn independently: the first are a sample of all
        sample.append(part)
        if sum(map(len, sample)) >= 64 * partitions:
            break
    index.train(np.concatenate(sample))
    del sample
    for part in parts:
        index.add(part)
    built = time.perf_counter() - start - parts.seconds
    exact = json.loads((folder / "exact.json").read_text())[:QUERIES]
    for probes in (1, 2, 4, 8, 16, 32, 64, 128, 256):
        index.nprobe = probes
        best, result = timed(lambda q: index.search(q[None], K)[1][0].tolist(), queries)
        found = [[str(i) for i in ids] for ids in best]
        if recall(found, exact) >= 0.95:
            break
    return {**result, "build_s": built, "resident_gb": resident_gb(), "found": found, "nprobe": probes}


def run_usearch(folder: Path, queries: np.ndarray) -> dict:
    from usearch.index import Index as Graph

    file, exact = folder / "usearch.graph", json.loads((folder / "exact.json").read_text())[:QUERIES]
    start, parts, number = time.perf_counter(), Parts(folder), 0
    made = Graph(ndim=queries.shape[1], metric="ip", dtype="f16")
    for part in parts:
        made.add(np.arange(number, number + len(part)), part)
        number += len(part)
    made.save(str(file))
    built = time.perf_counter() - start - parts.seconds
    del made
    for expansion in (32, 64, 128, 256, 512, 1024):
        graph = Graph(ndim=queries.shape[1], metric="ip", dtype="f16", expansion_search=expansion)
        graph.view(str(file))
        best, result = timed(lambda q, graph=graph: graph.search(q, K).keys.tolist(), queries)
        found = [[str(i) for i in ids] for ids in best]
        if recall(found, exact) >= 0.95:
            break
    return {
        **result,
        "build_s": built,
        "disk_gb": file.stat().st_size / 2**30,
        "found": found,
        "ef": expansion,
    }


def recall(found: list[list[str]], exact: list[list[str]]) -> float:
    return float(np.mean([len(set(a) & set(b)) / K for a, b in zip(found, exact, strict=True)]))


def child(engine: str, folder: Path) -> None:
    both = np.load(folder / "queries.npy")
    queries = both[:QUERIES]
    result = {
        "exact": lambda: run_exact(folder, both),
        "raw": lambda: run_raw(folder, queries),
        "efforts": lambda: run_efforts(folder, both[QUERIES:]),
        "write": lambda: write_ours(folder, queries),
        "segments": lambda: build_segments(folder),
        "maintain": lambda: build_missing(folder),
        "one-piece": lambda: build_one_piece(folder),
        "ours": lambda: run_ours(folder, queries),
        "flat": lambda: run_faiss(folder, queries, "flat"),
        "filtered": lambda: run_filtered(folder, queries),
        "cold": lambda: run_cold(folder, queries),
        "hnsw": lambda: run_faiss(folder, queries, "hnsw"),
        "ivf-sq8": lambda: run_ivf(folder, queries),
        "usearch": lambda: run_usearch(folder, queries),
    }[engine]()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(json.dumps({"resident_gb": resident_gb(), "peak_gb": peak, **result}))


def measure(engine: str, folder: Path) -> dict:
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, __file__, "--child", engine, "--folder", str(folder)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "SAYSO_OFFLINE": "1", "LANCE_LOG": "error"},
    )
    return {**json.loads(done.stdout), "process_s": time.perf_counter() - start}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", type=int, nargs="+", default=[1_000_000])
    parser.add_argument("--dim", type=int, default=512)
    engines = [
        "flat",
        "exact",
        "write",
        "segments",
        "maintain",
        "one-piece",
        "ours",
        "filtered",
        "cold",
        "raw",
        "efforts",
        "hnsw",
        "ivf-sq8",
        "usearch",
    ]
    chosen = ["flat", "write", "one-piece", "maintain", "ours", "raw", "ivf-sq8", "usearch"]
    parser.add_argument("--engines", nargs="*", choices=engines, default=chosen)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument(
        "--folder", type=Path, help="where the collections are put, and stay: a later call goes on with them"
    )
    parser.add_argument("--keep", action="store_true", help="draw vectors once, 2 kB each on disk")
    options = parser.parse_args()
    if options.child:
        child(options.child, options.folder)
        return
    with tempfile.TemporaryDirectory() as name:
        for clips in options.clips:
            folder = (options.folder or Path(name)) / f"{clips}x{options.dim}"
            folder.mkdir(parents=True, exist_ok=True)
            compare(folder, clips, options)
            if not options.folder:
                shutil.rmtree(folder)


def compare(folder: Path, clips: int, options: argparse.Namespace) -> None:
    """Run engines one after the other on one collection, and print what each took."""
    (folder / "size.json").write_text(json.dumps([clips, options.dim, options.keep]))
    queries = [rows(QUERIES, options.dim, seed) for seed in (MEASURED, CHOSEN_BY)]
    np.save(folder / "queries.npy", np.concatenate(queries))
    exact_path = folder / "exact.json"
    for engine in options.engines:
        result = measure(engine, folder)
        found = result.pop("found", None)
        if engine in ("flat", "exact"):
            exact_path.write_text(json.dumps(found))
        if found is not None:
            result["recall@10"] = recall(found[:QUERIES], json.loads(exact_path.read_text())[:QUERIES])
        figures = {key: round(value, 3) for key, value in result.items()}
        print(f"{clips:,}", engine, json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
