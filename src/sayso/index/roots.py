"""What an index is made of: the folders, lists and files that somebody named, and how each is cut.

They are kept in a table of the index. Of the roots that cover a file the longest decides how it is cut, so a
folder in a folder may be cut otherwise. What somebody removed stays out, until it is named again.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Literal

import pyarrow as pa

from sayso.core.errors import SaysoError
from sayso.data.manifest import MANIFESTS, is_failure_list
from sayso.index.fingerprint import Segmentation, file_kind
from sayso.index.schema import ROOTS_TABLE
from sayso.index.thumbs import Thumbs

if TYPE_CHECKING:
    from sayso.index.store import Store

RootKind = Literal["folder", "list", "file", "left out"]


@dataclass(frozen=True, slots=True)
class Root:
    """Something that was named.

    Args:
        path: absolute.
        kind: what it is; a ``list`` is a manifest; ``left out`` was removed and stays out.
        window_s: how long the clips of its videos are, seconds.
        by_caption: whether its videos are cut by their captions instead.
        added: when it was named first.
        keys_only: whether its videos are cut at key frames.
        thumbs: of which clips pictures are kept.
    """

    path: str
    kind: RootKind
    window_s: float
    by_caption: bool
    added: str
    keys_only: bool = False
    thumbs: Thumbs = "clip"

    @property
    def segmentation(self) -> Segmentation:
        """How its videos are cut."""
        return Segmentation(self.window_s, self.by_caption, self.keys_only, self.thumbs)

    @property
    def is_there(self) -> bool:
        """Whether it can be seen: its drive may not be mounted."""
        return os.path.isdir(self.path) if self.kind == "folder" else os.path.exists(self.path)  # noqa: PTH110, PTH112

    def covers(self, path: str) -> bool:
        """Tell whether a path is this or lies below."""
        return path == self.path or path.startswith(os.path.join(self.path, ""))  # noqa: PTH118


@dataclass(frozen=True, slots=True)
class Cut:
    """How somebody asked for videos to be cut; None: as before."""

    window_s: float | None = None
    by_caption: bool | None = None
    keys_only: bool | None = None
    thumbs: Thumbs | None = None

    def over(self, known: Segmentation) -> Segmentation:
        """Return what was known, changed by what was asked for."""
        return Segmentation(
            known.window_s if self.window_s is None else self.window_s,
            known.by_caption if self.by_caption is None else self.by_caption,
            known.keys_only if self.keys_only is None else self.keys_only,
            self.thumbs or known.thumbs,
        )


@dataclass(frozen=True)
class Roots:
    """All that an index remembers of what it is made of."""

    rows: tuple[Root, ...] = ()

    @cached_property
    def wanted(self) -> tuple[Root, ...]:
        """What is to be indexed; lists first, for they know more of a file than its folder does."""
        return tuple(sorted((r for r in self.rows if r.kind != "left out"), key=lambda r: r.kind != "list"))

    @property
    def left_out(self) -> tuple[Root, ...]:
        """What was removed and stays out."""
        return tuple(row for row in self.rows if row.kind == "left out")

    @cached_property
    def _by_path(self) -> dict[str, Root]:
        return {row.path: row for row in self.rows}

    def owner(self, path: str) -> Root | None:
        """Return the longest root that covers a path."""
        at = path
        while at not in self._by_path:
            above = os.path.dirname(at)  # noqa: PTH120
            if above == at:
                return None
            at = above
        return self._by_path[at]

    def segmentation(self, path: str) -> Segmentation:
        """Return how a file is cut: as the root that covers it, else as the first root."""
        owner = self.owner(path)
        if owner is None or owner.kind == "left out":
            owner = min(self.wanted, key=lambda row: row.added, default=None)
        return owner.segmentation if owner else Segmentation()

    def is_left_out(self, path: str) -> bool:
        """Tell whether a file was removed and stays out."""
        owner = self.owner(path)
        return owner is not None and owner.kind == "left out"

    def named(self, paths: Iterable[str], cut: Cut) -> Roots:
        """Return what is remembered once paths were named.

        Args:
            paths: absolute; what is not there, or no source of videos and pictures, is not remembered.
            cut: how somebody asked for their videos to be cut.
        """
        roots, files = self, []
        for path in paths:
            kind = _kind_of(path)
            if kind == "file":
                files.append(path)
            elif kind is not None:
                roots = roots._with(path, kind, cut)
        new = {path: roots._row(path, "file", cut) for path in files}
        kept = tuple(row for row in roots.rows if row.path not in new)
        others = Roots(kept)
        return Roots((*kept, *(row for row in new.values() if not others._implies(row))))

    def _row(self, path: str, kind: RootKind, cut: Cut) -> Root:
        """Return the row of a path that is named now."""
        segmentation = cut.over(self.segmentation(path))
        old = self._by_path.get(path)
        now = datetime.now(UTC).isoformat(timespec="microseconds")
        first = old.added if old is not None and old.kind != "left out" else now
        return Root(path=path, kind=kind, added=first, **asdict(segmentation))

    def _implies(self, row: Root) -> bool:
        """Tell whether a folder above says already what a row says."""
        above = self.owner(row.path)
        return above is not None and above.kind == "folder" and above.segmentation == row.segmentation

    def _with(self, path: str, kind: RootKind, cut: Cut) -> Roots:
        new, rest = self._row(path, kind, cut), Roots(tuple(row for row in self.rows if row.path != path))
        kept = tuple(
            row
            for row in rest.rows
            if row.kind in ("left out", "list")
            or not new.covers(row.path)
            or (cut == Cut() and row.segmentation != new.segmentation)
        )
        return Roots(kept if kind == "folder" and rest._implies(new) else (*kept, new))

    def without(self, path: str) -> Roots:
        """Return what is remembered once a path was removed; it stays out of the roots that are left."""
        gone = Root(path, "left out", 0.0, False, datetime.now(UTC).isoformat(timespec="microseconds"))
        rest = tuple(row for row in self.rows if not gone.covers(row.path))
        comes_back = any(row.kind == "list" or row.covers(path) for row in Roots(rest).wanted)
        return Roots((*rest, gone) if comes_back else rest)


def _kind_of(path: str) -> RootKind | None:
    """Return what a named path is; None if it is nothing to remember."""
    if not path.isprintable() and path != path.encode("utf-8", "ignore").decode():
        return None  # a name that is no UTF-8: no file of it can be indexed
    if os.path.isdir(path):  # noqa: PTH112
        return "folder"
    if not os.path.isfile(path):  # noqa: PTH113
        return None
    if Path(path).suffix.lower() in MANIFESTS:
        return None if is_failure_list(Path(path)) else "list"
    try:
        file_kind(path)
    except SaysoError:
        return None
    return "file"


def read_roots(store: Store) -> Roots:
    """Return what an index remembers; nothing if an older sayso made it."""
    table = store.table(ROOTS_TABLE) if store.exists else None
    rows = table.search().to_arrow().to_pylist() if table is not None else []
    return Roots(tuple(Root(**row) for row in rows))


def save_roots(store: Store, roots: Roots) -> None:
    """Remember roots, in one commit, in the place of what was remembered."""
    schema = pa.schema(
        [
            ("path", pa.string()),
            ("kind", pa.string()),
            ("window_s", pa.float64()),
            ("by_caption", pa.bool_()),
            ("added", pa.string()),
            ("keys_only", pa.bool_()),
            ("thumbs", pa.string()),
        ]
    )
    rows = pa.Table.from_pylist([asdict(row) for row in roots.rows], schema=schema)
    store.connection.create_table(ROOTS_TABLE, rows, mode="overwrite")


def remembered_paths(store: Store) -> list[str]:
    """Return what is to be brought up to date where nobody names anything: all that can be seen now.

    Raises:
        SaysoError: if the index remembers nothing.
    """
    roots = read_roots(store)
    if not roots.wanted:
        named = quote(store.address)
        raise SaysoError(
            f"the index {store.address} remembers no folders; name them once: sayso index {named} PATH..."
        )
    return [row.path for row in roots.wanted if row.is_there]


def absolute(path: str) -> str:
    """Return a path as roots and files have it; no symlink is resolved."""
    return os.path.abspath(os.path.expanduser(path))  # noqa: PTH100, PTH111
