"""Which files are meant: folders, single files, manifests, and lists from stdin."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from sayso.data.manifest import MANIFESTS, Failure, ListedFile, read_manifest


def find_sources(paths: Iterable[str], skip: str | None = None) -> Iterator[ListedFile | Failure]:
    """Yield every file that ``paths`` name, each once.

    Args:
        paths: files, folders, manifests, or ``-`` for a list of them on stdin, one a line.
        skip: a folder to leave out (the index itself).
    """
    seen: set[str] = set()
    for path in _with_stdin(paths):
        for source in _expand(path, skip):
            if source.path not in seen:
                seen.add(source.path)
                yield source


def _with_stdin(paths: Iterable[str]) -> Iterator[str]:
    for path in paths:
        if path == "-":
            yield from (line.rstrip("\r\n") for line in sys.stdin if line.strip())
        else:
            yield path


def _expand(path: str, skip: str | None) -> Iterator[ListedFile | Failure]:
    full = os.path.abspath(os.path.expanduser(path))  # noqa: PTH100, PTH111  no symlink is resolved
    try:
        mode = os.stat(full).st_mode  # noqa: PTH116
    except (OSError, ValueError) as error:
        yield Failure(full, "find", f"{path} cannot be read: {_reason(error)}")
        return
    if stat.S_ISDIR(mode):
        yield from _walk(full, skip)
    elif Path(full).suffix.lower() in MANIFESTS:
        yield from read_manifest(Path(full))
    else:
        yield ListedFile(full, named=True)


def _walk(folder: str, skip: str | None) -> Iterator[ListedFile | Failure]:
    """Walk a tree in a stable order, through links, each folder once."""
    from sayso.media import kind_of

    visited: set[tuple[int, int]] = set()
    stack = [folder]
    while stack:
        here = stack.pop()
        try:
            status = os.stat(here)  # noqa: PTH116
            if (status.st_dev, status.st_ino) in visited or here == skip:
                continue
            visited.add((status.st_dev, status.st_ino))
            with os.scandir(here) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            yield Failure(here, "find", f"the folder {here} cannot be read: {_reason(error)}")
            continue
        folders = []
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if _is_folder(entry):
                folders.append(entry.path)
            elif kind_of(entry.path) is not None:
                yield ListedFile(entry.path)
        stack.extend(reversed(folders))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
