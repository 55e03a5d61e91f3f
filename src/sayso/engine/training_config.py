"""How to train: the part of a recipe that all systems share."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from sayso.core.errors import SaysoError


@dataclass(frozen=True, kw_only=True)
class Training:
    """How to train, for all systems.

    Args:
        steps: updates of the weights.
        batch_size: examples that a loss compares, over all processes.
        accumulate: batches whose gradients are averaged for one update.
        chunk: examples embedded at once; 0: the whole batch. See ``gradient_cache``.
        optimizer: ``adam`` (decoupled weight decay) or ``sgd`` (momentum 0.9).
        lr: peak learning rate.
        warmup: updates in which it rises linearly.
        schedule: what follows: ``cosine`` falls to 0 at the end.
        weight_decay: for matrices and kernels; not for biases and norms.
        clip_norm: largest norm of the gradient; 0: any.
        precision: of the model's arithmetic; ``bf16`` and ``fp16`` are mixed with float32.
        ema: decay of the average of the weights that is kept and saved; 0: none.
        seed: of all chance.
        workers: decoding threads a process; one a core by default.
        save_every: updates between checkpoints.
        log_every: updates between lines of the log.
        keep: checkpoints that are kept, besides the best.
    """

    steps: int = 1000
    batch_size: int = 64
    accumulate: int = 1
    chunk: int = 0
    optimizer: Literal["adam", "sgd"] = "adam"
    lr: float = 1e-3
    warmup: int = 100
    schedule: Literal["cosine", "constant"] = "cosine"
    weight_decay: float = 0.0
    clip_norm: float = 0.0
    precision: Literal["no", "bf16", "fp16"] = "no"
    ema: float = 0.0
    seed: int = 0
    workers: int | None = None
    save_every: int = 500
    log_every: int = 10
    keep: int = 3

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "accumulate", "save_every", "log_every", "keep"):
            if getattr(self, name) < 1:
                raise SaysoError(f"{name} must be 1 or more; got {getattr(self, name)}")
        for name in ("chunk", "warmup", "weight_decay", "clip_norm", "seed", "ema", "lr"):
            if getattr(self, name) < 0:
                raise SaysoError(f"{name} must not be below 0; got {getattr(self, name)}")

    def rate(self, step: int) -> float:
        """Return the learning rate of an update, the first being number 0."""
        if step < self.warmup:
            return self.lr * (step + 1) / self.warmup
        if self.schedule == "constant":
            return self.lr
        done = (step - self.warmup) / max(1, self.steps - self.warmup)
        return self.lr * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
