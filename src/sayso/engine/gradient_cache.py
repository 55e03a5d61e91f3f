"""Gradients of a contrastive loss over a batch whose activations do not fit into memory.

The loss couples all examples of a batch, but only through their embeddings. So the batch is
embedded in chunks without a graph, the loss gives the gradient for every embedding, and each
chunk is embedded again, now with a graph, to carry its part of that gradient on into the
weights. The result is the gradient of the whole batch; memory holds one chunk's activations
and the embeddings, and the price is one more forward pass.

Chance (dropout) falls the same way in both passes. Batch normalisation takes its statistics
over a chunk, as it does over a process's part of a batch, and counts each chunk once.

Source
    Gao et al. 2021, Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup,
    https://arxiv.org/abs/2101.06983; used by BASIC, Pham et al. 2021, section 4.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager

import torch
from torch import Tensor, nn

Embeddings = tuple[Tensor, ...]


def cached_backward(
    model: nn.Module,
    inputs: Sequence[Tensor],
    loss: Callable[[Embeddings], Tensor],
    *,
    chunk: int,
    backward: Callable[[Tensor], None] = torch.autograd.backward,
    no_sync: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext,
) -> Tensor:
    """Add the gradient of ``loss(model(*inputs))`` to the model's, a chunk at a time.

    Args:
        model: gives a tuple of embeddings, whose rows are those of the inputs.
        inputs: tensors of B rows.
        loss: from embeddings of B rows to a scalar; what it learns itself must be among the
            embeddings (such as a temperature, repeated B times), so that chunks agree on it.
        chunk: rows embedded at once.
        backward: runs a backward pass, with a loss scale for instance.
        no_sync: a context in which processes do not exchange gradients; the last chunk is outside.

    Returns:
        The loss, without graph.
    """
    parts = list(zip(*(_rows(tensor, chunk) for tensor in inputs), strict=True))
    chances = []
    with torch.no_grad(), _statistics_kept(model):
        embedded = []
        for part in parts:
            chances.append(_Chance(inputs[0].device))
            embedded.append(model(*part))
    whole = tuple(torch.cat(rows).requires_grad_() for rows in zip(*embedded, strict=True))
    value = loss(whole)
    torch.autograd.backward(value)
    gradients = zip(*(_rows(_gradient(tensor), chunk) for tensor in whole), strict=True)
    for number, (part, gradient, chance) in enumerate(zip(parts, gradients, chances, strict=True)):
        with contextlib.nullcontext() if number == len(parts) - 1 else no_sync(), chance.again():
            again = model(*part)
            backward(torch.stack([(e.float() * g).sum() for e, g in zip(again, gradient, strict=True)]).sum())
    return value.detach()


def _rows(tensor: Tensor, chunk: int) -> list[Tensor]:
    return [tensor[start : start + chunk] for start in range(0, len(tensor), chunk)]


def _gradient(tensor: Tensor) -> Tensor:
    """Return a leaf's gradient; 0 where the loss did not use it."""
    return torch.zeros_like(tensor) if tensor.grad is None else tensor.grad


class _Chance:
    """The state of the random generators now, to have the same chance again."""

    def __init__(self, device: torch.device) -> None:
        self.devices = [device] if device.type == "cuda" else []
        self.cpu = torch.get_rng_state()
        self.cuda = [torch.cuda.get_rng_state(device) for device in self.devices]

    @contextlib.contextmanager
    def again(self) -> Iterator[None]:
        """Repeat within this context; outside, chance goes on as if nothing had been."""
        with torch.random.fork_rng(self.devices):
            torch.set_rng_state(self.cpu)
            for device, state in zip(self.devices, self.cuda, strict=True):
                torch.cuda.set_rng_state(state, device)
            yield


@contextlib.contextmanager
def _statistics_kept(model: nn.Module) -> Iterator[None]:
    """Leave the running statistics of batch normalisation as they are."""
    norms = [m for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    momenta = [norm.momentum for norm in norms]
    counts = [
        None if norm.num_batches_tracked is None else norm.num_batches_tracked.clone() for norm in norms
    ]
    try:
        for norm in norms:
            norm.momentum = 0.0
        yield
    finally:
        for norm, momentum, count in zip(norms, momenta, counts, strict=True):
            norm.momentum = momentum
            if count is not None and norm.num_batches_tracked is not None:
                norm.num_batches_tracked.copy_(count)
