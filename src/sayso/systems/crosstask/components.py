"""What step classifiers are made of: weighted sums of components, some of which tasks share.

A component for each word makes "pour water" of one task learn from "pour milk" of another and from
"add water" of a third. A step's weights are 1/n on each of its n components.

    words        a component a word, for all tasks
    task_words   a component a word, for each task its own
    steps        a component a step name; equal names are one step
    none         a component for each step of each task

Source
    Zhukov et al., CVPR 2019, section 3. https://arxiv.org/abs/1903.08225
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from sayso.core.arrays import Float32s
from sayso.core.errors import SaysoError

Share = Literal["words", "task_words", "steps", "none"]


def components_of(task: str, step: str, number: int, share: Share) -> list[str]:
    """Return the components of a step, each named once for each time it occurs.

    Args:
        task: id of its task.
        step: its name.
        number: of the step in its task.
        share: what tasks share.
    """
    words = re.findall(r"[^\W_]+", step.lower()) or [step]
    if share == "words":
        return words
    if share == "task_words":
        return [f"{task}/{word}" for word in words]
    return [" ".join(words)] if share == "steps" else [f"{task}/{number}"]


def component_names(tasks: Mapping[str, Sequence[str]], share: Share) -> tuple[str, ...]:
    """Return the components of all steps, sorted.

    Args:
        tasks: names of the steps of each task.
        share: what tasks share.
    """
    return tuple(
        sorted(
            {
                component
                for task, steps in tasks.items()
                for number, step in enumerate(steps)
                for component in components_of(task, step, number, share)
            }
        )
    )


def mixing(task: str, steps: Sequence[str], names: Sequence[str], share: Share) -> Float32s:
    """Return the weight of each component in each step of a task, (C, M); rows sum to 1.

    Components that nobody learned are left out of a step that has others.

    Args:
        task: its id.
        steps: C names of its steps.
        names: M components.
        share: what steps share.

    Raises:
        SaysoError: if a step has no component among the names.
    """
    place = {name: m for m, name in enumerate(names)}
    weights = np.zeros((len(steps), len(names)), np.float32)
    for number, step in enumerate(steps):
        for component in components_of(task, step, number, share):
            if component in place:
                weights[number, place[component]] += 1
        if not weights[number].any():
            raise SaysoError(
                f"step {step!r} shares no component with what was learned (share = {share}); "
                "train with its task, or with share = words"
            )
    weights /= weights.sum(1, keepdims=True)
    return weights
