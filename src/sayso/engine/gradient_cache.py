"""Gradients of a contrastive loss over a batch whose activations do not fit into memory.

The loss couples all examples of a batch, but only through their embeddings. So the batch is
embedded in micro-batches without a graph, the loss gives the gradient for every embedding, and each
micro-batch is embedded again, now with a graph, to carry its part of that gradient on into the
weights. The result is the gradient of the whole batch; memory holds one micro-batch's inputs and
activations and the embeddings, and the price is one more forward pass. What the loss itself
learns, such as a temperature, gets its gradient from the loss over the whole batch at once.

Dropout falls the same way in both passes. Batch normalisation takes its statistics
over a micro-batch, as it does over a process's part of a batch, and counts each once.

Source
    Gao et al. 2021, Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup,
    https://arxiv.org/abs/2101.06983; used by BASIC, Pham et al. 2021, section 4.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import torch
from torch import Tensor, nn

EmbeddingTensors = tuple[Tensor, ...]


def cached_backward(
    embed: Callable[[int], EmbeddingTensors],
    micro_batches: int,
    loss: Callable[[EmbeddingTensors], Tensor],
    *,
    model: nn.Module,
    device: torch.device | None = None,
    backward: Callable[[Tensor], None] = torch.autograd.backward,
    no_sync: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext,
) -> Tensor:
    """Add the gradient of a loss over a whole batch to the parameters, a micro-batch at a time.

    Args:
        embed: from the number of a micro-batch to its embeddings, (B, D) each; called twice for each.
        micro_batches: how many there are.
        loss: from the embeddings of all, end to end, to a scalar; parameters that it has are learned too.
        model: what embeds, whose running statistics count once.
        device: where its random numbers come from; the CPU by default.
        backward: runs the backward pass of the loss, with a loss scale for instance.
        no_sync: a context in which processes do not exchange gradients; the last micro-batch is outside.

    Returns:
        The loss, without graph.
    """
    states, embedded = [], []
    with torch.no_grad(), statistics_kept(model):
        for number in range(micro_batches):
            states.append(_RandomState(device or torch.device("cpu")))
            embedded.append(embed(number))
    whole = tuple(torch.cat(parts).requires_grad_() for parts in zip(*embedded, strict=True))
    value = loss(whole)
    backward(value)
    sizes = ([len(part) for part in parts] for parts in zip(*embedded, strict=True))
    parts = (torch.split(_gradient(e), size) for e, size in zip(whole, sizes, strict=True))
    gradients = zip(*parts, strict=True)
    for number, (gradient, state) in enumerate(zip(gradients, states, strict=True)):
        last = number == micro_batches - 1
        with contextlib.nullcontext() if last else no_sync(), state.again():
            pairs = [pair for pair in zip(embed(number), gradient, strict=True) if pair[0].requires_grad]
            torch.autograd.backward([e for e, _ in pairs], [g.to(e.dtype) for e, g in pairs])
    return value.detach()


def _gradient(tensor: Tensor) -> Tensor:
    """Return a leaf's gradient; 0 where the loss did not use it."""
    return torch.zeros_like(tensor) if tensor.grad is None else tensor.grad


class _RandomState:
    """The state of the random generators now, to have the same numbers again."""

    def __init__(self, device: torch.device) -> None:
        self.devices = [device] if device.type == "cuda" else []
        self.cpu = torch.get_rng_state()
        self.cuda = [torch.cuda.get_rng_state(device) for device in self.devices]

    @contextlib.contextmanager
    def again(self) -> Iterator[None]:
        """Repeat within this context; outside, random numbers go on as if nothing had been."""
        with torch.random.fork_rng(self.devices):
            torch.set_rng_state(self.cpu)
            for device, state in zip(self.devices, self.cuda, strict=True):
                torch.cuda.set_rng_state(state, device)
            yield


@contextlib.contextmanager
def statistics_kept(model: nn.Module) -> Iterator[None]:
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
