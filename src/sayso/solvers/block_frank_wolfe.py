"""Block-coordinate Frank-Wolfe: one film at a time, the regression always up to date.

A step costs O(N_i D K) for the N_i rows of its block, so a pass over all blocks is linear
in N, and only one block's features are read at a time. Every few passes the gap of all blocks is
computed for one and the same labelling: that gap is a proof.

Good labels lie inside faces, where steps towards corners zigzag. So a step leads to the labels of
the block that are nearest to the regression's scores: the minimum of a quadratic that touches
the objective from above. Blocks take turns, and every few passes one step of all blocks
leaps to where the passes head; without it they crawl where lam is small.

The method as published remains as a choice: steps towards corners, in blocks drawn in
proportion to their last known share of the gap (gap sampling).

Sources
    Lacoste-Julien et al., ICML 2013; Osokin et al., ICML 2016; Miech et al., ICCV 2017.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sayso.core.progress import Progress, Silent
from sayso.solvers.anderson import leap, weights
from sayso.solvers.diffrac import Diffrac, Floats
from sayso.solvers.frank_wolfe import Watch
from sayso.solvers.iterate import Labelling, Solution, load, save
from sayso.solvers.linear_oracle import Oracle

_ROW = 5  # passes before a leap


def block_frank_wolfe(
    problem: Diffrac,
    oracles: Sequence[Oracle],
    *,
    gap: float = 1e-4,
    relative: bool = False,
    corners: bool = False,
    passes: int = 1000,
    every: int = 5,
    seed: int = 0,
    start: Floats | None = None,
    state: Path | None = None,
    watch: Watch | None = None,
    progress: Progress | None = None,
) -> Solution:
    """Minimise the objective over the labellings that keep the demands, a block at a time.

    Args:
        problem: the objective.
        oracles: one for each block.
        gap: stop when the value is proved within this much of the optimum.
        relative: whether ``gap`` is a fraction of the value.
        corners: whether to step towards the linear oracle's corner, in blocks drawn by their share of
            the gap, as published, and not towards the nearest labels, in turn.
        passes: stop after so many passes, of as many steps as there are blocks.
        every: passes between proofs.
        seed: of the draw of blocks, with ``corners``.
        start: (N, K) feasible labels to start from.
        state: file that is written at every proof, and on an interrupt; where it exists, solving
            goes on from it, with the same draws as if it had never stopped.
        watch: called at every proof with the labelling, the pass and the gap; returning True stops.
        progress: what is told of each pass.

    Raises:
        SaysoError: if shapes disagree, the state is of another problem, or no labelling keeps the demands.
        KeyboardInterrupt: after the state at the last proof was left on disk.
    """
    progress = progress or Silent()
    labelling = Labelling(problem, oracles, start)
    shares, first, bound = np.zeros(len(oracles)), 0, -np.inf
    passed = [weights(labelling)]
    if state is not None and state.exists():
        saved = load(state, labelling)
        first, bound, passed = int(saved["done"]), float(saved["bound"]), list(saved["passed"])
    for done in range(first, passes + 1):
        if done % every == 0 or done == passes:
            labelling.refresh()
            shares = np.array([labelling.look(i)[1] for i in range(len(oracles))])
            here = labelling.value()
            bound = max(bound, here - float(shares.sum()))
            left = max(0.0, here - bound)
            if state is not None:
                save(state, labelling, done=done, bound=bound, passed=np.array(passed))
            progress.update(done, passes, f"gap {left:.2g}")
            stopped = watch is not None and watch(labelling, done, left) is True
            converged = left <= (gap * abs(here) if relative else gap)
            if converged or stopped or done == passes:
                break
        if corners:
            _drawn(labelling, shares, np.random.default_rng((seed, done)))
        else:
            passed = _in_turn(labelling, passed)
    return labelling.solution(left, done * len(oracles), converged)


def _in_turn(labelling: Labelling, passed: list[Floats]) -> list[Floats]:
    """Take a step in each block, towards its nearest labels, and leap after a few passes.

    Returns:
        The weights after each pass since the last leap.
    """
    for block in range(len(labelling.oracles)):
        target, slope = labelling.lean(block)
        labelling.move([block], [target], slope)
    passed = [*passed, weights(labelling)]
    if len(passed) <= _ROW:
        return passed
    leap(labelling, passed)
    return [weights(labelling)]


def _drawn(labelling: Labelling, shares: Floats, draws: np.random.Generator) -> None:
    """Take as many steps towards corners as there are blocks, in blocks drawn by their share of the gap."""
    for _ in range(len(shares)):
        odds = np.maximum(shares, 0) + 0.1 * np.maximum(shares, 0).mean() + 1e-300
        block = int(draws.choice(len(shares), p=odds / odds.sum()))
        target, shares[block] = labelling.look(block)
        labelling.move([block], [target], shares[block])
