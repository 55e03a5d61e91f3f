"""Generators by name: what asking and captioning need, where any model would not do."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, cast

from sayso.core.errors import SaysoError, Unavailable
from sayso.generators.base import is_generator
from sayso.generators.smollm2 import SMOLLM2
from sayso.hub import cache, catalog
from sayso.hub.load_model import AUTO, load
from sayso.hub.pretrained import in_words

if TYPE_CHECKING:
    from sayso.generators.base import Generator

log = logging.getLogger(__name__)


def load_generator(name: str = AUTO, *, device: str = "auto", verify: bool = True) -> Generator:
    """Load a model that answers in words; see ``sayso.load`` for what names there are.

    Args:
        name: of the generator; ``auto``: a known visual language model that is in the hub's cache.
        device: ``auto``, ``cpu``, ``cuda``, ``mps``, ...
        verify: whether a model folder must give its reference outputs.

    Raises:
        SaysoError: if there is no such model, it cannot be read, or is a model of another kind.
        Unavailable: if it is not on this machine and cannot be fetched.
        MissingExtra: if a package that it needs is not installed.
    """
    if name == SMOLLM2:
        raise SaysoError(
            f"{SMOLLM2} is a text-only model, which sees no pictures; name a visual one, or train Flamingo on"
            " it: sayso train flamingo DATA --out RUN"
        )
    model = load(auto_name() if name == AUTO else name, device=device, verify=verify)
    if not is_generator(model):
        kind = in_words(getattr(model, "kind", "encoder"))
        raise SaysoError(
            f"{name} holds {kind}, which answers no questions; name a visual language model: sayso models"
        )
    return cast("Generator", model)


def auto_name() -> str:
    """Return the visual language model that is taken where nobody named one.

    Raises:
        Unavailable: if none is on this machine.
    """
    for model in catalog.KNOWN:
        if model.task == "answer" and cache.cached_folder(model.name):
            return model.name
    smallest = next(model.name for model in catalog.KNOWN if model.task == "answer")
    raise Unavailable(
        "no model that answers questions is on this machine; fetch one where there is a network"
        f" (sayso pull {smallest} --out FOLDER), or train one: sayso train flamingo; then give --model FOLDER"
    )
