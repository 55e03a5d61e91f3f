"""Training step classifiers: on what narration tells and the order of the steps, or on annotations.

In turns, the second of each step follows from the classifiers, and the classifiers from the seconds:

    times = argmin over ordered times  sum_k  -score[t_k, k] + penalty [t_k is not where k is told of]
    loss  = mean over steps of  -log softmax over the steps of the task (score[t_k])[k]

Before the classifiers know anything (``even`` epochs), a step stands evenly over the seconds in which it
is told of; nothing told, over its share of the video. The supervised bound has the annotated
seconds in their place.

Source
    Zhukov et al., CVPR 2019, section 4. https://arxiv.org/abs/1903.08225
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NoReturn, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sayso.core.errors import SaysoError
from sayso.engine.training_config import Training
from sayso.solvers.ordered_path import ordered_paths
from sayso.systems.crosstask.classifier import StepClassifier
from sayso.systems.crosstask.components import Share, component_names, mixing
from sayso.systems.crosstask.videos import StepVideos, read_videos

if TYPE_CHECKING:
    from sayso.core.progress import Progress
    from sayso.data.batch import Batch
    from sayso.engine.gradient_cache import Embeddings

Floats = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Recipe(Training):
    """What a training run can be told.

    Args:
        features: folder of ``<video id>.npy``, (T, D), a row a second.
        windows: folder of constraints (``<task id>_<video id>.csv``) or captions (``<video id>.vtt``);
            unless given, ``constraints`` in the release, if it is there.
        learn: from ``narration``, or from ``annotations`` (the supervised bound).
        share: components of steps that tasks share: ``words``, ``task_words``, ``steps``, ``none``.
        related: learn the related tasks with the primary ones.
        before_s: how long before it is told of a step may be, where captions tell.
        after_s: how long after.
        penalty: for a step outside the seconds in which it is told of.
        even: epochs before the first turn.
    """

    features: str = ""
    windows: str = ""
    learn: Literal["narration", "annotations"] = "narration"
    share: Share = "words"
    related: bool = False
    before_s: float = 0.0
    after_s: float = 10.0
    penalty: float = 2.0
    even: int = 5
    steps: int = 600
    batch_size: int = 32
    lr: float = 1e-2
    weight_decay: float = 1e-2
    warmup: int = 10
    save_every: int = 200


class StepNet(nn.Module):
    """Scores of the steps of tasks: weighted sums of linear components.

    Args:
        dim: D, of the features.
        mixed: for each task (K, M), the weight of each component in each step.
    """

    mixed: Tensor

    def __init__(self, dim: int, mixed: list[Floats]) -> None:
        super().__init__()
        K, M = max(len(one) for one in mixed), mixed[0].shape[1]
        table = torch.zeros(len(mixed), K, M)
        for number, one in enumerate(mixed):
            table[number, : len(one)] = torch.from_numpy(one)
        self.register_buffer("mixed", table, persistent=False)
        self.components = nn.Linear(dim, M)
        nn.init.zeros_(self.components.weight)
        nn.init.zeros_(self.components.bias)

    def forward(self, x: Tensor, task: Tensor) -> tuple[Tensor]:
        """Return scores (B, T, K), of features (B, T, D) and numbers of tasks (B,)."""
        mixed = self.mixed[task]
        weights = mixed @ self.components.weight
        return (x @ weights.mT + (mixed @ self.components.bias)[:, None],)


class CrossTask:
    """The method, as the training loop sees it.

    Args:
        recipe: how.
        videos: what it learns from.
    """

    def __init__(self, recipe: Recipe, videos: StepVideos) -> None:
        self.recipe, self.videos = recipe, videos
        self.names = component_names(videos.tasks, recipe.share)
        mixed = [mixing(task, steps, self.names, recipe.share) for task, steps in videos.tasks.items()]
        order = list(videos.tasks)
        self.task = np.array([order.index(video.task) for video in videos.videos])
        self.counts = np.array([len(steps) for steps in videos.tasks.values()])
        self.model: nn.Module = StepNet(len(videos.moments[0]), mixed)

    def inputs(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return features (B, T, D) float32 and numbers of tasks (B,)."""
        return torch.from_numpy(batch.visual), torch.from_numpy(self.task[batch.video])

    def loss(self, embeddings: Embeddings, batch: Batch) -> Tensor:
        """Return the cross-entropy of scores (B, T, K) with where the steps are now."""
        scores = embeddings[0].float()
        K = torch.from_numpy(self.counts[self.task[batch.video]]).to(scores.device)
        real = torch.arange(scores.shape[2], device=scores.device) < K[:, None]
        logs = scores.masked_fill(~real[:, None], -torch.inf).log_softmax(2).masked_fill(~real[:, None], 0.0)
        targets = torch.from_numpy(self.targets(scores.detach().cpu().numpy(), batch)).to(scores.device)
        return -(logs * targets).sum() / targets.sum().clamp_min(1e-9)

    def targets(self, scores: Floats, batch: Batch) -> Floats:
        """Return where the steps are, (B, T, K), each step's seconds summing to 1 or 0.

        Args:
            scores: (B, T, K).
            batch: which videos.
        """
        targets = np.zeros(scores.shape, np.float32)
        if self.recipe.learn == "narration" and batch.epoch >= self.recipe.even:
            costs = [self._costs(scores[b], item) for b, item in enumerate(batch.video)]
            for b, times in enumerate(ordered_paths(costs)):
                targets[b, times, np.arange(len(times))] = 1
            return targets
        for b, item in enumerate(batch.video):
            spread = self.videos.allowed[item].astype(np.float32)
            if self.recipe.learn == "narration":
                spread = np.where(spread.any(0), spread, _even(*spread.shape))
            targets[b, : len(spread), : spread.shape[1]] = spread / np.maximum(spread.sum(0), 1)
        return targets

    def _costs(self, scores: Floats, item: int) -> Floats:
        allowed = self.videos.allowed[item]
        T, K = allowed.shape
        outside = ~allowed & allowed.any(0)
        return np.asarray(self.recipe.penalty * outside - scores[:T, :K], np.float32)

    def export(self, model: nn.Module, card: str = "") -> StepClassifier:
        """Return what a model has learned."""
        components = cast(StepNet, model).components
        mean, scale = self.videos.moments
        weights, offsets = (v.detach().float().cpu().numpy() for v in (components.weight, components.bias))
        return StepClassifier(
            self.videos.tasks, self.recipe.share, self.names, weights, offsets, mean, scale, card=card
        )

    def save(self, folder: Path, model: nn.Module, about: str) -> None:
        """Write step classifiers that ``sayso.load`` takes."""
        self.export(model, about).save_pretrained(folder)

    def examples(self, videos: StepVideos) -> StepVideos:
        """Return what is learned from."""
        return videos


