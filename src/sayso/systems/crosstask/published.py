"""Training as published: first random assignments, then ones that foresee the step of the weights.

The public code keeps an assignment Y of each video, one second a step, and goes over the videos one by one:

    loss(Y)  = mean over seconds of  sum_c Y_tc (penalty [t outside c's narration windows] - log p_tc)
    random   Y = argmin over ordered assignments  <Y, R + outside>,  R uniform in [0, 1), drawn in each epoch
    later    Y = argmin over ordered assignments  <Y, G>,
             G = d/dY (loss(Y) - lr/2 |d loss(Y) / d weights|^2)  at the last Y

after which the weights take a step of Adam on loss(Y); log p is the softmax over the steps of the task, and
dropout is on throughout. The square is what a step of size lr on the weights would gain: assignments are
"gradient-corrected".

Source
    Zhukov et al., CVPR 2019. Its public code (train.py): https://github.com/DmZhukov/CrossTask
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sayso.core.arrays import Ints
from sayso.core.distributed import processes
from sayso.core.errors import SaysoError
from sayso.solvers.ordered_path import ordered_path
from sayso.systems.crosstask.method import CrossTask

if TYPE_CHECKING:
    from sayso.engine.tensor_batch import TensorBatch


class PublishedCrossTask(CrossTask):
    """The method as published; the model keeps the second of each step of each video (``StepNet.placed``)."""

    def losses(self, model: nn.Module, batch: TensorBatch) -> dict[str, tuple[Tensor, Tensor | float]]:
        """Return the loss of each video's new assignment, summed over the videos.

        Raises:
            SaysoError: if several processes train: each would lose the assignments of its own videos.
        """
        if processes() > 1:
            raise SaysoError(
                "rule=published goes from video to video in one process; start it without accelerate"
            )
        sizes = [
            (int(T), int(C)) for T, C in zip(batch.arrays["seconds"], batch.arrays["steps"], strict=True)
        ]
        outside = [~batch.arrays["allowed"][b, :T, :C] for b, (T, C) in enumerate(sizes)]
        placed = self.model.placed
        items = [int(item) for item in batch.arrays["item"]]
        if int(batch.arrays["epoch"]) < self.recipe.uniform_epochs:
            times = [
                self._random(item, int(batch.arrays["epoch"]), o)
                for item, o in zip(items, outside, strict=True)
            ]
        else:
            scores = model(batch["features"], batch["task"])
            before = [placed[item, :C].cpu().numpy() for item, (_, C) in zip(items, sizes, strict=True)]
            times = [
                self._foreseeing(model, scores[b, :T, :C], before[b], outside[b])
                for b, (T, C) in enumerate(sizes)
            ]
        for item, found in zip(items, times, strict=True):
            placed[item, : len(found)] = torch.from_numpy(found).to(placed)
        scores = model(batch["features"], batch["task"])
        total = torch.stack(
            [
                assignment_loss(
                    scores[b, :T, :C], _labels(times[b], (T, C)).to(scores), outside[b], self.recipe.penalty
                )
                for b, (T, C) in enumerate(sizes)
            ]
        ).sum()
        return {"steps": (total, float(len(items)))}

    def _random(self, item: int, epoch: int, outside: NDArray[np.bool_]) -> Ints:
        """Return a random assignment (C,) that rather stays within the narration windows."""
        rng = np.random.default_rng([self.recipe.seed, epoch, item])
        return ordered_path(rng.random(outside.shape) + outside)

    def _foreseeing(self, model: nn.Module, scores: Tensor, before: Ints, outside: NDArray[np.bool_]) -> Ints:
        """Return the assignment (C,) of least gradient of the loss after a step of the weights.

        Args:
            model: whose weights would take the step.
            scores: (T, C) of a video, with their graph.
            before: (C,) its last assignment.
            outside: (T, C) where narration does not let a step be.
        """
        labels = _labels(before, scores.shape).to(scores).requires_grad_()
        loss = assignment_loss(scores, labels, outside, self.recipe.penalty)
        weights = [weight for weight in model.parameters() if weight.requires_grad]
        gradients = torch.autograd.grad(loss, weights, create_graph=True, retain_graph=True)
        ahead = loss - 0.5 * self.recipe.lr * sum(gradient.square().sum() for gradient in gradients)
        (cost,) = torch.autograd.grad(ahead, [labels], retain_graph=True)
        return ordered_path(cost.double().cpu().numpy())


def assignment_loss(scores: Tensor, labels: Tensor, outside: NDArray[np.bool_], penalty: float) -> Tensor:
    """Return the mean over seconds of what labels cost.

    Args:
        scores: (T, C) of the steps of a task in each second.
        labels: (T, C), differentiable.
        outside: (T, C) where narration does not let a step be.
        penalty: for a label there.
    """
    costs = penalty * torch.from_numpy(outside).to(scores) - scores.log_softmax(1)
    return (labels * costs).sum() / len(scores)


def _labels(times: Ints, shape: tuple[int, ...]) -> Tensor:
    """Return (T, C): 1 at the second of each step; none of a step at -1."""
    labels = torch.zeros(tuple(shape))
    there = np.flatnonzero(times >= 0)
    labels[times[there], there] = 1
    return labels
