"""The ordered dynamic program beside what an expert would write: a dozen lines of numba, or C.

    OMP_NUM_THREADS=1 python benchmarks/steps.py [--times 20000] [--steps 15] [--seconds 2]

All give the same times. One long video, many short ones, many side by side in one array, and steps within
narration windows. Ours are the public functions, their checks of shapes and numbers included; the numba
functions are called on arrays as they are, and compiled beforehand. The least CPU time of one thread over
many rounds in turns; a ratio above 1 means that ours is faster. C is left out where there is no compiler. The
last column is the numpy form, which runs where numba is not installed.
"""

from __future__ import annotations

import argparse
import ctypes
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numpy as np
from results import Report, json_option, least_in_turns, without_numba

from sayso.solvers import compiled_path
from sayso.solvers.ordered_oracle import OrderedOracle
from sayso.solvers.ordered_path import ordered_path, ordered_paths, padded_paths

C = r"""
#include <math.h>
#include <stdlib.h>

void path(const double *cost, long T, long K, long *times) {
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


@numba.njit
def times_outside(cost):  # type: ignore[no-untyped-def]
    """A time after the other, all steps of it together."""
    T, K = cost.shape
    best, took = np.full(K + 1, np.inf), np.zeros((T, K), np.bool_)
    best[0] = 0
    for t in range(T):
        for k in range(K - 1, -1, -1):
            here = best[k] + cost[t, k]
            if here < best[k + 1]:
                best[k + 1], took[t, k] = here, True
    times, t = np.empty(K, np.int64), T
    for k in range(K - 1, -1, -1):
        t -= 1
        while not took[t, k]:
            t -= 1
        times[k] = t
    return times


@numba.njit
def steps_outside(cost, windows):  # type: ignore[no-untyped-def]
    """A step after the other, each within its window."""
    T, K = cost.shape
    best, at = np.zeros(T + 1), np.empty((K, T), np.int32)
    for k in range(K):
        after, least, where = np.full(T + 1, np.inf), np.inf, -1
        for t in range(windows[k, 0], windows[k, 1]):
            if best[t] + cost[t, k] < least:
                least, where = best[t] + cost[t, k], t
            after[t + 1], at[k, t] = least, where
        after[windows[k, 1] + 1 :] = least
        best = after
    times, t = np.empty(K, np.int64), T
    for k in range(K - 1, -1, -1):
        t = at[k, min(t, windows[k, 1]) - 1]
        times[k] = t
    return times


@numba.njit
def many(cost):  # type: ignore[no-untyped-def]
    """Every video of one array."""
    times = np.empty((cost.shape[0], cost.shape[2]), np.int64)
    for b in range(len(cost)):
        times[b] = times_outside(cost[b])
    return times


def in_c(folder: Path) -> Callable[[np.ndarray], np.ndarray] | None:
    """Return the program in C; None without a compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    (folder / "path.c").write_text(C)
    flags = ["-O3", "-march=native", "-shared", "-fPIC"]
    subprocess.run([compiler, *flags, "-o", folder / "path.so", folder / "path.c"], check=True)
    loaded = ctypes.CDLL(str(folder / "path.so"))

    def run(cost: np.ndarray) -> np.ndarray:
        times = np.empty(cost.shape[1], np.int64)
        sizes = (ctypes.c_long(size) for size in cost.shape)
        loaded.path(ctypes.c_void_p(cost.ctypes.data), *sizes, ctypes.c_void_p(times.ctypes.data))
        return times

    return run


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=20_000)
    parser.add_argument("--steps", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=3, help="of each row")
    json_option(parser)
    args = parser.parse_args()
    rng = np.random.default_rng(0)
    long = rng.normal(size=(args.times, args.steps))
    videos = [rng.normal(size=(300, 8)) for _ in range(200)]
    stacked = np.stack(videos)
    first = np.sort(rng.integers(0, 2000 - 15, 10))
    windows = np.column_stack([first, first + 15])
    oracle, cost = OrderedOracle(2000, 10, windows), rng.normal(size=(2000, 10))
    size = f"{args.times:,} x {args.steps}"
    with tempfile.TemporaryDirectory() as folder:
        c = in_c(Path(folder))
        works: list[tuple[str, Callable[[], Any], dict[str, Callable[[], Any]]]] = [
            (f"one video, {size}", lambda: ordered_path(long), {
                "numba": lambda: times_outside(long), **({"C": lambda: c(long)} if c else {})}),
            ("200 videos of 300 x 8, a list", lambda: ordered_paths(videos), {
                "numba": lambda: [times_outside(video) for video in videos],
                **({"C": lambda: [c(video) for video in videos]} if c else {})}),
            ("200 videos of 300 x 8, one array", lambda: padded_paths(stacked, np.full(200, 8)), {
                "numba": lambda: many(stacked)}),
            ("one video, 2,000 x 10, windows of 15", lambda: oracle.times(cost), {
                "numba": lambda: steps_outside(cost, windows)}),
        ]  # fmt: skip
        report = Report("steps", args)
        report.table("", ["what", "ours, ms", "peer", "its ms", "x", "ours without numba, ms"])
        for name, ours, peers in works:
            for peer, theirs in peers.items():
                assert np.array_equal(np.concatenate([*map(np.ravel, ours())]), np.concatenate([*map(np.ravel, theirs())]))  # fmt: skip  # noqa: E501
                mine, other, numpy = least_in_turns(
                    [ours, theirs, without_numba(compiled_path, ours)], args.seconds
                )
                report.row(name, f"{mine:.4f}", peer, f"{other:.4f}", f"{other / mine:.2f}", f"{numpy:.3f}")
        report.close()


if __name__ == "__main__":
    main()
