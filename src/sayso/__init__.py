"""sayso: visual recognition on people's say-so.

A weak label names a bag, not an instance: a tag names a picture, not a place in
it; narration names a stretch of video, not a moment. Every system here finds the
instance inside the bag while it learns what the instance looks like.
"""

from typing import TYPE_CHECKING

from sayso.core.lazy import exports
from sayso.core.types import Box, Caption, Clip, Span
from sayso.version import __version__

if TYPE_CHECKING:
    from sayso import encoders, losses, media, metrics, nets, solvers, text, toyworld
    from sayso.encoders import load
    from sayso.index import Index
    from sayso.training import train

__getattr__ = exports(
    __name__,
    {
        "Index": "sayso.index",
        "encoders": "sayso.encoders",
        "load": "sayso.encoders",
        "losses": "sayso.losses",
        "media": "sayso.media",
        "metrics": "sayso.metrics",
        "nets": "sayso.models",
        "solvers": "sayso.solvers",
        "text": "sayso.text",
        "toyworld": "sayso.toyworld",
        "train": "sayso.training",
    },
)

__all__ = [
    "Box",
    "Caption",
    "Clip",
    "Index",
    "Span",
    "__version__",
    "encoders",
    "load",
    "losses",
    "media",
    "metrics",
    "nets",
    "solvers",
    "text",
    "toyworld",
    "train",
]
