"""Folders of models whose names were mistyped: the one that was meant, and the sentence that says so."""

from __future__ import annotations

import os
import re
from difflib import get_close_matches
from pathlib import Path

from sayso.core.errors import nothing_at

HUB_ID = re.compile(r"\w[\w.-]*/[\w.-]+")

ALIKE = 0.75
"""How alike a part of a path is to the one that was meant (``difflib``'s ratio)."""


def near_folder(path: Path) -> Path | None:
    """Return the folder whose path is that one, or nearly in each of its parts; None if there is none."""
    here = Path(path.anchor)
    for part in path.parts[bool(path.anchor) :]:
        name = part if (here / part).is_dir() else _like(part, here)
        if name is None:
            return None
        here /= name
    return here if path.parts else None


def nothing_there(name: str) -> str | None:
    """Return the sentence for a model's name that is the path of a folder, where there is none; else None.

    What has the form of a hub id is one, whatever folders are here: one of an owner's name hides no model.
    """
    if HUB_ID.fullmatch(name):
        return None
    near = near_folder(Path(name).expanduser())
    return nothing_at(name, f"did you mean {near}?" if near else "name the folder of a model, or of a run")


def folder_hint(name: str) -> str:
    """Return '; did you mean the folder ...?' where one is here whose path is nearly a name; else nothing."""
    near = near_folder(Path(name).expanduser())
    return f"; did you mean the folder {near}?" if near else ""


def _like(part: str, folder: Path) -> str | None:
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if entry.is_dir()]
    except (OSError, ValueError):
        return None
    return next(iter(get_close_matches(part, names, n=1, cutoff=ALIKE)), None)
