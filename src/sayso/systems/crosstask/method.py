"""Training step classifiers: on narration and the order of the steps, or on annotations.

By alternating minimisation, the second of each step follows from the classifiers, and the classifiers from
the seconds:

    times = argmin over ordered times  sum_c  -score[t_c, c] + penalty [t_c outside c's narration windows]
    loss  = mean over steps of  -log softmax over the steps of the task (score[t_c])[c]

In the first ``uniform_epochs``, before the classifiers know anything, a step is uniform over the seconds
of its narration windows; without any, over its share of the video. The supervised bound has the annotated
seconds in their place. ``rule=published`` is in ``published.py``.

Source
    Zhukov et al., CVPR 2019, section 4. https://arxiv.org/abs/1903.08225
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Literal, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sayso.core.arrays import Float32s
from sayso.core.errors import SaysoError
from sayso.data.batch import Batch, Example
from sayso.engine.system import LossesMethod
from sayso.engine.training_config import TrainingConfig
from sayso.solvers.ordered_path import ordered_paths
from sayso.systems.crosstask.classifier import StepClassifier
from sayso.systems.crosstask.components import Share, component_names, mixing
from sayso.systems.crosstask.videos import StepVideos

if TYPE_CHECKING:
    from sayso.engine.tensor_batch import TensorBatch

PUBLISHED: Mapping[str, object] = {
    "related": True,
    "penalty": 1e4,
    "uniform_epochs": 30,
    "dropout": 0.7,
    "optimizer": "adam",
    "lr": 1e-5,
    "schedule": "constant",
    "warmup": 0,
    "weight_decay": 0.0,
    "batch_size": 1,
    "steps": 60 * 4340,  # 30 + 30 epochs of all that the release lists, but for its validation list
    "save_every": 4340,
}


@dataclass(frozen=True, kw_only=True)
class Recipe(TrainingConfig):
    """The options of a run.

    With ``rule=published``, what is not set, or set to its default, is as published (``PUBLISHED``).

    Args:
        features: folder of ``<video id>.npy``, (T, D), a row a second.
        windows: folder of constraints (``<task id>_<video id>.csv``) or captions (``<video id>.vtt``);
            unless given, ``constraints`` in the release, if it is there.
        rule: ``alternating``; ``published``: random, then gradient-corrected assignments (``published.py``).
        learn: from ``narration``, or from ``annotations`` (the supervised bound).
        share: components of steps that tasks share: ``words``, ``task_words``, ``steps``, ``none``.
        related: learn the related tasks with the primary ones.
        draw: seed of one of the authors' splits, 30 training videos of each primary task, on whose other
            videos ``crosstask-splits`` then tests; none: all but those of the validation list.
        before_s: narration windows begin so long before a caption that mentions the step, seconds.
        after_s: and end so long after it.
        penalty: for a step outside its narration windows.
        uniform_epochs: epochs before the first alternation; as published, of random assignments.
        dropout: share of a second's features that are left out in training.
    """

    features: str = ""
    windows: str = ""
    rule: Literal["alternating", "published"] = "alternating"
    learn: Literal["narration", "annotations"] = "narration"
    share: Share = "words"
    related: bool = False
    draw: int | None = None
    before_s: float = 0.0
    after_s: float = 10.0
    penalty: float = 2.0
    uniform_epochs: int = 5
    dropout: float = 0.0
    steps: int = 600
    batch_size: int = 32
    lr: float = 1e-2
    weight_decay: float = 1e-2
    warmup: int = 10
    save_every: int = 200

    def __post_init__(self) -> None:
        if self.rule == "published":
            if self.learn != "narration":
                raise SaysoError("rule=published learns from narration; leave out learn=annotations")
            usual = {field.name: field.default for field in fields(self)}
            for name, value in PUBLISHED.items():
                if getattr(self, name) == usual[name]:
                    object.__setattr__(self, name, value)
        if not 0 <= self.dropout < 1:
            raise SaysoError(f"dropout must be 0 to below 1; got {self.dropout}")
        super().__post_init__()


class StepNet(nn.Module):
    """Scores of the steps of tasks: weighted sums of linear components.

    Args:
        dim: D, of the features.
        mixed: for each task (C, M), the weight of each component in each step.
        dropout: share of the features that are left out in training.
        videos: N, of which the second of each step is kept; 0: none.

    Attributes:
        placed: (N, C) the seconds, -1 for none.
    """

    mixed: Tensor
    placed: Tensor

    def __init__(self, dim: int, mixed: list[Float32s], dropout: float = 0.0, videos: int = 0) -> None:
        super().__init__()
        C, M = max(len(one) for one in mixed), mixed[0].shape[1]
        table = torch.zeros(len(mixed), C, M)
        for number, one in enumerate(mixed):
            table[number, : len(one)] = torch.from_numpy(one)
        self.register_buffer("mixed", table, persistent=False)
        self.register_buffer("placed", torch.full((videos, C), -1), persistent=videos > 0)
        self.dropout, self.components = nn.Dropout(dropout), nn.Linear(dim, M)
        nn.init.zeros_(self.components.weight)
        nn.init.zeros_(self.components.bias)

    def forward(self, x: Tensor, task: Tensor) -> Tensor:
        """Return scores (B, T, C), of features (B, T, D) and numbers of tasks (B,)."""
        mixed = self.mixed[task]
        weights = mixed @ self.components.weight
        scores: Tensor = self.dropout(x) @ weights.mT + (mixed @ self.components.bias)[:, None]
        return scores


class CrossTask(LossesMethod):
    """The method, as the training loop sees it.

    Args:
        recipe: how.
        videos: what it learns from.
    """

    def __init__(self, recipe: Recipe, videos: StepVideos) -> None:
        self.recipe, self.dataset = recipe, videos
        self.names = component_names(videos.tasks, recipe.share)
        mixed = [mixing(task, steps, self.names, recipe.share) for task, steps in videos.tasks.items()]
        kept = len(videos) if recipe.rule == "published" else 0
        self.model = StepNet(len(videos.moments[0]), mixed, recipe.dropout, kept)
        self.most_steps = max(map(len, videos.tasks.values()))

    def collate(self, examples: Sequence[Example]) -> Batch:
        """Return videos padded to the longest one.

        Returns:
            ``features`` (B, T, D) float32; ``allowed`` (B, T, C) bool: the narration windows, none where
            a step is not mentioned; ``seconds`` and ``steps`` (B,): how much of T and C is real;
            ``task`` (B,): its number; ``item`` (B,): that of the video.
        """
        B, T = len(examples), max(len(one["features"]) for one in examples)
        features = np.zeros((B, T, examples[0]["features"].shape[1]), np.float32)
        allowed = np.zeros((B, T, self.most_steps), bool)
        for b, one in enumerate(examples):
            seconds, steps = one["allowed"].shape
            features[b, :seconds], allowed[b, :seconds, :steps] = one["features"], one["allowed"]
        sizes = np.array([one["allowed"].shape for one in examples])
        numbers = {name: np.array([one[name] for one in examples]) for name in ("task", "item")}
        batch = {"features": features, "allowed": allowed, **numbers}
        return batch | {"seconds": sizes[:, 0], "steps": sizes[:, 1]}

    def losses(self, model: nn.Module, batch: TensorBatch) -> dict[str, tuple[Tensor, Tensor | float]]:
        """Return the cross-entropy of scores (B, T, C) with the seconds of the steps, summed over steps."""
        scores = model(batch["features"], batch["task"])
        real = torch.arange(scores.shape[2], device=scores.device) < batch["steps"][:, None]
        logs = scores.masked_fill(~real[:, None], -torch.inf).log_softmax(2).masked_fill(~real[:, None], 0.0)
        found = self.targets(scores.detach().float().cpu().numpy(), batch.arrays)
        targets = torch.from_numpy(found).to(scores)
        return {"steps": (-(logs * targets).sum(), targets.sum())}

    def targets(self, scores: Float32s, batch: Batch) -> Float32s:
        """Return the seconds of the steps, (B, T, C); those of a step sum to 1, or 0 if it has none.

        Args:
            scores: (B, T, C).
            batch: what ``collate`` made, with ``epoch``.
        """
        targets = np.zeros(scores.shape, np.float32)
        sizes = list(zip(batch["seconds"], batch["steps"], strict=True))
        allowed = [batch["allowed"][b, :T, :C] for b, (T, C) in enumerate(sizes)]
        if self.recipe.learn == "narration" and batch["epoch"] >= self.recipe.uniform_epochs:
            costs = [
                self._costs(one[:T, :C], a) for one, a, (T, C) in zip(scores, allowed, sizes, strict=True)
            ]
            for b, times in enumerate(ordered_paths(costs)):
                targets[b, times, np.arange(len(times))] = 1
            return targets
        for b, (T, C) in enumerate(sizes):
            spread = allowed[b].astype(np.float32)
            if self.recipe.learn == "narration":
                spread = np.where(spread.any(0), spread, _even(T, C))
            targets[b, :T, :C] = spread / np.maximum(spread.sum(0), 1)
        return targets

    def _costs(self, scores: Float32s, allowed: NDArray[np.bool_]) -> Float32s:
        outside = ~allowed & allowed.any(0)
        return np.asarray(self.recipe.penalty * outside - scores, np.float32)

    def export(self, model: nn.Module, card: str = "") -> StepClassifier:
        """Return step classifiers with what a model has learned."""
        components, videos = cast(StepNet, model).components, self.dataset
        mean, scale = videos.moments
        weights, offsets = (v.detach().float().cpu().numpy() for v in (components.weight, components.bias))
        return StepClassifier(
            videos.tasks,
            self.recipe.share,
            self.names,
            weights,
            offsets,
            mean,
            scale,
            card=card,
            draw=self.recipe.draw,
        )


def _even(T: int, C: int) -> Float32s:
    """Return (T, C): each step uniform over its share of a video."""
    share = np.minimum(np.arange(T) * C // T, C - 1)
    return np.asarray(share[:, None] == np.arange(C), np.float32)
