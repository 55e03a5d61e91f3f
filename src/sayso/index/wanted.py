"""Which files of an index are to be looked at, and what the lists that it remembers say of them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from sayso.core.counted import counted
from sayso.core.errors import SaysoError
from sayso.data.manifest import MANIFESTS, ListedFile
from sayso.data.sources import Listing, list_sources
from sayso.index.roots import Roots, absolute
from sayso.index.sound import can_be_found

log = logging.getLogger(__name__)


def list_wanted(
    roots: Roots, paths: Sequence[str], skip: str, is_held: Callable[[str], bool] | None = None
) -> Listing:
    """Return the files that paths name, but for what stays out.

    What remembered lists say of a file counts also where only its folder is named, or another list: all of
    it, in the order in which the lists were named first, whichever are named now.

    Args:
        roots: what the index remembers.
        paths: files, folders, manifests.
        skip: a folder to leave out (the index itself).
        is_held: tells of a file whether it has to wait.
    """
    lists = _lists(roots)
    first = [path for path in paths if Path(path).suffix.lower() in MANIFESTS]
    named, passing = set(map(absolute, first)), [path for path in first if absolute(path) not in lists]
    ordered = [*(path for path in lists if path in named), *passing]
    listing = list_sources([*ordered, *(path for path in paths if path not in first)], skip)
    listing = listing.with_sound(can_be_found)
    files = listing.files
    if not named.issuperset(lists):
        files = _with_all_said(files, {path: said_by(path) for path in [*lists, *passing]}, named)
    kept = (file for file in files if not roots.is_left_out(file.path))
    return replace(listing, files=tuple(file for file in kept if is_held is None or not is_held(file.path)))


def _lists(roots: Roots) -> list[str]:
    """Return the lists that are remembered and there, in the order in which they were named first."""
    lists = (row for row in roots.wanted if row.kind == "list" and row.is_there)
    return [row.path for row in sorted(lists, key=lambda row: (row.added, row.path))]


def said_by(path: str) -> dict[str, ListedFile]:
    """Return what a list says of files, by path; nothing if it cannot be read."""
    try:
        return {file.path: file for file in list_sources([path]).files}
    except SaysoError:  # it is told when the list itself is brought up to date
        return {}


def _with_all_said(
    files: Sequence[ListedFile], said: Mapping[str, Mapping[str, ListedFile]], named: Collection[str]
) -> tuple[ListedFile, ...]:
    """Return files with what lists say of them that are not named now; tell where that is more.

    Args:
        files: as they are named.
        said: what each list says of files, those that are named too.
        named: the lists that are named.
    """
    found: dict[str, ListedFile] = {}
    for path, listed in said.items():
        more = [file.path for file in files if file.rows and file.path in listed and listed[file.path].rows]
        if more and absolute(path) not in named:
            rest = f" and of {counted(len(more) - 1, 'more file')}" if len(more) > 1 else ""
            log.info("what %s says of %s%s counts too; sayso remove takes a list out", path, more[0], rest)
        for file in listed.values():
            found[file.path] = found[file.path].joined(file) if file.path in found else file
    return tuple(
        found[file.path].joined(replace(file, rows=())) if file.path in found else file for file in files
    )
