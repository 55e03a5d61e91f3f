"""The one place that decides where tensors live, and how many cores work on them."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from sayso.core.errors import SaysoError
from sayso.core.lazy import need

if TYPE_CHECKING:
    import torch


def resolve_device(name: str = "auto") -> torch.device:
    """Return the torch device for ``name``; ``auto`` is CUDA, then Apple's GPU, then the CPU.

    Raises:
        MissingExtra: if torch is not installed.
        SaysoError: if the device does not exist on this machine.
    """
    need("torch", "offline")
    import torch

    if name == "auto":
        gpu = "mps" if torch.backends.mps.is_available() else "cpu"
        name = "cuda" if torch.cuda.is_available() else gpu
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise SaysoError(
            f"device {name!r} cannot be used on this machine; use --device auto or cpu"
        ) from error
    return device


def has_accelerator() -> bool:
    """Tell whether ``auto`` is something faster than the CPU; False while nothing has loaded torch."""
    return "torch" in sys.modules and resolve_device().type != "cpu"


def native_bfloat16(device: torch.device) -> bool:
    """Tell whether a device multiplies matrices in bfloat16 by itself, rather than by way of float32."""
    import torch

    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return device.type == "cpu" and any(
        capabilities.get(name) for name in ("amx_bf16", "avx512_bf16", "bf16")
    )


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextlib.contextmanager
def keep_to(threads: int) -> Iterator[Callable[[], None]]:
    """Give a function that limits the torch operations of the thread that calls it; undone at the end.

    Args:
        threads: cores that one operation may use; at least one is taken.
    """
    torch = sys.modules.get("torch")
    before = torch.get_num_threads() if torch else 0
    try:
        yield lambda: torch.set_num_threads(max(1, threads)) if torch else None
    finally:
        if torch:
            torch.set_num_threads(before)
