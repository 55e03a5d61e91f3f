"""Where a row of passes is heading: Anderson's extrapolation of the regression weights.

Each pass maps weights to better ones. Near the optimum the map is nearly linear and contracts slowly,
by 1 - lam along directions that the features explain well. A few passes in a row tell
these directions: the mixture of them whose own change is least is where many more passes would lead.

Sources
    Anderson 1965; Walker & Ni 2011, equation (2.2), in the metric of the regression.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sayso.solvers.diffrac import Floats
from sayso.solvers.iterate import Labelling


def weights(labelling: Labelling) -> Floats:
    """Return weights and bias as one (D + 1, K) array."""
    return np.vstack([labelling.W, labelling.mean])


def heading(labelling: Labelling, passed: Sequence[Floats]) -> Floats:
    """Return the weights (D + 1, K) to which three or more lead, each those after another pass."""
    problem, row = labelling.problem, np.array(passed)
    changes = row[1:] - row[:-1]
    turns, ends = np.diff(changes, axis=0), row[1:]
    heavy = np.array([np.vstack([problem.metric @ t[:-1], problem.total * t[-1:]]) for t in turns])
    flat = heavy.reshape(len(heavy), -1)
    gram = flat @ turns.reshape(len(turns), -1).T
    ridge = (1e-12 * np.trace(gram) + 1e-300) * np.eye(len(gram))
    shares = np.linalg.solve(gram + ridge, flat @ changes[-1].ravel())
    return np.asarray(ends[-1] - np.tensordot(shares, np.diff(ends, axis=0), 1))


def leap(labelling: Labelling, passed: Sequence[Floats]) -> None:
    """Step from the labels towards those that follow from where the passes head, if that descends."""
    goal, blocks = heading(labelling, passed), range(len(labelling.oracles))
    steps = [labelling.lean(block, goal) for block in blocks]
    slope = sum(fall for _, fall in steps)
    if slope > 0:
        labelling.move(blocks, [target for target, _ in steps], slope)
