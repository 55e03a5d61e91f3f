"""Which files of an index are to be looked at, and what the lists that it remembers say of them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

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

    What a remembered list says of a file counts also where only its folder is named, or another list; the
    latter is said.

    Args:
        roots: what the index remembers.
        paths: files, folders, manifests.
        skip: a folder to leave out (the index itself).
        is_held: tells of a file whether it has to wait.
    """
    first = [path for path in paths if Path(path).suffix.lower() in MANIFESTS]
    listing = list_sources([*first, *(path for path in paths if path not in first)], skip)
    listing = listing.with_sound(can_be_found)
    listed = _listed(roots, set(map(absolute, paths)))
    _say_passed_over(listing.files, listed)
    found = {path: file for path, (file, _) in listed.items()}
    files = (found.get(file.path, file) for file in listing.files if not roots.is_left_out(file.path))
    kept = tuple(file for file in files if is_held is None or not is_held(file.path))
    return replace(listing, files=kept)


def _say_passed_over(files: Iterable[ListedFile], listed: Mapping[str, tuple[ListedFile, str]]) -> None:
    """Say that what a list says now does not count for files of which an earlier one speaks."""
    twice = [file.path for file in files if file.rows and file.path in listed]
    if twice:
        more = f" and of {len(twice) - 1:,} more files" if len(twice) > 1 else ""
        earlier = listed[twice[0]][1]
        log.warning(
            "what %s says of %s%s counts, not what is named now: "
            "put all rows into one list, or take the earlier one out with sayso remove",
            earlier,
            twice[0],
            more,
        )


def _listed(roots: Roots, named: set[str]) -> dict[str, tuple[ListedFile, str]]:
    """Return what remembered lists say of files, and which does, but for the lists that are read anyway."""
    lists = [
        row.path for row in roots.wanted if row.kind == "list" and row.path not in named and row.is_there
    ]
    found: dict[str, tuple[ListedFile, str]] = {}
    for path in (path for path in lists if path not in named):
        try:
            found |= {file.path: (file, path) for file in list_sources([path]).files}
        except SaysoError:  # it is told when the list itself is brought up to date
            continue
    return found
