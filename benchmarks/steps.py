"""The one ordered dynamic program next to plain Python, numpy, C, and the three programs that it replaced.

    python benchmarks/steps.py [--times 20000] [--steps 15] [--rounds 50]

All give the same times. First one long video, beside plain loops, numpy row by row, and C: times inside steps
and steps inside times (one pass over the costs, the best that can be had); C is left out where there is no
compiler. Then what other parts of the toolkit ask for, each beside the program that it had of its own before:
the steps of one video within narration windows (the linear oracle), and many sequences side by side (their
alignment). A ratio above 1 means that ours is faster. Stage 2 over a million rows is measured by
benchmarks/instruction_steps.py --scale.
"""

from __future__ import annotations

import argparse
import ctypes
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from sayso.solvers.ordered_oracle import OrderedOracle
from sayso.solvers.ordered_path import ordered_path, ordered_paths, padded_paths

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
    T, C = cost.shape
    best, took = [0.0] + [np.inf] * C, []
    for row in cost.tolist():
        sums = [best[c] + row[c] for c in range(C)]
        took.append([sums[c] < best[c + 1] for c in range(C)])
        best = [0.0] + [min(best[c + 1], sums[c]) for c in range(C)]
    return traced(took, T, C)


def row_by_row(cost: np.ndarray) -> np.ndarray:
    """The recursion over rows of numpy."""
    T, C = cost.shape
    best, took = np.r_[0.0, np.full(C, np.inf)], np.empty((T, C), dtype=bool)
    for t in range(T):
        sums = best[:-1] + cost[t]
        np.less(sums, best[1:], out=took[t])
        np.minimum(best[1:], sums, out=best[1:])
    return traced(took, T, C)


def traced(took: object, T: int, C: int) -> np.ndarray:
    """Return the times, from the last step to the first."""
    times, t = np.zeros(C, np.int64), T
    for c in reversed(range(C)):
        t -= 1
        while not took[t][c]:  # type: ignore[index]
            t -= 1
        times[c] = t
    return times


def in_windows(cost: np.ndarray, windows: np.ndarray) -> np.ndarray:
    """What the linear oracle had before: step by step, reading nothing but the windows."""
    T, C = cost.shape
    times, best, tables = np.zeros(C, np.int64), np.zeros(T + 1), []
    for c in range(C):
        first, end = windows[c]
        sums = best[first:end] + cost[first:end, c]
        best = np.full(T + 1, np.inf)
        np.minimum.accumulate(sums, out=best[first + 1 : end + 1])
        best[end + 1 :] = best[end]
        tables.append(sums)
    bound = T
    for c in reversed(range(C)):
        first = int(windows[c, 0])
        times[c] = bound = first + int(tables[c][: bound - first].argmin())
    return times


def slot_by_slot(cost: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """What the alignment of sequences had before: slot by slot, all tokens of all sequences at once."""
    B, L, S = cost.shape
    best = np.full((B, S + 1), np.inf)
    best[:, 0] = 0
    last = np.full((B, L + 1, S), -1, dtype=np.int64)
    for slot in range(L):
        sums = best[:, :-1] + cost[:, slot]
        placed = sums < best[:, 1:]
        last[:, slot + 1] = np.where(placed, slot, last[:, slot])
        best[:, 1:] = np.where(placed, sums, best[:, 1:])
    slots, bound, rows = np.full((B, S), -1), np.full(B, L), np.arange(B)
    for token in reversed(range(S)):
        there = token < lengths
        slots[there, token] = last[rows[there], bound[there], token]
        bound = np.where(there, slots[:, token], bound)
    return slots


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


def long_video(times: int, steps: int, rounds: int) -> None:
    """Print ours beside loops in Python, numpy and C."""
    cost = np.random.default_rng(0).normal(size=(times, steps))
    expected = ordered_path(cost)
    ours = milliseconds(lambda: ordered_path(cost), rounds)
    print(f"T = {times:,}, C = {steps}; least of several rounds")
    print(f"{'ours':24}{ours:10.2f} ms")
    with tempfile.TemporaryDirectory() as folder:
        peers = {"plain Python": plain, "numpy, row by row": row_by_row, **compiled(Path(folder))}
        for name, run in peers.items():
            assert np.array_equal(run(cost), expected), name
            peer = milliseconds(lambda run=run: run(cost), rounds if name.startswith("C") else 3)  # type: ignore[misc]
            print(f"{name:24}{peer:10.2f} ms   ours takes {ours / peer:.3f} of it ({peer / ours:.1f}x)")
    videos = [np.random.default_rng(n).normal(size=(300, 8)) for n in range(200)]
    together = milliseconds(lambda: ordered_paths(videos), rounds)
    alone = milliseconds(lambda: [ordered_path(video) for video in videos], 5)
    print(f"200 videos of 300 x 8: side by side {together:.2f} ms, one by one {alone:.2f} ms")


def before_and_after(rounds: int) -> None:
    """Print what the callers' own programs took, and what the shared one takes, in turns."""
    rng = np.random.default_rng(1)
    print(f"{'':46}{'before':>10}{'after':>10}  ratio")
    for T, C, width in ((300, 10, 12), (300, 10, 300), (2000, 10, 15)):
        first = np.sort(rng.integers(0, T - width + 1, C))
        oracle = OrderedOracle(T, C, np.column_stack([first, first + width]))
        cost = rng.normal(size=(T, C))
        name = f"one video, {T} x {C}, windows of {width}"
        before, after = partial(in_windows, cost, oracle.windows), partial(oracle.times, cost)
        compare(name, before, after, rounds=20 * rounds)
    for B, L, S in ((30, 120, 20), (150, 120, 40)):
        cost, lengths = rng.normal(size=(B, L, S)), rng.integers(S // 2, S + 1, B)
        name = f"{B} sequences of at most {S} tokens, {L} slots"
        before, after = partial(slot_by_slot, cost, lengths), partial(padded_paths, cost, lengths)
        compare(name, before, after, rounds=rounds)


def compare(name: str, before: Callable[[], object], after: Callable[[], object], rounds: int) -> None:
    """Print the least of some rounds of both, which take turns, and their ratio."""
    assert np.array_equal(before(), after()), name
    least = [np.inf, np.inf]
    for _ in range(rounds):
        for way, run in enumerate((before, after)):
            least[way] = min(least[way], milliseconds(run, 1))
    print(f"{name:46}{least[0]:7.3f} ms{least[1]:7.3f} ms  {least[0] / least[1]:.2f}")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=20_000)
    parser.add_argument("--steps", type=int, default=15)
    parser.add_argument("--rounds", type=int, default=50)
    args = parser.parse_args()
    long_video(args.times, args.steps, args.rounds)
    before_and_after(args.rounds)


if __name__ == "__main__":
    main()
