"""The fence around every item: whatever one file or row does becomes one sentence, and the others go on."""

from __future__ import annotations

import os
import sys
import traceback

from sayso.core.errors import SaysoError


def why_it_failed(error: Exception, path: str) -> str:
    """Return one sentence, that names the item, of an error that one item caused.

    Args:
        error: what came of the item.
        path: of the item.
    """
    if os.environ.get("SAYSO_DEBUG"):
        traceback.print_exception(error, file=sys.stderr)
    if isinstance(error, SaysoError):
        return str(error)
    if isinstance(error, MemoryError):
        return f"{path}: there is not enough memory to decode it"
    if isinstance(error, OSError):
        return f"{path} cannot be read: {error.strerror or error}"
    said = " ".join(str(error).split())
    return f"{path} cannot be used: {type(error).__name__}{': ' if said else ''}{said[:200]}"
