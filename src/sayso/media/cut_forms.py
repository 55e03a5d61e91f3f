"""The forms in which a stretch of a video can be saved."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal, get_args

from sayso.core.errors import UsageError

Form = Literal["mp4", "mkv", "gif", "webp"]
CONTENT_TYPES: dict[Form, str] = {
    "mp4": "video/mp4",
    "mkv": "video/x-matroska",
    "gif": "image/gif",
    "webp": "image/webp",
}


def form_of(path: str | os.PathLike[str]) -> Form:
    """Return the form that a file's name asks for.

    Raises:
        UsageError: if it is none of them.
    """
    form: Form
    for form in get_args(Form):
        if Path(path).suffix.lower() == f".{form}":
            return form
    raise UsageError(f"{path} does not say what to write; let it end in .mp4, .mkv, .gif or .webp")
