"""Heavy libraries are imported where they are used, so that the command answers at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

from sayso.core.errors import MissingExtra


def need(module: str, extra: str) -> ModuleType:
    """Import ``module``, or say which extra of sayso brings it.

    Raises:
        MissingExtra: if the module's package is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        missing = error.name or module
        raise MissingExtra(missing.partition(".")[0], extra) from error


def exports(package: str, where: Mapping[str, str]) -> Callable[[str], Any]:
    """Return a module-level ``__getattr__`` (PEP 562) that imports names on first use.

    Args:
        package: the importing package's ``__name__``.
        where: public name -> module that defines it; a module that ends in the
            name itself, and has nothing of that name, is exported whole.
    """

    def getattr_(name: str) -> Any:
        if name not in where:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module = import_module(where[name])
        whole = [module] if where[name].rpartition(".")[2] == name else []
        return getattr(module, name, *whole)

    return getattr_
