"""When solvers stop: the duality gap is small enough, they are told to, or they took long enough."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from sayso.core.progress import Progress, Silent
from sayso.solvers.iterate import Callback, Iterate

log = logging.getLogger(__name__)


@dataclass(eq=False)
class StoppingRule:
    """Asked with every duality gap whether to stop.

    Args:
        solver: its name, for the log.
        tol: stop when the gap is at most this.
        max_iter: stop after so many iterations.
        relative: whether ``tol`` is a fraction of the value.
        callback: called with the iterate, the iteration and the gap; True stops.
        progress: updated with the gap.
        warn: whether to log that ``max_iter`` came first.

    Attributes:
        converged: whether the last gap was small enough.
    """

    solver: str
    tol: float
    max_iter: int
    relative: bool = False
    callback: Callback | None = None
    progress: Progress | None = None
    warn: bool = True
    converged: bool = field(default=False, init=False)

    def reached(self, iterate: Iterate, done: int, gap: float, value: float) -> bool:
        """Return whether to stop.

        Args:
            iterate: where the solver is.
            done: iterations so far.
            gap: duality gap.
            value: of the objective, of which a relative tolerance is a fraction.
        """
        limit = self.tol * abs(value) if self.relative else self.tol
        (self.progress or Silent()).update(min(done, self.max_iter), self.max_iter, f"gap {gap:.2g}")
        told = self.callback is not None and self.callback(iterate, done, gap) is True
        self.converged = gap <= limit
        exhausted = done >= self.max_iter
        if exhausted and self.warn and not (self.converged or told):
            log.warning(
                "%s stopped after %d iterations with a duality gap of %.2g, not %.2g; raise max_iter or tol",
                self.solver,
                done,
                gap,
                limit,
            )
        return self.converged or told or exhausted
