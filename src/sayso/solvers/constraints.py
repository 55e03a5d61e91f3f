"""Count constraints: weak supervision as "some of these rows hold that class at least so often".

    sum_{n in rows} weight_n z_nc + slack >= at_least,    0 <= slack <= at_least

All the weak supervision is of that form: a bag that the text says holds a person or an action; a
share of background outside bags; "person p does action a", whose weights are the persons' labels,
once these are fixed; a correction by hand (one row, no slack). Slack costs kappa slack^2 in the objective.

Sources
    Bojanowski et al., ICCV 2013 (bags, joint constraints, slack); Miech et al., ICCV 2017 (background).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from sayso.core.arrays import Floats, Ints
from sayso.core.errors import SaysoError


@dataclass(frozen=True, eq=False)
class CountConstraint:
    """Rows that hold a class at least so often.

    Args:
        rows: (M,) indices of rows in the block, each once.
        label: the class.
        at_least: how many of them, above 0; a whole number unless there are weights.
        kappa: cost of slack, ``kappa * slack^2``; None allows no slack.
        weights: (M,) what each row counts, at least 0; default 1.
    """

    rows: Ints
    label: int
    at_least: float
    kappa: float | None = None
    weights: Floats | None = None

    @property
    def row_weights(self) -> Floats:
        """What each row counts, (M,)."""
        return np.ones(len(self.rows)) if self.weights is None else self.weights

    def count(self, Z: Floats) -> float:
        """Return how much of the class the rows hold under labels Z (N, C)."""
        column = Z[self.rows, self.label]
        return float(column.sum() if self.weights is None else self.weights @ column)


def bag(
    rows: ArrayLike, label: int, alpha: int = 1, kappa: float | None = None, *, capped: bool = True
) -> CountConstraint:
    """Return the constraint of a bag: at least ``alpha`` of its rows hold the class.

    Args:
        rows: indices of the bag's rows.
        label: the class.
        alpha: number of rows; all where the bag has fewer.
        kappa: cost of slack; None allows none.
        capped: False asks small bags for ``alpha`` too, as the public code of 2013 does: slack makes up for
            the rows that they lack.
    """
    members = np.unique(np.asarray(rows, dtype=np.int64))
    return CountConstraint(members, label, min(alpha, len(members)) if capped else alpha, kappa)


def background(
    rows: ArrayLike, label: int, share: float, kappa: float | None = None, *, whole: bool = True
) -> CountConstraint:
    """Return the constraint that a share of some rows is background.

    Args:
        rows: indices of rows.
        label: the class of the background.
        share: 0 to 1.
        kappa: cost of slack; None allows none.
        whole: whether the share is rounded up to whole rows; the public code of 2017 does not.
    """
    members = np.unique(np.asarray(rows, dtype=np.int64))
    if not whole:
        return CountConstraint(members, label, share * len(members), kappa, np.ones(len(members)))
    return CountConstraint(members, label, int(np.ceil(share * len(members) - 1e-9)), kappa)


def joint(
    rows: ArrayLike, persons: ArrayLike, action: int, kappa: float | None = None, *, alpha: float = 1.0
) -> CountConstraint:
    """Return "this person does the action at least so often", given how far each row is that person.

    Args:
        rows: (M,) indices of the bag's rows.
        persons: (M,) labels z_np of the person, 0 to 1, fixed.
        action: the class.
        kappa: cost of slack; no more is required than the persons' sum.
        alpha: how often; the public code of 2013 asks for 2.
    """
    members, weights = np.asarray(rows, dtype=np.int64), np.asarray(persons, dtype=np.float64)
    return CountConstraint(members, action, min(alpha, float(weights.sum())), kappa, weights)


def check_constraint(index: int, constraint: CountConstraint, rows: int, classes: int) -> None:
    """Refuse a constraint that no labels of a block could keep.

    Args:
        index: its number, for the message.
        constraint: the constraint.
        rows: N of the block.
        classes: C.

    Raises:
        SaysoError: if it names rows or a class that are not there, or asks for more than its rows hold and
            allows no slack.
    """
    what, members, required = (
        f"constraint {index} (class {constraint.label})",
        constraint.rows,
        constraint.at_least,
    )
    inside = len(members) and members.min() >= 0 and members.max() < rows
    if not inside or not 0 <= constraint.label < classes:
        raise SaysoError(f"{what} names rows or a class outside 0 to {rows - 1} and 0 to {classes - 1}")
    if len(np.unique(members)) < len(members):
        raise SaysoError(f"{what} names a row twice; name each row once")
    if constraint.weights is None and required != int(required):
        raise SaysoError(f"{what} asks for {required} rows; ask for a whole number")
    most = float(constraint.row_weights.sum())
    if required > most + 1e-9 and constraint.kappa is None:
        raise SaysoError(f"{what} asks for {required} of rows that hold {most:g}; ask for less")
