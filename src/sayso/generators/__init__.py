"""Generators: pictures, clips and words go in, words come out; loaded by name.

Importing this loads nothing heavy; torch comes with the first model.
"""

from typing import TYPE_CHECKING

from sayso.core.lazy import exports

if TYPE_CHECKING:
    from sayso.generators.base import Decoding, Generator, is_generator
    from sayso.generators.flamingo import Flamingo
    from sayso.generators.hub import HubGenerator
    from sayso.generators.language import LanguageModel, load_language_model
    from sayso.generators.loading import load_generator
    from sayso.generators.prompt import Exchange, Prompt
else:
    __getattr__ = exports(
        __name__,
        {
            "Decoding": "sayso.generators.base",
            "Exchange": "sayso.generators.prompt",
            "Flamingo": "sayso.generators.flamingo",
            "Generator": "sayso.generators.base",
            "HubGenerator": "sayso.generators.hub",
            "LanguageModel": "sayso.generators.language",
            "Prompt": "sayso.generators.prompt",
            "is_generator": "sayso.generators.base",
            "load_generator": "sayso.generators.loading",
            "load_language_model": "sayso.generators.language",
        },
    )

__all__ = [
    "Decoding",
    "Exchange",
    "Flamingo",
    "Generator",
    "HubGenerator",
    "LanguageModel",
    "Prompt",
    "is_generator",
    "load_generator",
    "load_language_model",
]
