"""How to train: the part of a recipe that all systems share."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from sayso.core.errors import SaysoError


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """How to train, for all systems.

    Args:
        steps: updates of the weights.
        batch_size: B, examples that a loss compares, over all processes.
        accumulate: batches for one update: their gradients are averaged; sums with weights are summed.
        micro_batch: examples that go through the model at once; 0: the whole batch of a process. A loss
            of embeddings still compares the whole batch, see ``gradient_cache``.
        optimizer: ``adamw`` (decoupled weight decay), ``adam`` or ``sgd``.
        betas: of Adam and AdamW: decay of the averages of the gradient and of its square.
        eps: of Adam and AdamW.
        momentum: of SGD.
        lr: peak learning rate.
        warmup: updates in which it rises linearly.
        schedule: what follows: ``cosine`` falls to 0 at the end, ``steps`` is multiplied by ``decay`` every
            ``decay_every`` updates.
        decay: factor of ``steps``.
        decay_every: updates, such as those of an epoch.
        weight_decay: for matrices and kernels; not for biases, norms and single numbers.
        clip_norm: largest norm of the gradient; 0: any.
        precision: of the model's arithmetic; ``bf16`` and ``fp16`` are mixed with float32.
        ema: decay of the average of the weights that is kept and saved; 0: none.
        seed: of all random numbers.
        workers: threads a process that decode and collate; one a core by default.
        save_every: updates between checkpoints.
        log_every: updates between lines of the log.
        save_total_limit: checkpoints that are kept, besides the best.
    """

    steps: int = 1000
    batch_size: int = 64
    accumulate: int = 1
    micro_batch: int = 0
    optimizer: Literal["adamw", "adam", "sgd"] = "adamw"
    betas: tuple[float, ...] = (0.9, 0.999)
    eps: float = 1e-8
    momentum: float = 0.9
    lr: float = 1e-3
    warmup: int = 100
    schedule: Literal["cosine", "constant", "steps"] = "cosine"
    decay: float = 0.9
    decay_every: int = 1000
    weight_decay: float = 0.0
    clip_norm: float = 0.0
    precision: Literal["no", "bf16", "fp16"] = "no"
    ema: float = 0.0
    seed: int = 0
    workers: int | None = None
    save_every: int = 500
    log_every: int = 10
    save_total_limit: int = 3

    def __post_init__(self) -> None:
        for name in (
            "steps",
            "batch_size",
            "accumulate",
            "save_every",
            "log_every",
            "save_total_limit",
            "decay_every",
        ):
            if getattr(self, name) < 1:
                raise SaysoError(f"{name} must be 1 or more; got {getattr(self, name)}")
        for name in (
            "micro_batch",
            "warmup",
            "weight_decay",
            "clip_norm",
            "seed",
            "ema",
            "lr",
            "eps",
            "decay",
        ):
            if getattr(self, name) < 0:
                raise SaysoError(f"{name} must not be below 0; got {getattr(self, name)}")
        if len(self.betas) != 2 or not all(0 <= beta < 1 for beta in (*self.betas, self.momentum)):
            raise SaysoError(
                "betas must be two numbers from 0 to below 1, momentum one; "
                f"got {list(self.betas)} and {self.momentum}"
            )

    def lr_at(self, step: int) -> float:
        """Return the learning rate of an update, the first being number 0."""
        if step < self.warmup:
            return self.lr * (step + 1) / self.warmup
        if self.schedule == "constant":
            return self.lr
        if self.schedule == "steps":
            return self.lr * self.decay ** ((step - self.warmup) // self.decay_every)
        done = (step - self.warmup) / max(1, self.steps - self.warmup)
        return self.lr * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
