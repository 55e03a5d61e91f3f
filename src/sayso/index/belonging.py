"""Whether a model is the one that made an index: vectors of two models do not compare."""

from __future__ import annotations

from difflib import get_close_matches
from shlex import quote
from typing import TYPE_CHECKING

from sayso.core.errors import IndexMismatch

if TYPE_CHECKING:
    from sayso.encoders.interface import Encoder
    from sayso.index.store import Store


def check_model(store: Store, encoder: Encoder | str | None) -> None:
    """Check that an index was made by a model.

    Args:
        store: the index.
        encoder: the model, or its name; ``auto`` and None are whichever made it.

    Raises:
        IndexMismatch: if another model made it, or another version of this one.
    """
    made = store.identity
    if isinstance(encoder, str):
        if encoder not in ("auto", made.model):
            raise IndexMismatch(_other_model(store, encoder))
    elif encoder is not None and encoder.sha256 != made.model_sha256:
        raise IndexMismatch(_other_model(store, encoder.name))


def _other_model(store: Store, other: str) -> str:
    model, address = store.identity.model, store.address
    change = f"sayso index {quote(address)} --upgrade-model {quote(other)}"
    if other == model:
        return (
            f"the index {address} was made by another version of the model {model}, whose "
            f"vectors do not compare with those of today; embed it anew: {change}"
        )
    meant = f" if you meant {model!r}" if get_close_matches(other, [model], cutoff=0.7) else ""
    return (
        f"the index {address} was made by the model {model}, not by {other}; "
        f"leave --model away{meant}, or give the index the other model: {change}"
    )
