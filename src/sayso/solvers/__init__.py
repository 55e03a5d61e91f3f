"""Solvers: problems with an exact answer, each with the proof that it is one."""

from sayso.core.lazy import exports
from sayso.solvers.ordered_path import ordered_path

__getattr__ = exports(
    __name__,
    {
        "frank_wolfe": "sayso.solvers.batch_steps",
        "block_frank_wolfe": "sayso.solvers.block_steps",
        "quasi_newton": "sayso.solvers.newton_steps",
        "Oracle": "sayso.solvers.oracles",
        "Diffrac": "sayso.solvers.diffrac",
        "align_words": "sayso.solvers.word_alignment",
    },
)

__all__ = [
    "Diffrac",
    "Oracle",
    "align_words",
    "block_frank_wolfe",
    "frank_wolfe",
    "ordered_path",
    "quasi_newton",
]
