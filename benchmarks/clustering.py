"""Time of discriminative clustering as rows grow: by blocks, in batch, naively and by a general QP solver.

    python benchmarks/clustering.py [--rows 2000 20000 200000] [--features 1000] [--passes 100]

Features lie in memory-mapped float32 files, one for each of 66 blocks. The naive way is
ten gradients by the N x N matrix; it and the QP solver run where N is at most 2,000.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

import numpy as np

from sayso.solvers import Diffrac, block_frank_wolfe, frank_wolfe
from sayso.solvers.exact import exact, matrix
from sayso.solvers.oracles import Oracle, background, bag

CLASSES, BLOCKS = 14, 66


def make(folder: Path, rows: int, features: int) -> tuple[list[Path], list[Oracle]]:
    draws = np.random.default_rng(0)
    means = draws.normal(size=(CLASSES, features)) * 0.3
    files, oracles = [], []
    for block, part in enumerate(np.array_split(np.arange(rows), BLOCKS)):
        N = len(part)
        truth = np.zeros(N, dtype=int)
        demands = []
        for start in range(0, N - 10, 20):
            label = int(draws.integers(1, CLASSES))
            truth[start : start + 5] = label
            demands.append(bag(range(start, start + 10), label, 2, 1e-3))
        outside = np.setdiff1d(np.arange(N), np.concatenate([d.rows for d in demands]))
        oracles.append(Oracle(N, CLASSES, [*demands, background(outside, 0, 0.4)]))
        files.append(folder / f"{rows}_{block}.npy")
        np.save(files[-1], (means[truth] + draws.normal(size=(N, features))).astype(np.float32))
    return files, oracles


def say(name: str, rows: int, seconds: float, value: float, note: str = "") -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"N {rows:7} {name:18} {seconds:8.2f} s  value {value:.5f}  peak {peak:.0f} MiB  {note}", flush=True
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[2000, 20000, 200000])
    parser.add_argument("--features", type=int, default=1000)
    parser.add_argument("--passes", type=int, default=100)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for rows in asked.rows:
            files, oracles = make(Path(folder), rows, asked.features)
            began = time.perf_counter()
            problem = Diffrac(files, 1e-2)
            say("setup", rows, time.perf_counter() - began, float("nan"))
            options = {"gap": 1e-2, "relative": True, "passes": asked.passes}
            began = time.perf_counter()
            found = block_frank_wolfe(problem, oracles, **options)
            spent = time.perf_counter() - began
            passes = max(1, found.steps // BLOCKS)
            say("blocks", rows, spent, found.value, f"gap {found.gap:.2g} {spent / passes:.3f} s/pass")
            began = time.perf_counter()
            batch = frank_wolfe(problem, oracles, gap=1e-2 * found.value, steps=passes)
            say("batch", rows, time.perf_counter() - began, batch.value, f"gap {batch.gap:.2g}")
            if rows <= 2000:
                A = matrix(problem)
                began = time.perf_counter()
                for _ in range(10):
                    np.vdot(A @ batch.Z, batch.Z)
                say("naive gradient x10", rows, time.perf_counter() - began, batch.value)
                began = time.perf_counter()
                _, best = exact(problem, oracles)
                say("QP", rows, time.perf_counter() - began, best)


if __name__ == "__main__":
    main()
