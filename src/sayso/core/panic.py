"""Panics: Rust code below Python that gave up, LanceDB's above all.

pyo3 raises them as a ``PanicException``, one class a library, which ``except Exception`` does not catch.
Rust has printed its own words to the terminal by then, which Python cannot prevent.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


class Panicked(RuntimeError):
    """Rust code below Python gave up."""


def is_panic(error: BaseException) -> bool:
    """Tell whether Rust code below Python gave up."""
    return isinstance(error, Panicked) or type(error).__name__ == "PanicException"


@contextlib.contextmanager
def panics_as_errors() -> Iterator[None]:
    """Raise a panic in the block as an error, for which there are ``except Exception`` and handlers.

    Raises:
        Panicked: instead of it.
    """
    try:
        yield
    except BaseException as error:
        if not is_panic(error):
            raise
        raise Panicked(str(error)) from error
