"""Solvers: problems with an exact answer, each with the proof that it is one."""

from sayso.solvers.block_frank_wolfe import block_frank_wolfe
from sayso.solvers.constraints import CountConstraint
from sayso.solvers.diffrac import Diffrac
from sayso.solvers.frank_wolfe import frank_wolfe
from sayso.solvers.linear_oracle import LinearOracle
from sayso.solvers.ordered_path import ordered_path
from sayso.solvers.quasi_newton import quasi_newton
from sayso.solvers.standardize import standardize
from sayso.solvers.word_alignment import align_words

__all__ = [
    "CountConstraint",
    "Diffrac",
    "LinearOracle",
    "align_words",
    "block_frank_wolfe",
    "frank_wolfe",
    "ordered_path",
    "quasi_newton",
    "standardize",
]
