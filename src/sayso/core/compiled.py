"""Loops that numba compiles (the ``fast`` extra); where it is missing, callers take their numpy form.

    @loop("float64(float64[::1])")
    def total(values):
        ...

    run = total.compiled()      # None without numba

Numba is imported, and the loop compiled, at the first ``compiled()``: ``import sayso`` costs nothing.
What was compiled is kept below ``cache_folder("compiled")`` (or NUMBA_CACHE_DIR), never beside the source,
so that later processes load it; where nothing can be written there, each process compiles anew. The loops
release the interpreter's lock and start no threads: they may run in many threads at once, and after a fork.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from importlib import import_module
from typing import Any

from sayso.core.caches import cache_folder

_LOCK = threading.RLock()  # where numba keeps what it compiles is a setting of the whole process


class Loop:
    """A function of numbers and arrays that is to be compiled.

    Args:
        function: written in what numba understands.
        signature: what it takes and returns, as numba writes it.
        native: whether floats are computed as processors do it: x / 0 raises nothing, and a product may
            go into a sum without being rounded. What is vectorised needs it.
    """

    def __init__(self, function: Callable[..., Any], signature: str, native: bool = False) -> None:
        self.function, self.signature = function, signature
        self._options = {"fastmath": {"contract"}, "error_model": "numpy"} if native else {}
        self._compiled: Callable[..., Any] | None = None
        self._tried = False

    def compiled(self) -> Callable[..., Any] | None:
        """Return the compiled function, or None where numba is not installed."""
        if not self._tried:
            with _LOCK:
                if not self._tried:
                    self._compiled = self._compile()
                    self._tried = True
        return self._compiled

    def _compile(self) -> Callable[..., Any] | None:
        try:
            numba: Any = import_module("numba")
        except ImportError:
            return None
        before = numba.config.CACHE_DIR
        numba.config.CACHE_DIR = before or str(cache_folder("compiled"))
        try:
            _must_be_writable()
            return numba.njit(self.signature, nogil=True, cache=True, **self._options)(self.function)  # type: ignore[no-any-return]
        except OSError:
            return numba.njit(self.signature, nogil=True, **self._options)(self.function)  # type: ignore[no-any-return]
        finally:
            numba.config.CACHE_DIR = before


def loop(signature: str, *, native: bool = False) -> Callable[[Callable[..., Any]], Loop]:
    """Return the decorator that makes a ``Loop`` of a function.

    Args:
        signature: what it takes and returns, as numba writes it.
        native: whether floats are computed as processors do it, see ``Loop``.
    """
    return lambda function: Loop(function, signature, native)


class WorthCompiling:
    """Whether a process has so much to do that loading numba pays: what it asks for adds up.

    Args:
        from_cells: from how many cells on.
    """

    def __init__(self, from_cells: int) -> None:
        self._left = from_cells

    def __call__(self, cells: int) -> bool:
        """Count some cells that are to be computed now."""
        self._left = max(0, self._left - cells)
        return self._left == 0


def _must_be_writable() -> None:
    """Raise OSError if the folder cannot be written: numba would then look for another place."""
    folder = cache_folder("compiled")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass
