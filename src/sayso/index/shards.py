"""Shards: what one of many writers has ready for an index, until it is committed.

A writer needs no lock. It writes the clips of some files as one Lance fragment beside those of the table,
where nobody sees it, and then ``shards/ID.json``: what the fragment is, and the rows of its files. The name
is the digest of what went in, so that the same work has the same name everywhere. What a writer that was
killed leaves is a file that nothing names, which Lance removes after a week.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from sayso.core.errors import SaysoError
from sayso.core.io import write_atomic
from sayso.core.lazy import need
from sayso.index.schema import CLIPS_TABLE, Identity, clips_schema

if TYPE_CHECKING:
    from sayso.index.store import Store

EXTRA = "cluster"
FOLDER = "shards"


@dataclass(frozen=True, slots=True)
class Shard:
    """Clips that are written, and the files that they are of.

    Args:
        id: digest of what went in.
        media: rows of the table of files.
        replaces: by path, the medium that goes when the shard is there.
        fragments: as Lance describes them; none where no file gave a clip.
    """

    id: str
    media: list[dict[str, Any]] = field(default_factory=list)
    replaces: dict[str, str] = field(default_factory=dict)
    fragments: list[dict[str, Any]] = field(default_factory=list)


class ShardFolder:
    """The open shards of an index: those that are not committed, in a folder or an object store.

    Args:
        store: the index.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._prefix = store.named(FOLDER)
        self._folder = Path(store.address, self._prefix)

    @cached_property
    def _objects(self) -> Any:
        return need("lance.file", EXTRA).LanceFileSession(self.store.address)

    def ids(self) -> list[str]:
        """Return the names of the open shards."""
        if not self.store.remote:
            return sorted(path.stem for path in self._folder.glob("*.json"))
        try:
            return sorted(Path(name).stem for name in self._objects.list(self._prefix))
        except SaysoError:  # without Lance there is no cluster: who has it commits them
            return []

    def read(self, id_: str) -> Shard | None:
        """Return an open shard; None if its file is damaged, so that its files are read again."""
        try:
            held = json.loads(self._content(id_))
            return Shard(**{name: held[name] for name in Shard.__slots__})
        except (ValueError, TypeError, KeyError):
            return None

    def _content(self, id_: str) -> bytes:
        if not self.store.remote:
            return (self._folder / f"{id_}.json").read_bytes()
        with tempfile.TemporaryDirectory() as folder:
            here = Path(folder, "shard.json")
            self._objects.download_file(self._named(id_), str(here))
            return here.read_bytes()

    def write(self, shard: Shard) -> None:
        """Say that a shard is ready."""
        text = json.dumps(asdict(shard))
        if not self.store.remote:
            write_atomic(self._folder / f"{shard.id}.json", text, guarded=False)
            return
        with tempfile.TemporaryDirectory() as folder:
            here = Path(folder, "shard.json")
            here.write_text(text)
            self._objects.upload_file(str(here), self._named(shard.id))

    def drop(self, id_: str) -> None:
        """Forget a shard."""
        if self.store.remote:
            self._objects.delete_file(self._named(id_))
        else:
            (self._folder / f"{id_}.json").unlink(missing_ok=True)

    def holds_clips_of(self, shard: Shard) -> bool:
        """Tell whether what a shard's fragments are written in is there still."""
        table = self.store.named(CLIPS_TABLE)
        names = [
            f"{table}.lance/data/{file['path']}" for fragment in shard.fragments for file in fragment["files"]
        ]
        if self.store.remote:
            return all(self._objects.contains(name) for name in names)
        return all(Path(self.store.address, name).is_file() for name in names)

    def _named(self, id_: str) -> str:
        return f"{self._prefix}/{id_}.json"


class ShardSink:
    """Takes what a ``Writer`` writes, for one shard, and is an index to it.

    Args:
        store: the index.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._clips: list[pa.Table] = []
        self._media: list[dict[str, Any]] = []

    @property
    def identity(self) -> Identity:
        """What the index says of itself."""
        return self.store.identity

    def append(self, clips: pa.Table) -> None:
        """Take clips."""
        self._clips.append(clips)

    def commit(self, media: pa.Table, replaced: Iterable[str] = ()) -> None:  # noqa: ARG002  the shard has them
        """Take the files that are done."""
        for row in media.to_pylist():
            self._media.append({name: value for name, value in row.items() if value is not None})

    def delete_clips(self, media_ids: Collection[str]) -> None:
        """Forget clips of some media."""
        if media_ids:
            dropped = pa.array(sorted(media_ids), pa.string())
            self._clips = [
                clips.filter(pc.invert(pc.is_in(clips.column("media_id"), dropped))) for clips in self._clips
            ]

    def shard(self, id_: str, replaces: dict[str, str]) -> Shard:
        """Write the clips, and return the shard.

        Args:
            id_: its name.
            replaces: by path, the medium that goes.
        """
        clips = pa.concat_tables([clips_schema(self.identity).empty_table(), *self._clips])
        fragments = write_fragments(self.store, clips) if clips.num_rows else []
        going = {row["path"]: replaces[row["path"]] for row in self._media if row["path"] in replaces}
        return Shard(id_, self._media, going, fragments)


def write_fragments(store: Store, clips: pa.Table) -> list[dict[str, Any]]:
    """Write clips where the table of clips has its own, and return how Lance describes them.

    Raises:
        SaysoError: if not all of them were written.
    """
    writer = need("lance.fragment", EXTRA)
    written = writer.write_fragments(clips, clips_uri(store), schema=store.clips.schema, mode="append")
    if sum(fragment.physical_rows for fragment in written) != clips.num_rows:
        raise SaysoError(
            f"the index {store.address} cannot be written: clips are missing in what was written"
        )
    return [fragment.to_json() for fragment in written]


def clips_uri(store: Store) -> str:
    """Return where Lance has the table of clips."""
    return f"{store.address}/{store.named(CLIPS_TABLE)}.lance"
