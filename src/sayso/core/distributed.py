"""Rows of all processes side by side, with gradients that go back to where they came from."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, distributed


def processes() -> int:
    """Return how many processes train together."""
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


def rank() -> int:
    """Return the number of this process."""
    return distributed.get_rank() if processes() > 1 else 0


def gather(rows: Tensor) -> Tensor:
    """Return the rows of all processes, (R * B, ...), in the order of their numbers.

    The gradient of a row is the sum of what all processes make of it. So where each process
    takes the mean loss of its own rows, and the gradients of the processes are averaged as usual,
    the result is the gradient of the mean loss of all rows.

    Args:
        rows: (B, ...), of one shape in all processes.
    """
    if processes() == 1:
        return rows
    gathered: Tensor = _Gather.apply(rows)  # type: ignore[no-untyped-call]
    return gathered


def sum_of_all(numbers: Tensor) -> Tensor:
    """Return the sum of a tensor over all processes, without gradient."""
    return _reduced(numbers, "SUM")


def largest_of_all(numbers: Tensor) -> Tensor:
    """Return the largest of each entry over all processes, without gradient."""
    return _reduced(numbers, "MAX")


def _reduced(numbers: Tensor, by: str) -> Tensor:
    if processes() == 1:
        return numbers
    reduced = numbers.clone(memory_format=torch.contiguous_format)
    distributed.all_reduce(reduced, getattr(distributed.ReduceOp, by))
    return reduced


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        ctx.rows = len(rows)
        everywhere = [torch.empty_like(rows) for _ in range(processes())]
        distributed.all_gather(everywhere, rows.contiguous())
        return torch.cat(everywhere)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return sum_of_all(gradient)[rank() * ctx.rows : (rank() + 1) * ctx.rows]