def read(path: Path, recipe: Recipe, progress: Progress) -> StepVideos:
    """Return the training videos of a release, told of on ``progress``.

    Raises:
        SaysoError: if no features are named, or nothing can be read.
    """
    if not recipe.features:
        raise SaysoError(
            "training crosstask needs the features of its videos: --set features=FOLDER, <video id>.npy"
        )
    windows = Path(recipe.windows) if recipe.windows else path / "constraints"
    videos = read_videos(
        path,
        Path(recipe.features),
        windows=windows if recipe.windows or windows.is_dir() else None,
        related=recipe.related,
        annotated=recipe.learn == "annotations",
        before_s=recipe.before_s,
        after_s=recipe.after_s,
    )
    told = sum(bool(table.any()) for table in videos.allowed)
    progress.message(
        f"{len(videos):,} videos of {len(videos.tasks):,} tasks, {told:,} with steps that are told of, "
        f"{len(videos.missing):,} missing"
    )
    return videos


def make(recipe: Recipe, videos: StepVideos, folder: Path, progress: Progress) -> CrossTask:  # noqa: ARG001
    """Return the method for videos of tasks."""
    return CrossTask(recipe, videos)


def score(method: CrossTask, path: Path) -> NoReturn:  # noqa: ARG001
    """Refuse: the last step counts, as published, for nothing annotated is to be had while learning.

    Raises:
        SaysoError: always.
    """
    raise SaysoError("crosstask takes no --test; measure the run with: sayso evaluate crosstask --model RUN")


def _even(T: int, K: int) -> Floats:
    """Return (T, K): each step evenly over its share of a video."""
    share = np.minimum(np.arange(T) * K // T, K - 1)
    return np.asarray(share[:, None] == np.arange(K), np.float32)
