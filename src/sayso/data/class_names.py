"""Names of classes and templates for them: from a file of one's own, or from a package that ships them.

Files are text, one a line, or JSON in the forms that clip_benchmark reads:

    names       ["cat", "dog"]    {"mydata": ["cat", "dog"]}    {"folder": "name", ...}
    templates   ["a photo of a {c}."]    {"mydata": ["a photo of a {c}."]}    {"cat": ["a furry cat"], ...}

An entry that is itself a list holds names that mean the same. Of installed packages only files of
data are read, as text: importing them would need torchvision.
"""

from __future__ import annotations

import ast
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sayso.core.errors import SaysoError

Names = Sequence[str | Sequence[str]]
"""One entry a class: its name, or several that mean the same."""

Templates = Sequence[str] | Mapping[str, Sequence[str]]
"""Sentences with ``{c}`` or ``{}`` in the place of the name; or the sentences of each name."""

NamesByFolder = Mapping[str, str | Sequence[str]]
_OPEN_CLIP = {"names": "IMAGENET_CLASSNAMES", "templates": "OPENAI_IMAGENET_TEMPLATES"}
_CLIP_BENCHMARK = {"names": "en_classnames.json", "templates": "en_zeroshot_classification_templates.json"}


@dataclass(frozen=True)
class Packaged:
    """What an installed package ships for a data set: its names, templates, and which package it is."""

    names: Names
    templates: Templates
    source: str


def read_class_names(path: Path, dataset: str = "") -> Names | NamesByFolder:
    """Return the names of a file: of the classes in their order, or of folders, by the folder's name.

    Args:
        path: text or JSON, as above.
        dataset: whose names to take, where the file holds those of several.

    Raises:
        SaysoError: if it cannot be read, or holds no names.
    """
    found = _content(path, dataset)
    if isinstance(found, Mapping):
        flat = all(isinstance(name, str) or _strings(name) for name in found.values())
        if flat and found:
            return {str(folder): name for folder, name in found.items()}
    elif found and all(isinstance(name, str) or (_strings(name) and name) for name in found):
        return list(found)
    raise SaysoError(f"{path} holds no list of names{_of(dataset)}; write one name a line, or a JSON list")


def names_given(text: str) -> Names | Path:
    """Return what a person means by names: a file, or the names themselves with commas between.

    Raises:
        SaysoError: if it is neither.
    """
    path = os.path.expanduser(text)  # noqa: PTH111
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise SaysoError("no names are given; name a file of them, or give names with commas between")
    if len(names) > 1 and not os.path.exists(path):  # noqa: PTH110  many names are no path: Path.exists raises
        return names
    if not os.path.isfile(path):  # noqa: PTH113
        raise SaysoError(f"there is no file of names {text!r}; name one, or give names with commas between")
    return Path(path)


def read_templates(path: Path, dataset: str = "") -> Templates:
    """Return the templates of a file: for all names, or the sentences of each.

    Args:
        path: text or JSON, as above.
        dataset: whose templates to take, where the file holds those of several.

    Raises:
        SaysoError: if it cannot be read, or holds no templates.
    """
    found = _content(path, dataset)
    if isinstance(found, Mapping):
        if found and all(_strings(texts) and texts for texts in found.values()):
            return {str(name): list(texts) for name, texts in found.items()}
    elif found and _strings(found):
        return list(found)
    raise SaysoError(
        f"{path} holds no templates{_of(dataset)}; write one a line, with {{c}} where the name goes,"
        " or a JSON list"
    )


def packaged_names(dataset: str = "imagenet1k") -> Packaged | None:
    """Return the published names and templates of a data set from an installed package; None without one.

    Args:
        dataset: as clip_benchmark calls it; open_clip ships those of ``imagenet1k`` alone.
    """
    folder = _package("clip_benchmark")
    if folder is not None:
        content = {}
        for what, file in _CLIP_BENCHMARK.items():
            content[what] = _parsed(folder / "datasets" / file).get(dataset)
        if content["names"] and content["templates"]:
            return Packaged(content["names"], content["templates"], "clip_benchmark")
    folder = _package("open_clip")
    if folder is not None and dataset == "imagenet1k":
        return _of_open_clip(folder / "zero_shot_metadata.py")
    return None


def _content(path: Path, dataset: str) -> Any:
    """Return what a file holds; of the entries of several data sets, the one that is wanted.

    Raises:
        SaysoError: if it cannot be read.
    """
    if path.suffix.lower() != ".json":
        try:
            lines = path.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise SaysoError(f"{path} cannot be read: {error}; name a text file, or JSON") from error
        return [line.strip() for line in lines if line.strip()]
    found = _parsed(path)
    if isinstance(found, dict) and dataset in found:
        return found[dataset]
    if isinstance(found, dict) and len(found) == 1:
        (only,) = found.values()
        return only if isinstance(only, dict | list) else found
    return found if isinstance(found, dict | list) else []


def _parsed(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise SaysoError(f"{path} is no JSON that can be read: {error}") from error


def _strings(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _of(dataset: str) -> str:
    return f" of {dataset}" if dataset else ""


def _package(name: str) -> Path | None:
    """Return the folder of an installed package, without importing it; None if it is not installed."""
    try:
        found = find_spec(name)
    except (ImportError, ValueError):
        return None
    places = found.submodule_search_locations if found else None
    return Path(next(iter(places))) if places else None


def _of_open_clip(path: Path) -> Packaged | None:
    """Return names and templates of open_clip's module, read as a syntax tree: nothing of it is run."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError):
        return None
    values = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    names, templates = (values.get(name) for name in (_OPEN_CLIP["names"], _OPEN_CLIP["templates"]))
    if not isinstance(names, ast.Tuple | ast.List) or not isinstance(templates, ast.Tuple | ast.List):
        return None
    texts = [_template(one) for one in templates.elts]
    return Packaged(list(ast.literal_eval(names)), texts, "open_clip")


def _template(node: ast.expr) -> str:
    """Return the template that ``lambda c: f"a photo of a {c}."`` stands for."""
    if isinstance(node, ast.Lambda):
        node = node.body
    if isinstance(node, ast.JoinedStr):
        parts = [part.value if isinstance(part, ast.Constant) else "{c}" for part in node.values]
        return "".join(map(str, parts))
    return str(ast.literal_eval(node))
