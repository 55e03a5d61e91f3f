"""What step classifiers are made of: weighted sums of components, some of which tasks share.

A component for each word makes "pour water" of one task learn from "pour milk" of another and from
"add water" of a third. A step's weights are 1/n on each of its n different components. As published,
words are what blanks separate, case and all ("whipped_cream" is one), and a name that a task has
twice is one step of it ("add onion" early and late).

    words        a component a word, for all tasks
    task_words   a component a word, for each task its own
    steps        a component a step name; equal names are one step, in all tasks
    none         a component for each step name of each task

Source
    Zhukov et al., CVPR 2019, section 3. https://arxiv.org/abs/1903.08225
    Its public code (``get_A``): https://github.com/DmZhukov/CrossTask
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from sayso.core.arrays import Float32s
from sayso.core.errors import SaysoError

Share = Literal["words", "task_words", "steps", "none"]


def components_of(task: str, step: str, share: Share) -> list[str]:
    """Return the components of a step, each once.

    Args:
        task: id of its task.
        step: its name.
        share: what tasks share.
    """
    words = list(dict.fromkeys(step.split())) or [step]
    if share == "words":
        return words
    if share == "task_words":
        return [f"{task}/{word}" for word in words]
    name = " ".join(step.split())
    return [name] if share == "steps" else [f"{task}/{name}"]


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
                for step in steps
                for component in components_of(task, step, share)
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
        for component in components_of(task, step, share):
            if component in place:
                weights[number, place[component]] = 1
        if not weights[number].any():
            raise SaysoError(
                f"step {step!r} shares no component with what was learned (share = {share}); "
                "train with its task, or with share = words"
            )
    weights /= weights.sum(1, keepdims=True)
    return weights
