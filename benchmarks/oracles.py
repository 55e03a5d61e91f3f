"""Linear oracles beside a linear program that HiGHS solves: the same cost, and how much faster.

    OMP_NUM_THREADS=1 python benchmarks/oracles.py [--rows 200 2000] [--classes 14]

Of each 20 rows ten are a bag. "apart" is one class a bag; "classes" names two classes for each bag,
so that they compete for rows; "overlapping" has bags of one class that share half of their rows; "joint"
weighs rows by a person's labels. Slack costs little in half of the bags. The program is the whole of
it, as a sparse matrix built beforehand; only HiGHS's own time is counted. Times are medians of nine.
"""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from sayso.solvers.constraints import CountConstraint, background, bag, joint
from sayso.solvers.linear_oracle import LinearOracle

KINDS = ("apart", "classes", "overlapping", "joint")


def constraints(kind: str, rows: int, classes: int, draws: np.random.Generator) -> list[CountConstraint]:
    """Return bags over the first half of each twenty rows, and a share of background for the rest."""
    found: list[CountConstraint] = []
    for start in range(0, rows - 19, 20):
        members, label = np.arange(start, start + 10), int(draws.integers(1, classes))
        if kind == "joint":
            found.append(joint(members, draws.random(10), label, 1.0))
            continue
        found.append(bag(members, label, 2, 1.0))
        if kind == "classes":
            found.append(bag(members, 1 + label % (classes - 1), 2, 1.0))
        if kind == "overlapping":
            found.append(bag(members[5:], label, 2, 1.0))
    outside = np.setdiff1d(np.arange(rows), np.concatenate([d.rows for d in found]))
    return [*found, background(outside, 0, 0.4)]


def program(oracle: LinearOracle) -> dict[str, object]:
    """Return the constraints of the oracle's linear program for ``linprog``."""
    N, C, J = oracle.rows, oracle.classes, len(oracle.constraints)
    A = sparse.lil_matrix((J, N * C + J))
    for j, d in enumerate(oracle.constraints):
        A[j, d.rows * C + d.label] = -1 if d.weights is None else -d.weights
        A[j, N * C + j] = -1
    simplex = sparse.hstack([sparse.kron(sparse.eye(N), np.ones((1, C))), sparse.csr_matrix((N, J))])
    limits = [(0, 1)] * (N * C) + [(0, 0 if d.kappa is None else d.at_least) for d in oracle.constraints]
    return {
        "A_ub": A.tocsr(),
        "b_ub": [-d.at_least for d in oracle.constraints],
        "A_eq": simplex.tocsr(),
        "b_eq": np.ones(N),
        "bounds": limits,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[200, 2000])
    parser.add_argument("--classes", type=int, default=14)
    asked = parser.parse_args()
    print("| bags | rows | ours, ms | HiGHS, ms | x | largest difference of the cost |")
    print("| --- | --: | --: | --: | --: | --: |")
    for rows in asked.rows:
        for kind in KINDS:
            draws = np.random.default_rng(0)
            oracle = LinearOracle(rows, asked.classes, constraints(kind, rows, asked.classes, draws))
            built, times, worst = program(oracle), [], 0.0
            for _ in range(9):
                cost = draws.normal(size=(rows, asked.classes))
                slack_cost = np.where(draws.random(len(oracle.constraints)) < 0.5, 0.1, 10.0)
                began = time.perf_counter()
                Z, slack = oracle(cost, slack_cost)
                middle = time.perf_counter()
                best = linprog(np.r_[cost.ravel(), slack_cost], method="highs", **built)
                times.append((middle - began, time.perf_counter() - middle))
                worst = max(worst, abs(float(np.vdot(cost, Z) + slack_cost @ slack) - best.fun))
            ours, theirs = (statistics.median(column) * 1000 for column in zip(*times, strict=True))
            print(
                f"| {kind} | {rows} | {ours:.2f} | {theirs:.1f} | {theirs / ours:.0f} | {worst:.0e} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
