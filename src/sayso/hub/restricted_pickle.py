"""Pickles of numbers: arrays, tensors, containers and strings are read, and nothing else is ever called.

A pickle is a program that may call anything. This one may call only what builds NumPy arrays and
tensors, so that released feature files can be read which nobody here has written.
"""

from __future__ import annotations

import io
import pickle
import re
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from sayso.core.errors import SaysoError
from sayso.core.lazy import need


def read_numbers(path: Path) -> Any:
    """Return what a pickle holds, of any protocol and of Python 2 or 3.

    Args:
        path: the file.

    Raises:
        SaysoError: if it cannot be read, or wants anything but arrays, tensors, containers and strings.
    """
    try:
        with path.open("rb") as file:
            return _NumbersOnly(file, encoding="latin1").load()
    except OSError as error:
        raise SaysoError(f"the features {path} cannot be read: {error.strerror}") from error
    except pickle.UnpicklingError as error:
        raise SaysoError(f"the features {path} cannot be read: {error}") from error
    except Exception as error:  # a damaged pickle fails in any way: nothing of it has run but the above
        raise SaysoError(f"the features {path} are damaged: {type(error).__name__}: {error}") from error


def read_tensors(path: Path, what: str = "the features", *, device: Any = "cpu") -> Any:
    """Return what a file holds that torch saved: tensors, containers and strings.

    Args:
        path: the file.
        what: it is, for the sentence, such as ``the checkpoint``.
        device: where the tensors are put.

    Raises:
        SaysoError: if it cannot be read, or wants anything else.
        MissingExtra: if torch is not installed.
    """
    need("torch", "train")
    import torch

    try:
        return torch.load(path, map_location=device, weights_only=True)
    except torch.cuda.OutOfMemoryError:  # of the device: nothing is wrong with the file
        raise
    except OSError as error:
        raise SaysoError(f"{what} {path} cannot be read: {error.strerror or error}") from error
    except Exception as error:  # torch raises anything, and advises to read without safety
        asked = _ASKED.search(str(error))
        raise SaysoError(f"{what} {path} cannot be read: {_unread(asked and asked[1], error)}") from error


def _unread(asked: str | None, error: Exception) -> str:
    if asked:
        return f"it wants {asked}, and only tensors, containers and strings are read"
    if isinstance(error, MemoryError):
        return "it says it is larger than the memory"
    return "it is no file of tensors that torch saved, or it is damaged"


_ASKED = re.compile(r"\bGLOBAL ([\w.]+)")


class _NumbersOnly(pickle._Unpickler):  # in Python, so that its steps can be looked at
    stack: list[Any]

    def find_class(self, module: str, name: str) -> Any:
        """Return what a pickle names.

        Raises:
            UnpicklingError: if it is not one of the few that are known.
        """
        known = _ARRAYS | (_tensors() if module.startswith("torch") else {})
        place = (module.replace("numpy._core", "numpy.core"), name)
        if place not in known:
            raise pickle.UnpicklingError(
                f"it wants {module}.{name}, and only arrays, tensors, containers and strings are read"
            )
        return known[place]

    def load_build(self) -> None:
        """Give an array or a type of numbers its state; nothing else has one.

        Raises:
            UnpicklingError: if something else is to be changed, or a type has fields.
        """
        what, state = self.stack[-2], self.stack[-1]
        if isinstance(what, np.dtype):
            if not isinstance(state, tuple) or len(state) < 5 or any(part is not None for part in state[2:5]):
                raise pickle.UnpicklingError("it holds arrays with fields, which are not read")
        elif not isinstance(what, (np.ndarray, OrderedDict)):
            raise pickle.UnpicklingError(f"it changes what is no array: {type(what).__name__}")
        super().load_build()  # type: ignore[misc]

    dispatch: ClassVar[dict[int, Any]] = {**pickle._Unpickler.dispatch, pickle.BUILD[0]: load_build}


def _dtype(code: Any, *_: Any) -> np.dtype[Any]:
    """Return a type of numbers, of texts, or of the objects that an array of containers has.

    Raises:
        UnpicklingError: if it is any other.
    """
    if not isinstance(code, str) or not re.fullmatch(r"[<>=|]?[biufcSUO]\d*", code):
        raise pickle.UnpicklingError("it holds arrays that are not of numbers or texts")
    return np.dtype(code, copy=True)  # its state is set next, and others share the one of NumPy


def _empty_array(*_: Any) -> NDArray[Any]:
    """Return an array, whose state comes next."""
    return np.empty(0, np.int8)


def _scalar(dtype: np.dtype[Any], content: Any = b"") -> Any:
    return _SCALAR(_of_numbers(dtype), content)


def _from_buffer(content: Any, dtype: np.dtype[Any], shape: Any, order: Any) -> Any:
    return _FROM_BUFFER(content, _of_numbers(dtype), shape, order)


def _of_numbers(dtype: np.dtype[Any]) -> np.dtype[Any]:
    if not isinstance(dtype, np.dtype) or dtype.hasobject:
        raise pickle.UnpicklingError("it makes objects of bytes")
    return dtype


def _encode(text: str, encoding: str) -> bytes:
    """Return bytes that an older protocol wrote as text.

    Raises:
        UnpicklingError: if they are written in any other way.
    """
    if encoding not in ("latin1", "latin-1"):
        raise pickle.UnpicklingError(f"it holds bytes as {encoding}")
    return text.encode("latin-1")


_CORE = "numpy.core.multiarray"
_SCALAR: Callable[..., Any] = np.float64(0).__reduce__()[0]  # type: ignore[assignment]
_FROM_BUFFER: Callable[..., Any] = np.ndarray(0).__reduce_ex__(5)[0]  # type: ignore[assignment]
_ARRAYS: dict[tuple[str, str], Any] = {
    (_CORE, "_reconstruct"): _empty_array,
    (_CORE, "scalar"): _scalar,
    ("numpy.core.numeric", "_frombuffer"): _from_buffer,
    ("numpy", "ndarray"): "ndarray",  # only named
    ("numpy", "dtype"): _dtype,
    ("_codecs", "encode"): _encode,
    ("collections", "OrderedDict"): OrderedDict,
    **{(module, kind.__name__): kind for module in ("builtins", "__builtin__") for kind in (set, frozenset)},
}


def _tensors() -> dict[tuple[str, str], Any]:
    import torch

    def storage(content: bytes) -> Any:
        return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)

    return {
        ("torch._utils", "_rebuild_tensor_v2"): torch._utils._rebuild_tensor_v2,
        ("torch.storage", "_load_from_bytes"): storage,
    }
