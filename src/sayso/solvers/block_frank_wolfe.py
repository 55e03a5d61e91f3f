"""Block-coordinate Frank-Wolfe: one film at a time, the regression always up to date.

A step costs O(N_i D C) for the N_i rows of its block, so a pass over all blocks is linear
in N, and only one block's features are read at a time. Every few passes the duality gap of all blocks is
computed for one and the same iterate: that gap is a proof.

Good labels lie inside faces, where steps towards vertices zigzag. So a step leads to the projection of
the regression's scores onto the block's labels: the minimum of a quadratic that touches
the objective from above. Blocks take turns, and every few passes Anderson acceleration extrapolates
all blocks at once; without it they converge slowly where lambda is small.

The method as published remains as a choice (``steps="vertex"``): steps towards the linear oracle's
vertex, in blocks drawn in proportion to their last known share of the gap (gap sampling).

It is the choice where films come one at a time, or labels are wanted before the first pass is over;
``quasi_newton`` needs fewer passes. No system calls it: ``benchmarks/clustering.py`` compares both.

Sources
    Lacoste-Julien et al., ICML 2013; Osokin et al., ICML 2016; Miech et al., ICCV 2017.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from sayso.core.arrays import Floats
from sayso.core.progress import Progress
from sayso.solvers.anderson import anderson_step, stacked_weights
from sayso.solvers.diffrac import Diffrac
from sayso.solvers.iterate import Callback, Iterate, Solution, load_iterate, save_iterate
from sayso.solvers.linear_oracle import LinearOracle
from sayso.solvers.stopping import StoppingRule

_HISTORY = 5  # passes before an Anderson step


def block_frank_wolfe(
    problem: Diffrac,
    oracles: Sequence[LinearOracle],
    *,
    tol: float = 1e-4,
    relative: bool = False,
    steps: Literal["projected", "vertex"] = "projected",
    max_iter: int = 1000,
    check_every: int = 5,
    seed: int = 0,
    init: Floats | None = None,
    checkpoint: Path | None = None,
    callback: Callback | None = None,
    progress: Progress | None = None,
) -> Solution:
    """Minimise the objective over the labels that keep the constraints, a block at a time.

    Args:
        problem: the objective.
        oracles: one for each block.
        tol: stop when the duality gap is at most this.
        relative: whether ``tol`` is a fraction of the value.
        steps: "projected", onto the labels, blocks in turn; or "vertex", blocks drawn by gap, as published.
        max_iter: stop after so many passes, of as many steps as there are blocks.
        check_every: passes between computations of the gap.
        seed: of the draw of blocks, with "vertex".
        init: (N, C) feasible labels to start from.
        checkpoint: file that is written with each gap; solving goes on from it, with the same draws.
        callback: called with the iterate, the pass and the gap, whenever that is computed; True stops.
        progress: updated with the gap.

    Raises:
        SaysoError: if shapes disagree, the checkpoint is another problem's, or the constraints contradict.
    """
    run = _Run(Iterate(problem, oracles, init), checkpoint)
    stop = StoppingRule("block_frank_wolfe", tol, max_iter, relative, callback, progress)
    for done in range(run.done, max_iter + 1):
        if done % check_every == 0 or done == max_iter:
            gap, value = run.gap(done)
            if stop.reached(run.iterate, done, gap, value):
                break
        if steps == "vertex":
            _sampled_pass(run.iterate, run.shares, np.random.default_rng((seed, done)))
        else:
            run.history = _cyclic_pass(run.iterate, run.history)
    return run.iterate.solution(gap, done * len(oracles), stop.converged)


class _Run:
    """The iterate with the lower bound, the blocks' shares of the gap, and the weights of the last passes."""

    def __init__(self, iterate: Iterate, checkpoint: Path | None) -> None:
        self.iterate, self.checkpoint = iterate, checkpoint
        self.shares, self.done, self.bound = np.zeros(len(iterate.oracles)), 0, -np.inf
        self.history = [stacked_weights(iterate)]
        if checkpoint is not None and checkpoint.exists():
            saved = load_iterate(checkpoint, iterate)
            self.done, self.bound = int(saved["done"]), float(saved["bound"])
            self.history = [np.asarray(weights, dtype=np.float64) for weights in saved["history"]]

    def gap(self, done: int) -> tuple[float, float]:
        """Compute the duality gap and the value after so many passes, and write the checkpoint."""
        self.iterate.refresh()
        self.shares = np.array([self.iterate.lmo(i)[1] for i in range(len(self.shares))])
        value = self.iterate.value()
        self.bound = max(self.bound, value - float(self.shares.sum()))
        if self.checkpoint is not None:
            history = np.array(self.history)
            save_iterate(self.checkpoint, self.iterate, done=done, bound=self.bound, history=history)
        return max(0.0, value - self.bound), value


def _cyclic_pass(iterate: Iterate, history: list[Floats]) -> list[Floats]:
    """Take a projected step in each block, and an Anderson step after a few passes.

    Returns:
        The weights after each pass since the last Anderson step.
    """
    for block in range(len(iterate.oracles)):
        target, decrease = iterate.projected_step(block)
        iterate.move([block], [target], decrease)
    history = [*history, stacked_weights(iterate)]
    if len(history) <= _HISTORY:
        return history
    anderson_step(iterate, history)
    return [stacked_weights(iterate)]


def _sampled_pass(iterate: Iterate, shares: Floats, rng: np.random.Generator) -> None:
    """Take as many steps towards vertices as there are blocks, in blocks drawn by their share of the gap."""
    for _ in range(len(shares)):
        odds = np.maximum(shares, 0) + 0.1 * np.maximum(shares, 0).mean() + 1e-300
        block = int(rng.choice(len(shares), p=odds / odds.sum()))
        target, shares[block] = iterate.lmo(block)
        iterate.move([block], [target], shares[block])
