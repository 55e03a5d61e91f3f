"""Step classifiers that are done learning: scores, places, and their folder.

config.json          tasks, components, what is shared
model.safetensors    components (M, D), offsets (M,), the features' mean (D,) and scale
README.md            the model card
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sayso.core.errors import SaysoError
from sayso.core.lazy import need
from sayso.solvers.ordered_path import ordered_path
from sayso.systems.crosstask.components import Share, mixing

FORMAT, KIND, WEIGHTS = 1, "crosstask", "model.safetensors"
Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class StepClassifier:
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
        about: how it was trained, Markdown.
    """

    tasks: Mapping[str, tuple[str, ...]]
    share: Share
    names: tuple[str, ...]
    weights: Floats
    offsets: Floats
    mean: Floats
    scale: Floats
    name: str = ""
    about: str = ""

    def scores(self, X: ArrayLike, task: str, steps: Sequence[str] | None = None) -> Floats:
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
        scores: Floats = (rows - self.mean) * self.scale @ (mixed @ self.weights).T + mixed @ self.offsets
        return scores

    def place(self, X: ArrayLike, task: str, steps: Sequence[str] | None = None) -> NDArray[np.int64]:
        """Return the second of each step, (K,) int64, in order.

        Raises:
            SaysoError: as ``scores``.
            ValueError: if there are fewer seconds than steps.
        """
        return ordered_path(-self.scores(X, task, steps).astype(np.float64))

    @property
    def sha256(self) -> str:
        """A digest of the weights and of what they stand for."""
        digest = hashlib.sha256(json.dumps(self._config(), sort_keys=True).encode())
        for value in (self.weights, self.offsets, self.mean, self.scale):
            digest.update(np.ascontiguousarray(value).tobytes())
        return digest.hexdigest()

    def save_pretrained(self, folder: Path) -> None:
        """Write it into a folder, which is made if it is missing."""
        files = need("safetensors.numpy", "train")
        folder.mkdir(parents=True, exist_ok=True)
        config = json.dumps(self._config(), ensure_ascii=False, indent=1)
        (folder / "config.json").write_text(config + "\n", "utf-8")
        arrays = {name: getattr(self, name) for name in ("weights", "offsets", "mean", "scale")}
        files.save_file({name: np.ascontiguousarray(v) for name, v in arrays.items()}, folder / WEIGHTS)
        (folder / "README.md").write_text(_card(self), "utf-8")

    def _config(self) -> dict[str, object]:
        tasks = {task: list(steps) for task, steps in self.tasks.items()}
        return {"sayso": FORMAT, "kind": KIND, "share": self.share, "names": list(self.names), "tasks": tasks}


def load(folder: str | os.PathLike[str]) -> StepClassifier:
    """Load step classifiers; of a run's folder, the best step, or the last where none was measured.

    Raises:
        SaysoError: if the folder holds none, or a file is missing or damaged.
        MissingExtra: if safetensors is not installed.
    """
    files = need("safetensors.numpy", "train")
    from safetensors import SafetensorError

    given = Path(folder).expanduser()
    steps = (given / name for name in ("best", "latest"))
    place = next((step for step in steps if (step / "config.json").is_file()), given)
    try:
        config = json.loads((place / "config.json").read_text("utf-8"))
        if config.get("kind") != KIND or config["sayso"] != FORMAT:
            raise SaysoError(f"{folder} holds no step classifiers; see: sayso train crosstask")
        arrays = files.load_file(place / WEIGHTS)
        found = StepClassifier(
            {task: tuple(names) for task, names in config["tasks"].items()},
            config["share"],
            tuple(config["names"]),
            arrays["weights"],
            arrays["offsets"],
            arrays["mean"],
            arrays["scale"],
            name=str(folder),
        )
        sizes = (*found.weights.shape, len(found.offsets))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, SafetensorError) as error:
        first = str(error).splitlines()[0]
        raise SaysoError(f"the step classifiers {folder} cannot be read: {first}; copy them again") from error
    if sizes != (len(found.names), len(found.mean), len(found.names)):
        raise SaysoError(f"the step classifiers {folder} hold weights of other components or features")
    return found


def _card(model: StepClassifier) -> str:
    return f"""---
library_name: sayso
tags: [step-localization, weak-supervision]
---

# Steps of {len(model.tasks)} tasks

{model.about or "Trained with sayso."}

{len(model.names)} components over {len(model.mean)} features a second, share = {model.share}.

```
sayso evaluate crosstask --data RELEASE --features FEATURES --model THIS_FOLDER
```
"""
