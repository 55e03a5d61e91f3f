"""Discriminative clustering as rows grow: seven solvers on the same problem, to the same proof.

    OMP_NUM_THREADS=1 python benchmarks/clustering.py [--rows 2000 20000 200000] [--features 1000]
        [--only quasi-Newton SCS] [--json FILE]

A planted problem: 66 blocks (films), 14 classes of which 0 is the background; of each 20 rows
ten are a bag that says a class, and five of those hold it; at least 0.4 of what lies in no bag
is background. Features are a class mean plus unit noise, in one memory-mapped float32 file a block.

Each solver runs in a process of its own until the gap is proved below 1e-2 of its value, or
for so many seconds; the QP solvers (cvxpy with SCS, Clarabel and OSQP) run to their own tolerances, or are
ended after ``--qp`` seconds. They are also run with 100 features, where they end. A row says the seconds and
those of the processor (reading the features for X^T X included), passes, processor seconds a pass,
the value and the proved gap, and the peak memory of the process; limits are seconds of the clock.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from results import Report, json_option

from sayso.solvers import Diffrac, block_frank_wolfe, frank_wolfe, quasi_newton
from sayso.solvers.constraints import background, bag
from sayso.solvers.iterate import Iterate
from sayso.solvers.linear_oracle import LinearOracle
from sayso.solvers.qp_reference import solve_qp

CLASSES, BLOCKS, GAP, LAM = 14, 66, 1e-2, 1e-2
WAYS = ("quasi-Newton", "block projected", "block vertex", "batch FW")
QPS = ("SCS", "CLARABEL", "OSQP")
QP_ROWS = 2000  # more do not fit: the QP has N x 14 unknowns and dense N x N costs


def make(folder: Path, rows: int, features: int) -> tuple[list[Path], list[LinearOracle]]:
    """Write the features, if they are not there, and return their files and the oracles."""
    draws = np.random.default_rng(0)
    means = draws.normal(size=(CLASSES, features)) * 0.3
    files, oracles = [], []
    for block, part in enumerate(np.array_split(np.arange(rows), min(BLOCKS, rows // 30))):
        N = len(part)
        truth = np.zeros(N, dtype=int)
        constraints = []
        for start in range(0, N - 10, 20):
            label = int(draws.integers(1, CLASSES))
            truth[start : start + 5] = label
            constraints.append(bag(range(start, start + 10), label, 2, 1e-3))
        outside = np.setdiff1d(np.arange(N), np.concatenate([d.rows for d in constraints]))
        oracles.append(LinearOracle(N, CLASSES, [*constraints, background(outside, 0, 0.4)]))
        files.append(folder / f"{rows}_{block}.npy")
        if not files[-1].exists():
            noise = np.random.default_rng((1, block)).standard_normal((N, features), dtype=np.float32)
            np.save(files[-1], means.astype(np.float32)[truth] + noise)
    return files, oracles


def solve(way: str, folder: Path, rows: int, features: int, limit: float, answer: Connection) -> None:
    """Run a solver and send what it found and took."""
    files, oracles = make(folder, rows, features)
    began, busy = time.perf_counter(), time.process_time()
    problem = Diffrac(files, LAM)
    setup = time.process_time() - busy

    def callback(state: Iterate, _: int, gap: float) -> bool:
        return time.perf_counter() - began > limit or gap < GAP * state.value()

    passes, gap = 0, float("nan")
    if way in QPS:
        value = solve_qp(problem, oracles, way)[1]
    else:
        if way == "quasi-Newton":
            found = quasi_newton(problem, oracles, tol=GAP, relative=True, callback=callback)
        elif way.startswith("block"):
            steps = "vertex" if way == "block vertex" else "projected"
            found = block_frank_wolfe(
                problem, oracles, tol=GAP, relative=True, steps=steps, check_every=5, callback=callback
            )
        else:
            found = frank_wolfe(problem, oracles, tol=0, max_iter=100_000, callback=callback)
        value, gap = found.value, found.gap
        passes = found.iterations // (len(oracles) if way.startswith("block") else 1)
    seconds, busy = time.perf_counter() - began, time.process_time() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    answer.send((seconds, busy, setup, passes, value, gap, peak))


def cells(way: str, folder: Path, rows: int, features: int, limit: float) -> list[str]:
    """Return what a solver did, as a row of the table."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    child = context.Process(target=solve, args=(way, folder, rows, features, limit, there))
    child.start()
    there.close()
    named = [f"{rows:,} x {features:,}", f"QP: {way}" if way in QPS else way]
    try:
        # the solvers that stop by themselves are also ended where one step outlasts the limit
        if not here.poll(limit + (0 if way in QPS else 60)):
            return [*named, f"not done after {limit:.0f} s", *[""] * (len(COLUMNS) - 3)]
        seconds, busy, setup, passes, value, gap, peak = here.recv()
    except EOFError:
        return [*named, "no answer (out of memory?)", *[""] * (len(COLUMNS) - 3)]
    finally:
        child.kill()
        child.join()
    each = f"{(busy - setup) / passes:.4f}" if passes else ""
    proved = f"{gap / value:.2%}" if gap == gap else ""
    return [
        *named,
        f"{seconds:.2f}",
        f"{busy:.2f}",
        str(passes or ""),
        each,
        f"{value:.6f}",
        proved,
        f"{peak:.0f}",
    ]


COLUMNS = [
    "rows x features",
    "solver",
    "s",
    "CPU s",
    "passes",
    "CPU s a pass",
    "value",
    "proved gap",
    "peak MiB",
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[2000, 20000, 200000])
    parser.add_argument("--features", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=60, help="seconds for blocks")
    parser.add_argument("--longest", type=float, default=240, help="seconds for quasi-Newton")
    parser.add_argument("--published", type=float, default=10, help="seconds for Frank-Wolfe as published")
    parser.add_argument("--qp", type=float, default=100, help="seconds for the QP solver")
    parser.add_argument("--only", nargs="+", choices=[*WAYS, *QPS], default=[*WAYS, *QPS])
    json_option(parser)
    asked = parser.parse_args()
    limits = dict(
        zip(WAYS, (asked.longest, asked.seconds, asked.published, asked.published), strict=True)
    ) | dict.fromkeys(QPS, asked.qp)
    report = Report("clustering", asked)
    report.table("", COLUMNS)
    small = [(QP_ROWS, 100)] if set(asked.only) & set(QPS) else []
    for rows, features in dict.fromkeys([*small, *((rows, asked.features) for rows in asked.rows)]):
        with tempfile.TemporaryDirectory() as folder:
            make(Path(folder), rows, features)
            for way in asked.only:
                if way not in QPS or rows <= QP_ROWS:
                    report.row(*cells(way, Path(folder), rows, features, limits[way]))
    report.close()


if __name__ == "__main__":
    main()
