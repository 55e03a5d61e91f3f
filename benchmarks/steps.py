"""The ordered path next to plain Python, numpy row by row, and C: T = 20,000 times, K = 15 steps.

    python benchmarks/steps.py [--times 20000] [--steps 15] [--rounds 50]

All give the same times. The C program has the plain loops, times inside steps and steps inside times (one
pass over the costs, the best that can be had), and is left out where there is no compiler. Stage 2
over a million rows is measured by benchmarks/instruction_steps.py --scale.
"""

from __future__ import annotations

import argparse
import ctypes
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from sayso.solvers.ordered_path import ordered_path, ordered_paths

C = r"""
#include <math.h>
#include <stdlib.h>

void steps_outside(const double *cost, long T, long K, long *times) {
    double *best = calloc(T + 1, sizeof(double)), *next = malloc((T + 1) * sizeof(double));
    int *at = malloc(sizeof(int) * T * K);
    for (long k = 0; k < K; k++) {
        double least = INFINITY; int where = -1;
        next[0] = INFINITY;
        for (long t = 0; t < T; t++) {
            double here = best[t] + cost[t * K + k];
            if (here < least) { least = here; where = t; }
            next[t + 1] = least; at[k * T + t] = where;
        }
        double *swap = best; best = next; next = swap;
    }
    long t = T;
    for (long k = K - 1; k >= 0; k--) times[k] = t = at[k * T + t - 1];
    free(best); free(next); free(at);
}

void times_outside(const double *cost, long T, long K, long *times) {
    double *best = malloc((K + 1) * sizeof(double)); char *took = malloc(T * K);
    best[0] = 0;
    for (long k = 1; k <= K; k++) best[k] = INFINITY;
    for (long t = 0; t < T; t++)
        for (long k = K - 1; k >= 0; k--) {
            double here = best[k] + cost[t * K + k];
            took[t * K + k] = here < best[k + 1];
            if (here < best[k + 1]) best[k + 1] = here;
        }
    long t = T;
    for (long k = K - 1; k >= 0; k--) { do t--; while (!took[t * K + k]); times[k] = t; }
    free(best); free(took);
}
"""


def plain(cost: np.ndarray) -> np.ndarray:
    """The recursion over lists, a time after the other."""
    T, K = cost.shape
    best, took = [0.0] + [np.inf] * K, []
    for row in cost.tolist():
        here = [best[k] + row[k] for k in range(K)]
        took.append([here[k] < best[k + 1] for k in range(K)])
        best = [0.0] + [min(best[k + 1], here[k]) for k in range(K)]
    return traced(took, T, K)


def row_by_row(cost: np.ndarray) -> np.ndarray:
    """The recursion over rows of numpy."""
    T, K = cost.shape
    best, took = np.r_[0.0, np.full(K, np.inf)], np.empty((T, K), dtype=bool)
    for t in range(T):
        here = best[:-1] + cost[t]
        np.less(here, best[1:], out=took[t])
        np.minimum(best[1:], here, out=best[1:])
    return traced(took, T, K)


def traced(took: object, T: int, K: int) -> np.ndarray:
    """Return the times, from the last step to the first."""
    times, t = np.zeros(K, np.int64), T
    for k in reversed(range(K)):
        t -= 1
        while not took[t][k]:  # type: ignore[index]
            t -= 1
        times[k] = t
    return times


def compiled(folder: Path) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    """Return the two programs in C; none without a compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return {}
    (folder / "path.c").write_text(C)
    library = folder / "path.so"
    subprocess.run([compiler, "-O3", "-shared", "-fPIC", "-o", library, folder / "path.c"], check=True)
    loaded = ctypes.CDLL(str(library))

    def call(name: str) -> Callable[[np.ndarray], np.ndarray]:
        def run(cost: np.ndarray) -> np.ndarray:
            times = np.empty(cost.shape[1], np.int64)
            sizes = (ctypes.c_long(size) for size in cost.shape)
            loaded[name](ctypes.c_void_p(cost.ctypes.data), *sizes, ctypes.c_void_p(times.ctypes.data))
            return times

        return run

    return {"C, times inside steps": call("steps_outside"), "C, steps inside times": call("times_outside")}


def milliseconds(run: Callable[[], object], rounds: int) -> float:
    """Return the least of some rounds."""
    found = []
    for _ in range(rounds):
        begin = time.perf_counter()
        run()
        found.append(time.perf_counter() - begin)
    return 1e3 * min(found)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=20_000)
    parser.add_argument("--steps", type=int, default=15)
    parser.add_argument("--rounds", type=int, default=50)
    args = parser.parse_args()
    cost = np.random.default_rng(0).normal(size=(args.times, args.steps))
    wanted = ordered_path(cost)
    ours = milliseconds(lambda: ordered_path(cost), args.rounds)
    print(f"T = {args.times:,}, K = {args.steps}; least of several rounds")
    print(f"{'ours':24}{ours:10.2f} ms")
    with tempfile.TemporaryDirectory() as folder:
        peers = {"plain Python": plain, "numpy, row by row": row_by_row, **compiled(Path(folder))}
        for name, run in peers.items():
            assert np.array_equal(run(cost), wanted), name
            rounds = args.rounds if name.startswith("C") else 3
            peer = milliseconds(lambda run=run: run(cost), rounds)  # type: ignore[misc]
            print(f"{name:24}{peer:10.2f} ms   ours takes {ours / peer:.3f} of it ({peer / ours:.1f}x)")
    videos = [np.random.default_rng(n).normal(size=(300, 8)) for n in range(200)]
    together = milliseconds(lambda: ordered_paths(videos), args.rounds)
    alone = milliseconds(lambda: [ordered_path(video) for video in videos], 5)
    print(f"200 videos of 300 x 8: side by side {together:.2f} ms, one by one {alone:.2f} ms")


if __name__ == "__main__":
    main()
