"""Importing LanceDB without what no index needs: its client of REST catalogs, and checks of its own code.

Of 0.85 s that ``import lancedb`` takes, 0.6 s go into some hundred pydantic classes of that client
(``lance_namespace_urllib3_client``), and 0.1 s, before Python 3.12, into comparing signatures of methods.
While LanceDB is imported here, each of those classes is a stand-in that becomes the real one where it is
first used, and a method that says that it overrides another is believed.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator, Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

CLIENT = "lance_namespace_urllib3_client"
_turn = threading.Lock()


def import_lancedb() -> ModuleType:
    """Return the package ``lancedb``."""
    with _turn:
        if "lancedb" not in sys.modules and not _loaded(CLIENT):
            finder = _Deferring()
            sys.meta_path.insert(0, finder)
            try:
                with _believing():
                    import_module("lancedb")
            except Exception:  # noqa: BLE001  another LanceDB, which uses the client at once
                _forget("lancedb", "lance_namespace")
            finally:
                sys.meta_path.remove(finder)
                _forget(CLIENT)
        return import_module("lancedb")


@contextlib.contextmanager
def _believing() -> Iterator[None]:
    """Let ``overrides.override`` mark methods without reading their code."""
    try:
        overrides = import_module("overrides")
    except ImportError:  # since Python 3.12 LanceDB does without
        yield
        return
    checking = overrides.override
    overrides.override = _mark  # type: ignore[attr-defined]
    try:
        yield
    finally:
        overrides.override = checking  # type: ignore[attr-defined]


def _mark(method: Any) -> Any:
    method.__override__ = True
    return method


def _loaded(package: str) -> list[str]:
    return [name for name in sys.modules if name == package or name.startswith(f"{package}.")]


def _forget(*packages: str) -> None:
    for package in packages:
        for name in _loaded(package):
            del sys.modules[name]


class _Deferring(MetaPathFinder, Loader):
    """Finds the client's modules, empty but for stand-ins."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002  the protocol's
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """Return the module, if it is the client's."""
        ours = fullname.partition(".")[0] == CLIENT
        return ModuleSpec(fullname, self, is_package=True) if ours else None

    def exec_module(self, module: ModuleType) -> None:
        """Give the module every name that is asked for."""
        home = module.__name__

        def stand_in(name: str) -> type:
            if name.startswith("__"):
                raise AttributeError(name)
            return _StandIn(name, (), {"__module__": home})

        module.__getattr__ = stand_in  # type: ignore[method-assign]


class _StandIn(type):
    """A class in place of one of the client's; calling it, or asking it for anything, goes to that one."""

    def __call__(cls, *values: Any, **options: Any) -> Any:
        return _real(cls)(*values, **options)

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(_real(cls), name)

    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, _real(cls))


def _real(stand_in: type) -> Any:
    return getattr(import_module(stand_in.__module__), stand_in.__name__)
