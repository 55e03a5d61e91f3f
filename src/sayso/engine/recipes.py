"""Recipes that come with the package: TOML files of options, by name."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from sayso.core.errors import UsageError


@dataclass(frozen=True, slots=True)
class ShippedRecipe:
    """A recipe in the package.

    Args:
        name: what ``--recipe`` takes.
        path: its file.
        about: what it trains, on what, the first sentence of its head.
    """

    name: str
    path: Path
    about: str


def shipped_recipes() -> dict[str, ShippedRecipe]:
    """Return the recipes in the package by name: that of a system, or of one with what it is for."""
    folder = Path(str(resources.files("sayso"))) / "recipes"
    files = {path.stem.replace("_", "-"): path for path in sorted(folder.glob("*.toml"))}
    return {name: ShippedRecipe(name, path, _about(path)) for name, path in files.items()}


def recipe_path(recipe: str | os.PathLike[str]) -> Path:
    """Return the file of a recipe: the path of one, or the name of one in the package.

    Raises:
        UsageError: if it is neither.
    """
    path = Path(recipe).expanduser()
    if path.exists():
        return path
    shipped = shipped_recipes()
    if str(recipe) in shipped:
        return shipped[str(recipe)].path
    raise UsageError(
        f"there is no recipe {os.fspath(recipe)!r}; name a TOML file, or one of {', '.join(shipped)}"
    )


def _about(path: Path) -> str:
    lines = path.read_text(encoding="utf-8").splitlines()
    head = " ".join(line.removeprefix("#").strip() for line in lines if line.startswith("#"))
    return head.partition(". ")[0].rstrip(".")
