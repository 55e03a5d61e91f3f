"""Block-coordinate Frank-Wolfe: one film at a time, the regression always up to date.

A step costs O(N_i D K) for the N_i rows of its block, so a pass over all blocks is linear
in N, and only one block's features are read at a time. Blocks are drawn in proportion to
their last known share of the gap (gap sampling). These shares grow stale, so every few
passes all of them are computed for one and the same labelling: that gap is a proof.

Sources
    Lacoste-Julien et al., ICML 2013; Osokin et al., ICML 2016; Miech et al., ICCV 2017.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sayso.core.progress import Progress, Silent
from sayso.solvers.batch_steps import Watch
from sayso.solvers.diffrac import Diffrac, Floats
from sayso.solvers.labelling import Labelling, Solution, load, save
from sayso.solvers.oracles import Oracle


def block_frank_wolfe(
    problem: Diffrac,
    oracles: Sequence[Oracle],
    *,
    gap: float = 1e-4,
    relative: bool = False,
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
        passes: stop after so many passes, of as many steps as there are blocks.
        every: passes between proofs.
        seed: of the draw of blocks.
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
    if state is not None and state.exists():
        saved = load(state, labelling)
        first, bound = int(saved["done"]), float(saved["bound"])
    for done in range(first, passes + 1):
        if done % every == 0 or done == passes:
            labelling.refresh()
            shares = np.array([labelling.look(i)[1] for i in range(len(oracles))])
            here = labelling.value()
            bound = max(bound, here - float(shares.sum()))
            left = max(0.0, here - bound)
            if state is not None:
                save(state, labelling, done=done, bound=bound)
            progress.update(done, passes, f"gap {left:.2g}")
            stopped = watch is not None and watch(labelling, done, left) is True
            converged = left <= (gap * abs(here) if relative else gap)
            if converged or stopped or done == passes:
                break
        _pass(labelling, shares, np.random.default_rng((seed, done)))
    return labelling.solution(left, done * len(oracles), converged)


def _pass(labelling: Labelling, shares: Floats, draws: np.random.Generator) -> None:
    """Take as many steps as there are blocks, in blocks drawn by their share of the gap."""
    for _ in range(len(shares)):
        weights = np.maximum(shares, 0) + 0.1 * np.maximum(shares, 0).mean() + 1e-300
        block = int(draws.choice(len(shares), p=weights / weights.sum()))
        corner, shares[block] = labelling.look(block)
        labelling.move([block], [corner], shares[block])
