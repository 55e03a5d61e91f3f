"""Actions of tracks, once their names are fixed.

The script says "p does a" of a stretch of time: of the tracks then on screen, weighted by how far each
is p, at least one does a [1, section 3.2]. With the names fixed that is linear in the actions, so the
same clustering as for names finds them. Most tracks do none of the actions: of those that no
description covers, a share is constrained to be background [2]. From there the bags are read whole
(``sayso.solvers.bag_reading``): how many tracks of a bag do its action is chosen by bags kept aside.

Sources
    [1] Bojanowski et al., ICCV 2013. [2] Miech et al., ICCV 2017.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sayso.core.arrays import Floats
from sayso.core.errors import SaysoError
from sayso.core.progress import Progress
from sayso.systems.name_actors.constraints import MAX_BAG_SIZE

LAM = 1e-3
BACKGROUND = 0.4  # share of the tracks outside all bags that do none of the actions (Miech et al., 2017)
WEIGHT = 1.0  # of a bag, in squared tracks
PRESENT = (
    0.5  # tracks of the person that a description needs: of somebody who is not on screen it asks nothing
)


@dataclass(frozen=True, eq=False)
class ActionBag:
    """A bag that the script makes: one of some tracks does an action, by a person if one is named.

    Attributes:
        tracks: indices of the tracks on screen.
        action: its number, from 0.
        person: the person's column in the probabilities of names; None if nobody is named.
    """

    tracks: NDArray[np.int64]
    action: int
    person: int | None = None


def name_actions(
    features: ArrayLike,
    bags: Sequence[ActionBag],
    actions: int,
    persons: ArrayLike | None = None,
    *,
    lam: float = LAM,
    progress: Progress | None = None,
) -> Floats:
    """Return probabilities of the actions for each track, (N, A + 1); the last column is none of them.

    A track of a bag does one of its bags' actions, or none. A bag whose person is likelier on none of its
    tracks is left out, and without bags everybody does none.

    Args:
        features: (N, D) of the motion in each track.
        bags: of the script; those of 30 tracks and more are left out, because they say little.
        actions: A.
        persons: (N, C) probabilities of names (``Naming.probabilities``); without them the
            persons of the bags are not used.
        lam: the ridge, for features of mean square 1.
        progress: reports the solver's duality gap.

    Raises:
        SaysoError: if shapes disagree, or a bag names a track, action or person that is not there.
    """
    from sayso.solvers import Diffrac, LinearOracle, quasi_newton
    from sayso.solvers.bag_reading import read_bags
    from sayso.solvers.constraints import CountConstraint, background, bag, joint
    from sayso.solvers.standardize import standardize

    X = np.asarray(features, dtype=np.float64)
    who = None if persons is None else np.asarray(persons, dtype=np.float64)
    _check(X, bags, actions, who)
    unit, constraints = WEIGHT / len(X), list[CountConstraint]()
    for one in bags:
        if not 0 < len(one.tracks) < MAX_BAG_SIZE:
            continue
        if who is None or one.person is None:
            constraints.append(bag(one.tracks, one.action, kappa=unit))
        elif who[one.tracks, one.person].sum() >= PRESENT:
            constraints.append(joint(one.tracks, who[one.tracks, one.person], one.action, kappa=unit))
    if not constraints:  # nothing says what an action looks like
        return np.tile(np.eye(actions + 1)[-1], (len(X), 1))
    outside = np.setdiff1d(np.arange(len(X)), np.concatenate([[], *(one.tracks for one in bags)]))
    if len(outside):
        constraints.append(background(outside, actions, BACKGROUND, kappa=unit))
    X, _, _ = standardize(X)
    oracle = LinearOracle(len(X), actions + 1, constraints)
    problem = Diffrac(X, lam)
    solution = quasi_newton(problem, [oracle], tol=1e-2, relative=True, max_iter=100, progress=progress)
    return read_bags(problem, [oracle], solution, actions).probabilities


def _check(X: Floats, bags: Sequence[ActionBag], actions: int, who: Floats | None) -> None:
    if X.ndim != 2 or not len(X) or (who is not None and (who.ndim != 2 or len(who) != len(X))):
        raise SaysoError(f"expected features (N, D) and persons (N, C); got {X.shape}")
    for index, one in enumerate(bags):
        tracks = np.asarray(one.tracks)
        people = 0 if who is None else who.shape[1]
        if len(tracks) and not 0 <= tracks.min() <= tracks.max() < len(X):
            raise SaysoError(f"bag {index} names a track outside 0 to {len(X) - 1}")
        if not 0 <= one.action < actions or (who is not None and not 0 <= (one.person or 0) < people):
            raise SaysoError(f"bag {index} names an action or person that is not there")
