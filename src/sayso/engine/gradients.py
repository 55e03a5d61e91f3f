"""The gradient of one update: of a loss over embeddings, or of sums with their weights."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from sayso.data.batch import Batch, rows, take
from sayso.engine.gradient_cache import cached_backward, statistics_kept
from sayso.engine.system import EmbeddingMethod, LossesMethod
from sayso.engine.tensor_batch import TensorBatch

if TYPE_CHECKING:
    from sayso.engine.system import Method
    from sayso.engine.train_state import TrainState


def add_gradients(method: Method, state: TrainState, batches: Iterator[Batch]) -> dict[str, Tensor]:
    """Add the gradient of one update to the parameters of a method.

    Args:
        method: what learns.
        state: its weights.
        batches: of this process; as many are taken as ``accumulate`` says.

    Returns:
        ``loss``, and single losses by name where there are several: this process's part, whose mean
        over the processes is the loss.
    """
    if isinstance(method, LossesMethod):
        return _Sums(method, state).add(list(islice(batches, state.config.accumulate)))
    total = torch.zeros((), device=state.device)
    share = 1 / state.config.accumulate
    for number in range(state.config.accumulate):
        last = number == state.config.accumulate - 1
        with contextlib.nullcontext() if last else state.no_sync():
            total = total + share * _of_embeddings(method, state, next(batches), share)
    return {"loss": total}


def _of_embeddings(method: EmbeddingMethod, state: TrainState, batch: Batch, share: float) -> Tensor:
    """Add ``share`` of a batch's gradient; return its loss."""
    whole = TensorBatch(batch, state.device)
    size = state.config.micro_batch
    if not 0 < size < whole.rows:
        loss = method.loss(method.embed(state.model, whole), whole)
        state.backward(loss * share)
        return loss.detach()
    return cached_backward(
        lambda n: method.embed(state.model, TensorBatch(take(batch, n * size, (n + 1) * size), state.device)),
        -(-whole.rows // size),
        lambda embeddings: method.loss(embeddings, whole),
        model=state.model,
        device=state.device,
        backward=lambda value: state.backward(value * share),
        no_sync=state.no_sync,
    )


@dataclass(frozen=True)
class _Sums:
    """Gradients of the total of S_k / W_k, where both are sums over micro-batches and processes.

    W is known when the last micro-batch was seen. So gradients are divided by an estimate of it, the
    first micro-batch's weight times their number, and corrected at the end. That cannot be done for several
    losses at once; then the weights of the other micro-batches are found first, without gradients.
    """

    method: LossesMethod
    state: TrainState

    def add(self, batches: Iterable[Batch]) -> dict[str, Tensor]:
        parts = list(self._parts(batches))
        world = self.state.accelerator.num_processes
        expected: dict[str, Tensor] = {}
        sums: dict[str, Tensor] = {}
        weights: dict[str, Tensor] = {}
        for number, part in enumerate(parts):
            last = number == len(parts) - 1
            with contextlib.nullcontext() if last else self.state.no_sync():
                found = self.method.losses(self.state.model, part())
                expected = expected or self._expected(found, parts)
                self.state.backward(_total(value * (world / expected[k]) for k, (value, _) in found.items()))
            for k, (value, weight) in found.items():
                sums[k] = sums.get(k, 0) + value.detach()
                weights[k] = weights.get(k, 0) + _as_weight(weight, value)
        total = {k: self._everywhere(weight) for k, weight in weights.items()}
        if len(total) == 1:
            (name,) = total
            self.state.scale_gradients(expected[name] / total[name])
        means = {k: world * sums[k] / total[k] for k in sums}
        single = means if len(means) > 1 else {}
        return {"loss": _total(means.values()), **single}

    def _parts(self, batches: Iterable[Batch]) -> Iterator[_Part]:
        for batch in batches:
            size = self.state.config.micro_batch or rows(batch)
            for start in range(0, rows(batch), size):
                yield _Part(batch, start, start + size, self.state.device)

    def _expected(
        self, first: Mapping[str, tuple[Tensor, Tensor | float]], parts: list[_Part]
    ) -> dict[str, Tensor]:
        """Return the weights of all micro-batches of all processes: exactly if there are several losses."""
        weights = {k: _as_weight(weight, value) for k, (value, weight) in first.items()}
        if len(weights) == 1:
            return {k: self._everywhere(weight * len(parts)) for k, weight in weights.items()}
        with torch.no_grad(), statistics_kept(self.state.model):
            for part in parts[1:]:
                for k, (value, weight) in self.method.losses(self.state.model, part()).items():
                    weights[k] = weights[k] + _as_weight(weight, value)
        return {k: self._everywhere(weight) for k, weight in weights.items()}

    def _everywhere(self, weight: Tensor) -> Tensor:
        """Return the sum over all processes; 1 where nothing counts, whose sums are 0."""
        total: Tensor = self.state.accelerator.reduce(weight.clone(), "sum")
        return torch.where(total > 0, total, torch.ones_like(total))


@dataclass(frozen=True)
class _Part:
    """Some examples of a batch; they go to the device when it is called."""

    batch: Batch
    start: int
    stop: int
    device: torch.device

    def __call__(self) -> TensorBatch:
        return TensorBatch(take(self.batch, self.start, self.stop), self.device)


def _total(tensors: Iterable[Tensor]) -> Tensor:
    """Return the sum of some tensors, at least one."""
    return torch.stack(list(tensors)).sum()


def _as_weight(weight: Tensor | float, like: Tensor) -> Tensor:
    """Return a weight as a number that can be summed over processes: float32, or float64 as the sum."""
    dtype = torch.promote_types(like.dtype, torch.float32)
    return torch.as_tensor(weight, dtype=dtype, device=like.device).detach()
