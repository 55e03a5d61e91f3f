"""Encoders by name: what an index, a search and an evaluation need, where any model would not do."""

from __future__ import annotations

from typing import Any, TypeGuard

from sayso.core.errors import SaysoError
from sayso.encoders.interface import Encoder
from sayso.hub.load_model import AUTO, load
from sayso.hub.pretrained import in_words


def load_encoder(name: str = AUTO, *, device: str = "auto", verify: bool = True) -> Encoder:
    """Load a dual encoder by name; see ``sayso.load`` for what names there are.

    Args:
        name: of the encoder.
        device: ``auto``, ``cpu``, ``cuda``, ``mps``, ...
        verify: whether a model folder must give its reference outputs.

    Raises:
        SaysoError: if there is no such model, it cannot be read, or is a model of another kind.
        Unavailable: if it is not on this machine and cannot be fetched.
        MissingExtra: if a package that it needs is not installed.
    """
    model = load(name, device=device, verify=verify)
    if not is_encoder(model):
        kind = in_words(getattr(model, "kind", type(model).__name__))
        raise SaysoError(
            f"{name} holds {kind}, which embeds no pictures and texts; name a dual encoder: sayso models"
        )
    return model


def is_encoder(model: Any) -> TypeGuard[Encoder]:
    """Tell whether a model is a dual encoder, without asking for its identity, which reads all weights."""
    return all(
        callable(getattr(model, name, None)) for name in ("encode_text", "encode_images", "encode_video")
    )
