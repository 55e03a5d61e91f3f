"""Model folders: one format for what is saved, the hub's cache, what is known by name."""

from typing import TYPE_CHECKING

from sayso.core.lazy import exports

if TYPE_CHECKING:
    from sayso.hub.catalog import ModelInfo, list_models
    from sayso.hub.download import pull
    from sayso.hub.kinds import ENCODERS, KINDS
    from sayso.hub.load_model import load
    from sayso.hub.model_folder import ModelFolder, resolve_step
    from sayso.hub.pretrained import Pretrained
else:
    __getattr__ = exports(
        __name__,
        {
            "ENCODERS": "sayso.hub.kinds",
            "KINDS": "sayso.hub.kinds",
            "ModelFolder": "sayso.hub.model_folder",
            "ModelInfo": "sayso.hub.catalog",
            "Pretrained": "sayso.hub.pretrained",
            "list_models": "sayso.hub.catalog",
            "load": "sayso.hub.load_model",
            "pull": "sayso.hub.download",
            "resolve_step": "sayso.hub.model_folder",
        },
    )

__all__ = [
    "ENCODERS",
    "KINDS",
    "ModelFolder",
    "ModelInfo",
    "Pretrained",
    "list_models",
    "load",
    "pull",
    "resolve_step",
]
