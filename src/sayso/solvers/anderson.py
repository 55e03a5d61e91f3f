"""Anderson acceleration of the block passes: extrapolate the regression weights from the last few.

Each pass over the blocks maps weights to better ones. Near the optimum the map is nearly linear and
contracts slowly, by 1 - lambda along directions that the features explain well. A few passes in a row
show these directions: the mixture of them whose own change is least is where many more passes would lead.

Used by ``block_frank_wolfe``, every five passes.

Sources
    Anderson 1965; Walker & Ni 2011, equation (2.2), in the metric of the regression.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sayso.core.arrays import Floats
from sayso.solvers.iterate import Iterate


def stacked_weights(iterate: Iterate) -> Floats:
    """Return the regression's weights and bias as one (D + 1, C) array."""
    return np.vstack([iterate.W, iterate.mean])


def extrapolate(iterate: Iterate, history: Sequence[Floats]) -> Floats:
    """Return the limit (D + 1, C) that the weights after three passes or more point to.

    Args:
        iterate: gives the metric.
        history: the weights after each pass, (D + 1, C) each.
    """
    problem, points = iterate.problem, np.array(history)
    changes = points[1:] - points[:-1]
    turns, ends = np.diff(changes, axis=0), points[1:]
    weighted = np.array([np.vstack([problem.gram @ t[:-1], problem.total * t[-1:]]) for t in turns])
    flat = weighted.reshape(len(weighted), -1)
    gram = flat @ turns.reshape(len(turns), -1).T
    ridge = (1e-12 * np.trace(gram) + 1e-300) * np.eye(len(gram))
    shares = np.linalg.solve(gram + ridge, flat @ changes[-1].ravel())
    return np.asarray(ends[-1] - np.tensordot(shares, np.diff(ends, axis=0), 1))


def anderson_step(iterate: Iterate, history: Sequence[Floats]) -> None:
    """Step towards the labels that follow from the extrapolated weights, if that descends.

    Args:
        iterate: changed in place.
        history: the weights after each pass, (D + 1, C) each.
    """
    weights, blocks = extrapolate(iterate, history), range(len(iterate.oracles))
    steps = [iterate.projected_step(block, weights) for block in blocks]
    decrease = sum(rate for _, rate in steps)
    if decrease > 0:
        iterate.move(blocks, [target for target, _ in steps], decrease)
