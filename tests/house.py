"""What tests of the house itself share: the modules of the tree, read from their text."""

from __future__ import annotations

import importlib.util
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src"


def script(name: str) -> ModuleType:
    """Import a file of scripts/ by its name."""
    if str(ROOT / "scripts") not in sys.path:
        sys.path.append(str(ROOT / "scripts"))
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


module_graph = script("module_graph")


@cache
def modules() -> dict:
    """All modules of the package by name."""
    return module_graph.read_modules(SOURCE)


def faces() -> list:
    """The packages that offer names."""
    return [module for module in modules().values() if module.is_face and module_graph.listed_names(module)]
