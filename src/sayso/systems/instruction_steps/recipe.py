"""How steps are discovered: what a person can choose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sayso.core.errors import SaysoError


@dataclass(frozen=True, slots=True)
class StepsRecipe:
    """How steps are discovered.

    Args:
        num_steps: how many; None leaves it to the narrations.
        rate: rows of features a second.
        before_s: seconds before its mention that a step may happen; negative: it begins so long after.
        after_s: seconds after its mention; negative: it is over so long before. Where neither is given, both
            are estimated from the videos (``lag.py``); where one is, the other is the paper's, 0 or 10.
        iterations: of Frank-Wolfe.
        alternations: of regression and rounding (alternating minimisation); 0 is the published method.
        rounding: of the last ``labels``; or of the ``scores`` at every iteration, as the public code does.
        seed: of random starts.

    Raises:
        SaysoError: if a number makes no sense.
    """

    num_steps: int | None = None
    rate: float = 1.0
    before_s: float | None = None
    after_s: float | None = None
    iterations: int = 650
    alternations: int = 20
    rounding: Literal["labels", "scores"] = "labels"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.window_s is not None and sum(self.window_s) < 0:
            before_s, after_s = self.window_s
            raise SaysoError(
                f"a step cannot begin {-before_s:g} s after it is mentioned and be over"
                f" by {after_s:g} s; give a longer --before or --after"
            )
        if not self.rate > 0 or min(self.iterations, self.alternations) < 0 or (self.num_steps or 1) < 1:
            raise SaysoError(
                "rate must be above 0, num_steps at least 1, iterations and alternations at least 0; "
                f"got {self}"
            )

    @property
    def window_s(self) -> tuple[float, float] | None:
        """Seconds before and after a mention that a step may happen; None: to be estimated."""
        if self.before_s is None and self.after_s is None:
            return None
        return self.before_s or 0.0, 10.0 if self.after_s is None else self.after_s
