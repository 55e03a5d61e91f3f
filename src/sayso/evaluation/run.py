"""Measuring in one call: what is given is checked before anything is read, then the evaluator measures."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from sayso.core.errors import SaysoError
from sayso.core.progress import Progress
from sayso.evaluation.evaluator import (
    DEFAULTS,
    EvaluationOptions,
    EvaluationResult,
    Evaluator,
    check_model,
    check_options,
)
from sayso.evaluation.registry import find_evaluator


def prepare(
    target: str,
    data: str | os.PathLike[str] | None = None,
    options: EvaluationOptions = DEFAULTS,
    *,
    with_model: bool = False,
) -> tuple[Evaluator, Path]:
    """Return the evaluator that is meant and the path of its data.

    Args:
        target: as of ``find_evaluator``.
        data: what it measures on; None where the target is the data, or where none is needed.
        options: of those that it takes.
        with_model: whether a model was named.

    Raises:
        SaysoError: if there is no such evaluator, its data is not named, or it takes no such option or model.
    """
    evaluator, own = find_evaluator(target)
    check_options(evaluator, options)
    if with_model and not evaluator.needs:
        raise SaysoError(f"{evaluator.name} measures no model; leave --model out")
    if data is None and own is None and evaluator.data:
        raise SaysoError(f"{evaluator.name} needs --data: {evaluator.data}")
    return evaluator, Path(data or own or ".").expanduser()


def evaluate(
    target: str,
    model: Any = None,
    data: str | os.PathLike[str] | None = None,
    options: EvaluationOptions = DEFAULTS,
    progress: Progress | None = None,
) -> EvaluationResult:
    """Measure a model.

    Args:
        target: the name of an evaluator, or a file of one's own; see ``find_evaluator``.
        model: of a kind that the evaluator needs; None if it needs none.
        data: what it measures on.
        options: how.
        progress: updated with how much is done.

    Raises:
        SaysoError: if something that is needed is missing, or nothing can be measured.

    Examples:
        ``evaluate("youcook2", sayso.load("runs/mine"), "YouCook2").primary``
    """
    evaluator, path = prepare(target, data, options, with_model=model is not None)
    check_model(evaluator, model)
    return evaluator(model, path, options, progress)


def load_needed(evaluator: Evaluator, name: str = "auto", device: str = "auto") -> Any:
    """Load the model that an evaluator measures.

    Args:
        evaluator: what needs it.
        name: of the model; ``auto`` is the best of its kind that is at hand.
        device: where it runs.

    Raises:
        SaysoError: if there is no such model.
        Unavailable: if it is not at hand.
    """
    if evaluator.needs == ("generator",) and name == "auto":
        from sayso.generators.loading import load_generator

        return load_generator(device=device)
    from sayso.hub import load

    return load(name, device=device)
