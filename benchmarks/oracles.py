"""Linear oracles beside HiGHS, which keeps its basis from one cost to the next.

    OMP_NUM_THREADS=1 python benchmarks/oracles.py [--rows 200 2000] [--classes 14] [--change 0.1]

Of each 20 rows ten are a bag. "apart" is one class a bag; "classes" names two classes for each bag, so that
they compete for rows; "overlapping" has bags of one class that share half of their rows; "joint" weighs rows
by a person's labels. Slack costs little in half of the bags. The peer solves the whole program through
highspy, built beforehand, of which only the costs change. They change anew each time, or (``--change``) by
that share of their spread, as the steps of a solver that converges. Medians of CPU milliseconds, in turns.
"""

from __future__ import annotations

import argparse
import statistics
import time

import highspy
import numpy as np
from results import Report, json_option
from scipy import sparse

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


def program(oracle: LinearOracle) -> highspy.Highs:
    """Return the whole linear program of an oracle, without costs."""
    N, C, J = oracle.rows, oracle.classes, len(oracle.constraints)
    A = sparse.lil_matrix((J + N, N * C + J))
    for j, d in enumerate(oracle.constraints):
        A[j, d.rows * C + d.label] = 1 if d.weights is None else d.weights
        A[j, N * C + j] = 1
    A[J:, : N * C] = sparse.kron(sparse.eye(N), np.ones((1, C)))
    columns, model = A.tocsc(), highspy.HighsLp()
    model.num_row_, model.num_col_ = columns.shape
    model.col_cost_, model.col_lower_ = np.zeros(N * C + J), np.zeros(N * C + J)
    model.col_upper_ = np.r_[np.ones(N * C), np.where(oracle.hard, 0, oracle.required)]
    model.row_lower_ = np.r_[oracle.required, np.ones(N)]
    model.row_upper_ = np.r_[np.full(J, np.inf), np.ones(N)]
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_, model.a_matrix_.index_ = columns.indptr, columns.indices
    model.a_matrix_.value_ = columns.data
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.passModel(model)
    return solver


def compare(report: Report, kind: str, rows: int, options: argparse.Namespace) -> None:
    """Print one row."""
    draws = np.random.default_rng(0)
    oracle = LinearOracle(rows, options.classes, constraints(kind, rows, options.classes, draws))
    solver, J = program(oracle), len(oracle.constraints)
    every = np.arange(rows * options.classes + J, dtype=np.int32)
    first, times, worst = draws.normal(size=(rows, options.classes)), [], 0.0
    for _ in range(options.rounds):
        fresh = draws.normal(size=first.shape)
        cost = fresh if options.change is None else first + options.change * fresh
        slack_cost = np.where(draws.random(J) < 0.5, 0.1, 10.0)
        began = time.process_time()
        Z, slack = oracle(cost, slack_cost)
        middle = time.process_time()
        solver.changeColsCost(len(every), every, np.r_[cost.ravel(), slack_cost])
        solver.run()
        labels = np.asarray(solver.getSolution().col_value)
        times.append((middle - began, time.process_time() - middle))
        best = float(labels @ np.r_[cost.ravel(), slack_cost])
        worst = max(worst, abs(float(np.vdot(cost, Z) + slack_cost @ slack) - best))
    ours, theirs = (statistics.median(column) * 1000 for column in zip(*times[1:], strict=True))
    report.row(kind, f"{rows:,}", f"{ours:.2f}", f"{theirs:.2f}", f"{theirs / ours:.1f}", f"{worst:.0e}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[200, 2000])
    parser.add_argument("--classes", type=int, default=14)
    parser.add_argument("--change", type=float)
    parser.add_argument("--rounds", type=int, default=15)
    json_option(parser)
    options = parser.parse_args()
    report = Report("oracles", options)
    report.table("", ["bags", "rows", "ours, ms", "HiGHS warm, ms", "x", "largest difference of the cost"])
    for rows in options.rows:
        for kind in KINDS:
            compare(report, kind, rows, options)
    report.close()


if __name__ == "__main__":
    main()
