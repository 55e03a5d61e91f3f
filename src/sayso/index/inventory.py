"""What an index holds, file by file and in all, and taking files out of it."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sayso.data.sources import list_sources
from sayso.index.background import calibrate_index
from sayso.index.maintaining import maintain
from sayso.index.roots import Root, Roots, absolute, read_roots, save_roots
from sayso.index.upgrading import pending_upgrade
from sayso.index.wanted import said_by

if TYPE_CHECKING:
    from collections.abc import Callable

    from sayso.encoders.interface import Encoder
    from sayso.index.store import Store

log = logging.getLogger(__name__)
_COLUMNS = ["path", "kind", "title", "size", "duration_s", "clips", "added", "error"]


@dataclass(frozen=True, slots=True)
class Held:
    """A file that an index holds.

    Args:
        path: where it was when it was read.
        kind: video, picture or sound.
        title: what it is called.
        size: bytes.
        duration_s: how long it is; None for a picture.
        clips: how many moments it gave.
        added: when.
        error: what of it could not be read; None: nothing.
        exists: whether it is there now.
    """

    path: str
    kind: str
    title: str
    size: int
    duration_s: float | None
    clips: int
    added: str
    error: str | None
    exists: bool


@dataclass(frozen=True, slots=True)
class HeldRoot:
    """What an index remembers of a folder, list or file that was named, and how much it holds of it.

    Args:
        root: what was named.
        files: that are held, at its place or below.
        exists: whether it is there now.
    """

    root: Root
    files: int
    exists: bool

    def to_dict(self) -> dict[str, Any]:
        """Return the fields, ready for JSON."""
        root = self.root
        cut = "caption" if root.by_caption else "window"
        window_s = None if root.by_caption else root.window_s
        sample = "keyframes" if root.keys_only else "all"
        kept = (
            {"segments": cut, "window_s": window_s, "sample": sample, "thumbs": root.thumbs}
            if root.kind != "left out"
            else {}
        )
        return {"path": root.path, "kind": root.kind, **kept, "files": self.files, "exists": self.exists}


def list_held(store: Store, below: Sequence[str] = ()) -> list[Held]:
    """Return the files of an index in the order of their paths.

    Args:
        store: the index.
        below: paths: only these files, or those in these folders; by default all.
    """
    places = [Root(absolute(path), "folder", 0.0, False, "") for path in below]
    return sorted(
        (
            Held(**row, exists=os.path.exists(row["path"]))  # noqa: PTH110
            for row in _rows(store)
            if not places or any(place.covers(row["path"]) for place in places)
        ),
        key=lambda held: held.path,
    )


def _rows(store: Store) -> Iterator[dict[str, Any]]:
    for batch in store.media.search().select(_COLUMNS).to_batches():
        yield from batch.to_pylist()


def list_held_roots(store: Store) -> list[HeldRoot]:
    """Return what an index remembers, in the order in which it was named."""
    paths, roots = list(store.records()), read_roots(store)
    rows = sorted(roots.rows, key=lambda row: (row.kind == "left out", row.added))
    return [HeldRoot(row, _count(row, paths), row.is_there) for row in rows]


def _count(root: Root, paths: Sequence[str]) -> int:
    """Return how many files of an index are those of a root."""
    if root.kind == "list":
        named = {file.path for file in list_sources([root.path]).files} if root.is_there else set()
        return len(named.intersection(paths))
    return sum(map(root.covers, paths))


def remove_paths(store: Store, paths: Sequence[str], encoder: Callable[[], Encoder]) -> dict[str, int | None]:
    """Take files out of an index, not off the disk; they stay out until they are named again.

    Args:
        store: the index.
        paths: files and folders, or lists that were named.
        encoder: loads the encoder; called only if the index keeps no background.

    Returns:
        How many files of each path were taken out, None where the index knew nothing of it.
    """
    counts: dict[str, int | None] = {}
    with store.writing():
        roots, records = read_roots(store), store.records()
        for path in paths:
            place = Root(absolute(path), "folder", 0.0, False, "")
            listed, kept = _of_list(roots, place.path)
            below = {name: one for name, one in records.items() if place.covers(name) or name in listed}
            known = bool(below) or any(place.covers(row.path) for row in roots.wanted)
            counts[path] = len(below) if known else None
            if known:
                roots = roots.without(place.path)
                save_roots(store, roots)  # first: after a kill nothing comes back
                store.remove(below)
                records = {name: record for name, record in records.items() if name not in below}
            staying = kept & records.keys()
            if staying:
                log.info("what %s says of %s counts until the next sayso index", path, min(staying))
        if any(counts.values()):
            maintain(store)
            calibrate_index(store, encoder)
    return counts


def _of_list(roots: Roots, path: str) -> tuple[set[str], set[str]]:
    """Return the files that are wanted only because a list at this path names them, and its others."""
    root = roots.owner(path)
    if root is None or root.path != path or root.kind != "list" or not root.is_there:
        return set(), set()
    others = (row.path for row in roots.wanted if row.kind == "list" and row.is_there and row.path != path)
    elsewhere = set(chain.from_iterable(map(said_by, others)))
    listed = {file.path for file in list_sources([path]).files}
    only = {name for name in listed - elsewhere if roots.owner(name) is None}
    return only, listed - only


def describe_index(store: Store) -> dict[str, Any]:
    """Return what an index holds in all: files by kind, seconds, what failed, bytes on disk, its roots."""
    files = list(_rows(store))
    kinds = [row["kind"] for row in files]
    pending = pending_upgrade(store)
    return {
        "files": {kind: kinds.count(kind) for kind in ("video", "picture", "sound")},
        "duration_s": float(sum(row["duration_s"] or 0.0 for row in files)),
        "media_bytes": sum(row["size"] or 0 for row in files),
        "index_bytes": None if store.remote else _bytes_below(Path(store.address)),
        "failed": sum(row["error"] is not None for row in files),
        "updated": max((row["added"] for row in files), default=None),
        "roots": [held.to_dict() for held in list_held_roots(store)],
        "upgrading_to": None if pending is None else {"model": pending.model, "files": pending.files},
    }


def _bytes_below(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
