"""The steps of named tasks, learned from narration and order: component-sharing classifiers."""

from typing import TYPE_CHECKING

from sayso.core.lazy import exports

if TYPE_CHECKING:
    from sayso.systems.crosstask.classifier import StepClassifier
    from sayso.systems.crosstask.method import CrossTask, Recipe
else:
    __getattr__ = exports(
        __name__,
        {
            "CrossTask": "sayso.systems.crosstask.method",
            "Recipe": "sayso.systems.crosstask.method",
            "StepClassifier": "sayso.systems.crosstask.classifier",
        },
    )


__all__ = ["CrossTask", "Recipe", "StepClassifier"]
