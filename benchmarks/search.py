"""Search latency at a million clips: ours next to faiss (exact and HNSW), in one run.

    python benchmarks/search.py                     # 1,000,000 x 512, about half an hour on 2 cores
    python benchmarks/search.py --clips 100000

Every engine runs in a process of its own over the same vectors, so that memory
is its own. The vectors are drawn like embeddings are: clusters of unequal size
in a space whose spectrum decays; queries are drawn from the clusters as well,
not from the collection. Recall is against exact search in float32. Ours is timed
through ``Index.search``: filters, merging into moments and all.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

K = 10
QUERIES = 200
CHUNK = 50_000


def rows(n: int, dim: int, seed: int) -> np.ndarray:
    """Draw (n, dim) float32 unit vectors from 2,000 clusters shared by all seeds."""
    shared = np.random.default_rng(0)
    spectrum = (1 + np.arange(dim)) ** -0.5
    centres = shared.standard_normal((2000, dim)) * spectrum
    share = shared.dirichlet(np.full(2000, 0.5))
    rng = np.random.default_rng(seed)
    drawn = centres[rng.choice(2000, n, p=share)] + 0.7 * rng.standard_normal((n, dim)) * spectrum
    return (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)


def resident_gb() -> float:
    """Return the memory this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**30


def timed(search, queries: np.ndarray) -> tuple[list[list[str]], dict[str, float]]:
    found, times = [], []
    for query in queries:
        start = time.perf_counter()
        found.append(search(query))
        times.append(1e3 * (time.perf_counter() - start))
    return found, {
        "first_ms": times[0],
        "p50_ms": float(np.percentile(times[1:], 50)),
        "p95_ms": float(np.percentile(times[1:], 95)),
    }


class Lookup:
    """An encoder whose text embeddings are the benchmark's queries, by number."""

    name, sha256, similarity = "benchmark", "be" * 32, "cosine"

    def __init__(self, queries: np.ndarray) -> None:
        self.queries, self.dim = queries, queries.shape[1]

    def encode_text(self, texts: list[str]) -> np.ndarray:
        """Return the (B, D) queries of these numbers."""
        return self.queries[[int(text) for text in texts]]


def run_ours(folder: Path, queries: np.ndarray) -> dict:
    start = time.perf_counter()
    from sayso import Index

    index = Index.open(folder / "bench.index", Lookup(queries), create=False)
    index.search("0", limit=K, text_weight=0)
    cold = time.perf_counter() - start
    numbers = iter(range(len(queries)))
    found, result = timed(
        lambda _: [h.id for h in index.search(str(next(numbers)), limit=K, text_weight=0, merge=False)],
        queries,
    )
    result["cold_start_s"] = cold
    moments = []
    for number in range(len(queries)):
        start = time.perf_counter()
        index.search(str(number), limit=K, text_weight=0)
        moments.append(1e3 * (time.perf_counter() - start))
    result["p50_moments_ms"], result["p95_moments_ms"] = map(float, np.percentile(moments, [50, 95]))
    return {**result, "found": found}


def build_ours(folder: Path, queries: np.ndarray) -> dict:
    """Write the vectors through the index's own store, as ``sayso index`` does."""
    import pyarrow as pa

    from sayso.index.maintaining import maintain
    from sayso.index.schema import SCHEMA_VERSION, Identity, clips_schema
    from sayso.index.store import Store

    store = Store(folder / "bench.index")
    dim = queries.shape[1]
    identity = Identity(SCHEMA_VERSION, "benchmark", "be" * 32, dim, True, "")
    store.create(identity)
    schema = clips_schema(identity)
    start, number = time.perf_counter(), 0
    for path in sorted(folder.glob("part-*.npy")):
        part = np.load(path)
        ids = range(number, number + len(part))
        constant = {
            "kind": "video",
            "title": "a video",
            "duration_s": 400.0,
            "text": "",
            "thumb": b"",
        }
        shown = {"kind": "video", "title": "a video", "duration_s": 400.0, "text": "", "meta": {}}
        values = {
            "id": [str(i) for i in ids],
            "media_id": [f"m{i // 100}" for i in ids],
            "path": [f"/videos/{i // 100}.mp4" for i in ids],
            "start_s": [4.0 * (i % 100) for i in ids],
            "end_s": [4.0 * (i % 100) + 4 for i in ids],
            "shown": [json.dumps({"id": str(i), **shown}) for i in ids],
            **{name: [value] * len(part) for name, value in constant.items()},
            "vector": pa.FixedSizeListArray.from_arrays(pa.array(part.astype(np.float16).ravel()), dim),
        }
        columns = [
            pa.array(values[f.name], f.type) if f.name != "vector" else values["vector"] for f in schema
        ]
        store.append(pa.Table.from_arrays(columns, schema=schema))
        number += len(part)
    written = time.perf_counter()
    maintain(store)
    disk = sum(f.stat().st_size for f in (folder / "bench.index").rglob("*") if f.is_file()) / 2**30
    return {"write_s": written - start, "build_s": time.perf_counter() - written, "disk_gb": disk}


