"""Reading files that somebody else chose, whole or in part: bounded, and never waiting for one."""

from __future__ import annotations

import os
from pathlib import Path

from sayso.core.errors import SaysoError


def is_there(path: str | os.PathLike[str]) -> bool:
    """Tell whether there is a file; whatever cannot be a name is none."""
    try:
        return Path(path).is_file()
    except (OSError, ValueError):
        return False


def read_whole(path: str | os.PathLike[str], limit: int) -> bytes:
    """Return the bytes of a regular file.

    Raises:
        SaysoError: if it cannot be read, is empty, or larger than ``limit`` bytes.
    """
    from sayso.media.files import open_regular, printable_path

    with open_regular(path) as descriptor, os.fdopen(os.dup(descriptor), "rb") as file:
        size = os.fstat(descriptor).st_size
        if size > limit:
            raise SaysoError(f"{printable_path(path)} is too large, {size:,} bytes")
        try:
            return file.read()
        except OSError as error:
            raise SaysoError(f"{printable_path(path)} cannot be read: {error.strerror or error}") from error


def read_part(path: str, offset: int, size: int) -> bytes:
    """Return ``size`` bytes of a file from ``offset`` on.

    Args:
        path: the archive.
        offset: the first byte.
        size: how many bytes.

    Raises:
        SaysoError: if it cannot be read, or is shorter.
    """
    try:
        with Path(path).open("rb") as archive:
            archive.seek(offset)
            content = archive.read(size)
    except (OSError, ValueError, OverflowError) as error:
        raise SaysoError(f"the shard {path} cannot be read: {error}") from error
    if len(content) < size:
        raise SaysoError(f"the shard {path} is shorter than when it was listed; read it anew")
    return content
