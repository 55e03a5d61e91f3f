"""Generators: pictures, clips and words go in, words come out; loaded by name.

Importing this loads nothing heavy; torch comes with the first model.
"""

from typing import TYPE_CHECKING

from sayso.core.lazy import exports

if TYPE_CHECKING:
    from sayso.generators.base import Decoding, Generator, is_generator
    from sayso.generators.hub import HubGenerator
    from sayso.generators.loading import load_generator
    from sayso.generators.prompt import Exchange, Prompt
else:
    __getattr__ = exports(
        __name__,
        {
            "Decoding": "sayso.generators.base",
            "Exchange": "sayso.generators.prompt",
            "Generator": "sayso.generators.base",
            "HubGenerator": "sayso.generators.hub",
            "Prompt": "sayso.generators.prompt",
            "is_generator": "sayso.generators.base",
            "load_generator": "sayso.generators.loading",
        },
    )

__all__ = [
    "Decoding",
    "Exchange",
    "Generator",
    "HubGenerator",
    "Prompt",
    "is_generator",
    "load_generator",
]
