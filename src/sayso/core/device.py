"""The one place that decides where tensors live."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
