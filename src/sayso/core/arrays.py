"""Names for the types of arrays that most of the toolkit passes around, and files of arrays."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from sayso.core.errors import SaysoError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Float32s = NDArray[np.float32]
Pixels = NDArray[np.uint8]

_OBJECTS = "it holds Python objects, which may run code and are not read; save it as numbers"
_HEADS: dict[str, bytes | tuple[bytes, ...]] = {
    ".npy": np.lib.format.MAGIC_PREFIX,
    ".npz": (b"PK\x03\x04", b"PK\x05\x06"),
}


def read_array(path: str | os.PathLike[str], what: str, *, mapped: bool = False) -> NDArray[Any]:
    """Read a ``.npy`` file of numbers or texts; nothing pickled is read.

    Args:
        path: the file.
        what: it is, for the sentence, such as ``the features``.
        mapped: whether it stays on disk until it is used, where that can be; an empty one is read.

    Raises:
        SaysoError: if it cannot be read, is damaged, or no array.
    """
    with _opened(path, what, ".npy") as file:
        found = _mapped(path) if mapped else None
        return np.asarray(np.load(file, allow_pickle=False) if found is None else found)


def read_arrays(path: str | os.PathLike[str], what: str) -> dict[str, NDArray[Any]]:
    """Read an ``.npz`` file of numbers and texts, by their names; nothing pickled is read.

    Args:
        path: the file.
        what: it is, for the sentence, such as ``the checkpoint``.

    Raises:
        SaysoError: if it cannot be read, is damaged, or no archive of arrays.
    """
    with _opened(path, what, ".npz") as file:
        return dict(np.load(file, allow_pickle=False))


def _mapped(path: str | os.PathLike[str]) -> NDArray[Any] | None:
    try:
        found: NDArray[Any] = np.lib.format.open_memmap(path, mode="r")
    except ValueError:  # empty, or damaged, which reading says better
        return None
    return found


@contextlib.contextmanager
def _opened(path: str | os.PathLike[str], what: str, kind: str) -> Iterator[IO[bytes]]:
    """Open a file of arrays; whatever reading it does is one sentence."""
    cannot = f"{what} {path} cannot be read"
    try:
        with Path(path).open("rb") as file:
            known = file.read(8).startswith(_HEADS[kind])
            file.seek(0)
            if known:
                yield file
    except MemoryError as error:
        raise SaysoError(f"{cannot}: it says it is larger than the memory") from error
    except OSError as error:
        raise SaysoError(f"{cannot}: {error.strerror or 'it is damaged'}") from error
    except Exception as error:  # a damaged file fails in any way
        said = " ".join(str(error).split())[:200] or "it is damaged"
        objects = "allow_pickle" in said or "Python objects" in said
        raise SaysoError(f"{cannot}: {_OBJECTS if objects else said}") from error
    if not known:
        raise SaysoError(f"{cannot}: it is no {kind} file that NumPy saved")
