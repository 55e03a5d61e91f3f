"""How steps are discovered: what a person can choose."""

from __future__ import annotations

from dataclasses import dataclass

from sayso.core.errors import SaysoError


@dataclass(frozen=True, slots=True)
class StepsRecipe:
    """How steps are discovered.

    Args:
        num_steps: how many; None leaves it to the narrations.
        rate: rows of features a second.
        before_s: seconds before its mention that a step may happen; negative: it begins so long after.
        after_s: seconds after its mention; negative: it is over so long before.
        iterations: of Frank-Wolfe.
        alternations: of regression and rounding (alternating minimisation); 0 is the published method.
        seed: of random starts.

    Raises:
        SaysoError: if a number makes no sense.
    """

    num_steps: int | None = None
    rate: float = 1.0
    before_s: float = 0.0
    after_s: float = 10.0
    iterations: int = 650
    alternations: int = 20
    seed: int = 0

    def __post_init__(self) -> None:
        if self.before_s + self.after_s < 0:
            raise SaysoError(
                f"a step cannot begin {-self.before_s:g} s after it is mentioned and be over"
                f" by {self.after_s:g} s; give a longer --before or --after"
            )
        if not self.rate > 0 or min(self.iterations, self.alternations) < 0 or (self.num_steps or 1) < 1:
            raise SaysoError(
                "rate must be above 0, num_steps at least 1, iterations and alternations at least 0; "
                f"got {self}"
            )
