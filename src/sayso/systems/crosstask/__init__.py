"""The steps of named tasks, learned from narration and order: component-sharing classifiers."""

from sayso.core.lazy import exports

__getattr__ = exports(
    __name__,
    {
        "CrossTask": "sayso.systems.crosstask.train",
        "Recipe": "sayso.systems.crosstask.train",
        "StepClassifier": "sayso.systems.crosstask.classifier",
        "make": "sayso.systems.crosstask.train",
        "read": "sayso.systems.crosstask.train",
        "score": "sayso.systems.crosstask.train",
    },
)

__all__ = ["CrossTask", "Recipe", "StepClassifier", "make", "read", "score"]
