"""Measuring: published protocols and test benches, one a file, all of them evaluators in one registry.

    evaluator.py       what an evaluator is, its options and its result
    registry.py        evaluators by name: of this package, of other packages, of a person's own file
    run.py             one call: checks what is given, then measures
    table.py           a result as a table, and the list of evaluators
    record.py          what made a result: command, commit, machine, model

``sayso evaluate --list`` shows them all; docs/evaluation.md describes each.
"""

from typing import TYPE_CHECKING

from sayso.core.lazy import exports

if TYPE_CHECKING:
    from sayso.evaluation.evaluator import (
        Count,
        EvaluationOptions,
        EvaluationResult,
        Evaluator,
        FunctionEvaluator,
        Primary,
    )
    from sayso.evaluation.picture_features import embed_pictures
    from sayso.evaluation.registry import EVALUATORS, find_evaluator
    from sayso.evaluation.run import evaluate
else:
    __getattr__ = exports(
        __name__,
        {
            "EVALUATORS": "sayso.evaluation.registry",
            "Count": "sayso.evaluation.evaluator",
            "EvaluationOptions": "sayso.evaluation.evaluator",
            "EvaluationResult": "sayso.evaluation.evaluator",
            "Evaluator": "sayso.evaluation.evaluator",
            "FunctionEvaluator": "sayso.evaluation.evaluator",
            "Primary": "sayso.evaluation.evaluator",
            "embed_pictures": "sayso.evaluation.picture_features",
            "evaluate": "sayso.evaluation.run",
            "find_evaluator": "sayso.evaluation.registry",
        },
    )


__all__ = [
    "EVALUATORS",
    "Count",
    "EvaluationOptions",
    "EvaluationResult",
    "Evaluator",
    "FunctionEvaluator",
    "Primary",
    "embed_pictures",
    "evaluate",
    "find_evaluator",
]