def run_faiss(folder: Path, queries: np.ndarray, kind: str) -> dict:
    import faiss

    dim = queries.shape[1]
    index = (
        faiss.IndexFlatIP(dim) if kind == "flat" else faiss.IndexHNSWFlat(dim, 16, faiss.METRIC_INNER_PRODUCT)
    )
    start = time.perf_counter()
    if kind != "flat":
        index.hnsw.efConstruction = 80
    for path in sorted(folder.glob("part-*.npy")):
        index.add(np.load(path))
    built = time.perf_counter() - start
    if kind == "flat":
        best, result = timed(lambda q: index.search(q[None], K)[1][0].tolist(), queries)
        found = [[str(i) for i in ids] for ids in best]
        return {**result, "build_s": built, "resident_gb": resident_gb(), "found": found}
    exact = json.loads((folder / "exact.json").read_text())
    for ef in (32, 64, 128, 256, 512, 1024):
        index.hnsw.efSearch = ef
        best, result = timed(lambda q: index.search(q[None], K)[1][0].tolist(), queries)
        found = [[str(i) for i in ids] for ids in best]
        if recall(found, exact) >= 0.95:
            break
    return {**result, "build_s": built, "resident_gb": resident_gb(), "found": found, "efSearch": ef}


def recall(found: list[list[str]], exact: list[list[str]]) -> float:
    return float(np.mean([len(set(a) & set(b)) / K for a, b in zip(found, exact, strict=True)]))


def child(engine: str, folder: Path) -> None:
    queries = np.load(folder / "queries.npy")
    result = {
        "ours-build": lambda: build_ours(folder, queries),
        "ours": lambda: run_ours(folder, queries),
        "flat": lambda: run_faiss(folder, queries, "flat"),
        "hnsw": lambda: run_faiss(folder, queries, "hnsw"),
    }[engine]()
    print(json.dumps({"resident_gb": resident_gb(), **result}))


def measure(engine: str, folder: Path) -> dict:
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, __file__, "--child", engine, "--folder", str(folder)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "SAYSO_OFFLINE": "1"},
    )
    return {**json.loads(done.stdout), "process_s": time.perf_counter() - start}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", type=int, default=1_000_000)
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--engines", nargs="*", default=["flat", "ours-build", "ours", "hnsw"])
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help="keep the vectors and the index here")
    options = parser.parse_args()
    if options.child:
        child(options.child, options.folder)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = options.folder or Path(name)
        draw(folder, options.clips, options.dim)
        exact_path = folder / "exact.json"
        for engine in options.engines:
            result = measure(engine, folder)
            found = result.pop("found", None)
            if engine == "flat":
                exact_path.write_text(json.dumps(found))
            if found is not None:
                result["recall@10"] = recall(found, json.loads(exact_path.read_text()))
            print(engine, json.dumps({key: round(value, 3) for key, value in result.items()}), flush=True)


def draw(folder: Path, clips: int, dim: int) -> None:
    """Write the vectors and the queries, unless an earlier run did."""
    if (folder / "queries.npy").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    for k, start in enumerate(range(0, clips, CHUNK)):
        np.save(folder / f"part-{k:05d}.npy", rows(min(CHUNK, clips - start), dim, seed=2 + k))
    np.save(folder / "queries.npy", rows(QUERIES, dim, seed=1))


if __name__ == "__main__":
    main()
