"""sayso: visual recognition on people's say-so.

A weak label names a bag, not an instance: a tag names a picture, not a place in
it; narration names a stretch of video, not a moment. Every system here finds the
instance inside the bag while it learns what the instance looks like.
"""

from typing import TYPE_CHECKING

from sayso.core.lazy import exports
from sayso.core.types import Box, Caption, Span
from sayso.version import __version__

if TYPE_CHECKING:
    from sayso import encoders, hub, losses, media, metrics, models, solvers, text, toyworld
    from sayso.asking import ask
    from sayso.captioning import caption
    from sayso.encoders.classifier import classifier
    from sayso.encoders.named import load_encoder
    from sayso.hub.load_model import load
    from sayso.index import Index
    from sayso.training import train
    from sayso.transcribing import transcribe
else:
    __getattr__ = exports(
        __name__,
        {
            "Index": "sayso.index",
            "ask": "sayso.asking",
            "caption": "sayso.captioning",
            "classifier": "sayso.encoders.classifier",
            "encoders": "sayso.encoders",
            "hub": "sayso.hub",
            "load": "sayso.hub.load_model",
            "load_encoder": "sayso.encoders.named",
            "losses": "sayso.losses",
            "media": "sayso.media",
            "metrics": "sayso.metrics",
            "models": "sayso.models",
            "solvers": "sayso.solvers",
            "text": "sayso.text",
            "toyworld": "sayso.toyworld",
            "train": "sayso.training",
            "transcribe": "sayso.transcribing",
        },
    )


__all__ = [
    "Box",
    "Caption",
    "Index",
    "Span",
    "__version__",
    "ask",
    "caption",
    "classifier",
    "encoders",
    "hub",
    "load",
    "load_encoder",
    "losses",
    "media",
    "metrics",
    "models",
    "solvers",
    "text",
    "toyworld",
    "train",
    "transcribe",
]
