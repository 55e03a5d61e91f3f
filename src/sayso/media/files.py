"""Opening a file that somebody else chose: only regular files, and never waiting for one.

Pipes, sockets and devices are refused before they are opened, because opening or
reading them can wait for ever.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sayso.core.errors import MediaError

MAX_PIXELS = 8192 * 8192
"""Pictures and frames larger than this are refused before memory is taken for them."""

_OTHER = {
    stat.S_IFDIR: "is a folder; name a file in it",
    stat.S_IFIFO: "is a named pipe; copy what it gives into a file first",
    stat.S_IFSOCK: "is a socket; name a file",
    stat.S_IFCHR: "is a device; name a file",
    stat.S_IFBLK: "is a device; name a file",
}
_REASONS = {
    errno.ENOENT: "there is nothing at this path",
    errno.ENOTDIR: "there is nothing at this path",
    errno.EACCES: "permission to read it is denied",
    errno.EPERM: "permission to read it is denied",
    errno.ELOOP: "the symbolic link leads back to itself",
    errno.ENAMETOOLONG: "the name is too long",
}


def printable_path(path: str | os.PathLike[str]) -> str:
    """Return the path as text that can be printed and stored, whatever bytes it is made of."""
    return os.fspath(path).encode("utf-8", "surrogateescape").decode("utf-8", "replace")


@contextmanager
def open_regular(path: str | os.PathLike[str], *, may_be_empty: bool = False) -> Iterator[int]:
    """Open a regular file for reading; give its file descriptor, closed afterwards.

    Args:
        path: the file.
        may_be_empty: whether it may hold nothing.

    Raises:
        MediaError: if it is missing, unreadable, empty, or not a regular file.
    """
    descriptor = open_descriptor(path, may_be_empty=may_be_empty)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def open_descriptor(path: str | os.PathLike[str], *, may_be_empty: bool = False) -> int:
    """Open a regular file for reading; return its file descriptor, which whoever calls closes.

    Args:
        path: the file.
        may_be_empty: whether it may hold nothing.

    Raises:
        MediaError: if it is missing, unreadable, empty, or not a regular file.
    """
    try:
        _refuse_irregular(path, Path(path).stat(), may_be_empty)
        descriptor = os.open(path, _FLAGS)
    except (OSError, ValueError) as error:
        raise MediaError(f"{printable_path(path)}: {_reason(error)}") from error
    try:
        _refuse_irregular(path, os.fstat(descriptor), may_be_empty)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


_FLAGS = os.O_RDONLY
for _name in ("O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):  # not every system has each
    _FLAGS |= getattr(os, _name, 0)


def _refuse_irregular(path: str | os.PathLike[str], status: os.stat_result, may_be_empty: bool) -> None:
    if not stat.S_ISREG(status.st_mode):
        what = _OTHER.get(stat.S_IFMT(status.st_mode), "is not a regular file")
        raise MediaError(f"{printable_path(path)} {what}")
    if status.st_size == 0 and not may_be_empty:
        raise MediaError(f"{printable_path(path)} is empty (0 bytes)")


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, OSError):
        return _REASONS.get(error.errno or 0, error.strerror or str(error))
    return f"the name cannot be used ({error})"
