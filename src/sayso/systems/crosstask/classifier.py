"""Trained step classifiers: scores of the steps of tasks, where the steps are, and their model folder.

Its options are tasks, components and what is shared; its weights the components (M, D), offsets (M,),
and the features' mean (D,) and scale (1,).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sayso.core.arrays import Float32s
from sayso.core.errors import SaysoError
from sayso.hub.model_folder import Framework, ModelFolder, Reference
from sayso.hub.pretrained import Pretrained
from sayso.solvers.ordered_path import ordered_path
from sayso.systems.crosstask.components import Share, mixing


@dataclass(frozen=True, eq=False)
class StepClassifier(Pretrained):
    """Linear classifiers of the steps of tasks, over features of each second.

    Args:
        tasks: names of the steps of each task that it learned.
        share: what tasks share.
        names: of the M components.
        weights: (M, D) float32.
        offsets: (M,) float32.
        mean: (D,) float32, of the features.
        scale: (1,) float32, what brings them to a mean squared length of 1.
        name: what to call it in results.
        card: how it was trained, for the model card.
        draw: seed of the authors' split that it was trained on; None: on all training videos.
    """

    kind: ClassVar[str] = "step_classifier"
    framework: ClassVar[Framework] = "numpy"

    tasks: Mapping[str, tuple[str, ...]]
    share: Share
    names: tuple[str, ...]
    weights: Float32s
    offsets: Float32s
    mean: Float32s
    scale: Float32s
    name: str = "step classifier"
    card: str = ""
    draw: int | None = None

    def scores(self, X: ArrayLike, task: str, steps: Sequence[str] | None = None) -> Float32s:
        """Return how much each second looks like each step, (T, K) float32.

        Args:
            X: (T, D) features.
            task: id of the task.
            steps: names of its steps; None: those that it learned.

        Raises:
            SaysoError: if the features are of another size, or a step shares nothing with what was learned.
        """
        rows = np.asarray(X, dtype=np.float32)
        if rows.ndim != 2 or rows.shape[1] != len(self.mean):
            raise SaysoError(f"expected features (T, {len(self.mean)}), a row a second; got {rows.shape}")
        if steps is None and task not in self.tasks:
            raise SaysoError(f"task {task} was not learned; name its steps")
        mixed = mixing(task, self.tasks[task] if steps is None else steps, self.names, self.share)
        scores: Float32s = (rows - self.mean) * self.scale @ (mixed @ self.weights).T + mixed @ self.offsets
        return scores

    def place(self, X: ArrayLike, task: str, steps: Sequence[str] | None = None) -> NDArray[np.int64]:
        """Return the second of each step, (K,) int64, in order.

        Args:
            X: (T, D) features, a row a second.
            task: its id.
            steps: names of its steps; None: those that it learned.

        Raises:
            SaysoError: as ``scores``.
            ValueError: if there are fewer seconds than steps.
        """
        return ordered_path(-self.scores(X, task, steps).astype(np.float64))

    def to_folder(self) -> ModelFolder:
        """Return all that the model folder holds but the reference outputs."""
        tasks = {task: list(steps) for task, steps in self.tasks.items()}
        options: dict[str, Any] = {"share": self.share, "names": list(self.names), "tasks": tasks}
        options |= {} if self.draw is None else {"draw": self.draw}
        arrays = {part: np.asarray(getattr(self, part)) for part in ("weights", "offsets", "mean", "scale")}
        return ModelFolder(self.kind, options, arrays, card=self.card)

    @classmethod
    def from_folder(cls, saved: ModelFolder, *, name: str, device: str) -> Self:  # noqa: ARG003  numpy alone
        """Return the step classifiers of a model folder.

        Args:
            saved: what the folder holds.
            name: what to call them.
            device: is not used.

        Raises:
            SaysoError: if the weights do not fit the options.
        """
        try:
            found = cls(
                {task: tuple(names) for task, names in saved.options["tasks"].items()},
                saved.options["share"],
                tuple(saved.options["names"]),
                **{part: saved.weights[part] for part in ("weights", "offsets", "mean", "scale")},
                name=name,
                card=saved.card,
                draw=saved.options.get("draw"),
            )
            sizes = (*found.weights.shape, len(found.offsets))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise SaysoError(f"the step classifiers {name} do not fit their config.json: {error}") from error
        if sizes != (len(found.names), len(found.mean), len(found.names)):
            raise SaysoError(f"the step classifiers {name} hold weights of other components or features")
        return found

    def reference_outputs(self) -> Reference:
        """Return the scores of the first task's steps in three seconds of features that are a sine wave."""
        task = next(iter(self.tasks))
        wave = np.sin(np.arange(3 * len(self.mean), dtype=np.float32)).reshape(3, -1)
        return {"of_features": self.scores(wave, task).ravel().tolist()}
