"""The index on disk: two LanceDB tables, written so that a kill at any point loses nothing.

Every write is one atomic LanceDB commit, in this order: clips, then the media
rows they belong to, then the removal of what they replace. A run that was killed
in between leaves clips without a medium; the next run removes them first. Many writers
at once leave their work in shards, which are committed in the same order (``sayso.index.commit``).
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Iterator
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from shlex import quote
from typing import Any

import pyarrow as pa

from sayso.core.errors import IndexMismatch, SaysoError
from sayso.core.ownership import RECORD
from sayso.index.checksums import CHECKSUMS, unsettled
from sayso.index.lance import import_lancedb
from sayso.index.live import LiveMedia
from sayso.index.lock import Lease, file_lock
from sayso.index.reasons import reason_of
from sayso.index.schema import (
    CLIPS_TABLE,
    FIRST,
    GENERATION_TABLE,
    MEDIA_SCHEMA,
    MEDIA_TABLE,
    ROOTS_TABLE,
    Identity,
    Record,
    clips_schema,
    name_in,
    read_identity,
)
from sayso.index.sql import in_parts, sql_in, sql_string

WORDS = ("text", "seen")
"""The columns of words: what is said, and what a model wrote that it saw."""

LOOK_S = 1.0


class Store:
    """The tables of one index.

    Args:
        address: a folder, or an address of an object store (``s3://...``).
        generation: of the tables; None: those that count (``sayso.index.generations``).
    """

    def __init__(self, address: str | os.PathLike[str], generation: int | None = None) -> None:
        self._asked = generation
        self._looked = time.monotonic()
        text = os.fspath(address)
        self.remote = "://" in text
        self.address = text if self.remote else str(Path(text).expanduser().resolve())

    @cached_property
    def connection(self) -> Any:
        """The LanceDB connection; reads see what others wrote at most a second ago."""
        os.environ.setdefault("LANCEDB_LOG", "error")
        return import_lancedb().connect(self.address, read_consistency_interval=timedelta(seconds=1))

    @cached_property
    def generation(self) -> int:
        """Which of the tables these are: a change of the model makes new ones."""
        return self._asked or self._counting()

    def _counting(self) -> int:
        """Return the number of the tables that count now."""
        if not self.remote and not Path(self.address, f"{GENERATION_TABLE}.lance").is_dir():
            return FIRST
        table = self.table(GENERATION_TABLE)
        rows = table.search().limit(1).to_arrow().to_pylist() if table is not None else []
        return int(rows[0]["number"]) if rows else FIRST

    @property
    def is_superseded(self) -> bool:
        """Whether other tables count by now; looked up at most once a second."""
        if self._asked is None and time.monotonic() - self._looked > LOOK_S:
            self._looked = time.monotonic()
            return self._counting() != self.generation
        return False

    def named(self, name: str) -> str:
        """Return what a table is called in this generation."""
        return name_in(self.generation, name)

    def table(self, name: str) -> Any | None:
        """Return one of the tables; None if there is none of this name.

        Raises:
            SaysoError: if it cannot be opened.
        """
        try:
            return self.connection.open_table(name)
        except (ValueError, FileNotFoundError, RuntimeError) as error:
            if "not found" in str(error).lower() or "does not exist" in str(error).lower():
                return None
            raise SaysoError(f"the index {self.address} cannot be opened: {reason_of(error)}") from error

    @property
    def failures_file(self) -> Path | None:
        """Where failures are listed unless another file is named: in the index, if there is one."""
        if self.remote:
            return Path("failures.jsonl")
        return Path(self.address, "failures.jsonl") if self.exists else None

    @property
    def exists(self) -> bool:
        """Whether there is an index here."""
        if not self.remote and not Path(self.address, f"{self.named(MEDIA_TABLE)}.lance").is_dir():
            return False
        return self.table(self.named(MEDIA_TABLE)) is not None

    @cached_property
    def identity(self) -> Identity:
        """What the index says of itself."""
        return read_identity(self.clips.schema, self.address)

    @cached_property
    def clips(self) -> Any:
        """The table of moments."""
        return self._require(CLIPS_TABLE)

    @cached_property
    def media(self) -> Any:
        """The table of files."""
        return self._require(MEDIA_TABLE)

    @cached_property
    def live(self) -> LiveMedia:
        """Tells which clips count."""
        return LiveMedia(self)

    def _require(self, name: str) -> Any:
        table = self.table(self.named(name)) if self.exists else None
        if table is None:
            named = quote(self.address)
            raise SaysoError(
                f"there is no index at {self.address}; make one with: sayso index {named} PATH..."
            )
        return table

    def create(self, identity: Identity) -> None:
        """Make the two empty tables; harmless if another process has just made them."""
        self.check_free()
        with self._told():
            if not self.remote:
                Path(self.address).mkdir(parents=True, exist_ok=True)
            for name, schema in ((CLIPS_TABLE, clips_schema(identity)), (MEDIA_TABLE, MEDIA_SCHEMA)):
                try:
                    self.connection.create_table(self.named(name), schema=schema, exist_ok=True)
                except ValueError:  # another process made it, a second earlier
                    if self.table(self.named(name)) is None:
                        raise

    @property
    def holds_nothing(self) -> bool:
        """Whether there is neither a file nor a clip in it."""
        self.refresh()
        return not self.media.count_rows() and not self.clips.count_rows()

    def take_back(self) -> None:
        """Remove an index that holds nothing, whose lock the caller holds; others find that there is none.

        Its folder stays, with the lock: it counts as free.
        """
        with self._told():
            for name in (self.named(MEDIA_TABLE), self.named(CLIPS_TABLE), ROOTS_TABLE):
                if self.table(name) is not None:
                    self.connection.drop_table(name)
        for name in ("clips", "media", "live", "identity"):
            self.__dict__.pop(name, None)

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """Turn what goes wrong in writing into one sentence."""
        try:
            yield
        except BrokenPipeError:
            raise  # whoever read the output is gone
        except OSError as error:  # LanceDB's too
            why = error.strerror or str(error).partition("\n")[0]
            raise SaysoError(
                f"the index {self.address} cannot be written: {why}; free some space or choose another folder"
            ) from error

    def check_free(self) -> None:
        """Check that there is an index here, or may be made.

        Raises:
            SaysoError: if a file or a folder of other things is in the way.
        """
        folder = Path(self.address)
        if self.remote or not folder.exists() or self.exists:
            return
        form = f"the index comes first, then what to add: sayso index INDEX {quote(str(folder))}"
        if not folder.is_dir():
            raise SaysoError(f"{folder} is a file, and an index is a folder; {form}")
        other = next((path.name for path in folder.iterdir() if not _ours(path)), None)
        if other is not None:
            raise SaysoError(f"the folder {folder} holds other things ({other}), no index; {form}")

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Be the only writer; wait for another one, and log that."""
        if not self.remote:
            with self._told():
                Path(self.address).mkdir(parents=True, exist_ok=True)
        lock = "writer" if self._asked is None else f"writer_{self._asked}"
        hold = Lease(self.connection, lock).hold() if self.remote else file_lock(Path(self.address), lock)
        with self._told(), hold:
            self.check_counting()
            with unsettled(self) if self._asked is None else contextlib.nullcontext():
                yield

    def check_counting(self) -> None:
        """Check that these tables count still.

        Raises:
            IndexMismatch: if the index was given another model since it was opened.
        """
        if self._asked is None and self._counting() != self.generation:
            raise IndexMismatch(f"the index {self.address} has been given another model just now; try again")

    def refresh(self) -> None:
        """See at once what other processes have written."""
        self.clips.checkout_latest()
        self.media.checkout_latest()

    def records(self) -> dict[str, Record]:
        """Return every file that is done, by path."""
        columns = ["path", *Record.__slots__]
        rows = (
            row for batch in self.media.search().select(columns).to_batches() for row in batch.to_pylist()
        )
        return {row.pop("path"): Record(**row) for row in rows}

    def append(self, clips: pa.Table) -> None:
        """Add clips; they count once their medium is committed."""
        self.clips.add(clips)

    def commit(self, media: pa.Table, replaced: Iterable[str] = ()) -> None:
        """Say that files are done, and remove the clips of the media they replace.

        Args:
            media: rows; with nothing to replace, none of their paths is in the table.
            replaced: media ids that go.
        """
        gone = list(replaced)
        if gone:
            merging = self.media.merge_insert("path").when_matched_update_all()
            merging.when_not_matched_insert_all().execute(media)
            self.delete_clips(gone)
        else:  # a merge reads the paths of all files
            self.media.add(media)

    def move(self, media_id: str, path: str, title: str, mtime_ns: int) -> None:
        """Note that a file has a new path.

        Args:
            media_id: of the file.
            path: where it is now.
            title: what its clips are called now.
            mtime_ns: its date now.
        """
        medium = f"media_id = {sql_string(media_id)}"
        self.clips.update(where=medium, values={"path": path, "title": title})
        self.media.update(where=medium, values={"path": path, "title": title, "mtime_ns": mtime_ns})

    def touch(self, path: str, mtime_ns: int) -> None:
        """Note that a file has a new date but the same content."""
        self.media.update(where=f"path = {sql_string(path)}", values={"mtime_ns": mtime_ns})

    def remove(self, records: dict[str, Record]) -> None:
        """Remove files and their clips."""
        for part in in_parts(records):
            self.media.delete(sql_in("path", part))
        self.delete_clips(record.media_id for record in records.values())

    def delete_clips(self, media_ids: Iterable[str]) -> None:
        """Remove the clips of some media."""
        for part in in_parts(media_ids):
            self.clips.delete(sql_in("media_id", part))

    @property
    def has_text(self) -> bool:
        """Whether there is text to search: a full-text index over what is said, or what a model saw."""
        return bool(self.text_columns)

    @property
    def text_columns(self) -> list[str]:
        """The columns of words that have a full-text index."""
        held = [index.columns for index in self.clips.list_indices()]
        return [column for column in WORDS if [column] in held]


def title_of(path: str) -> str:
    """Return the title of a file that nobody gave one."""
    return Path(path).stem


def _ours(path: Path) -> bool:
    return (
        path.suffix == ".lance"
        or path.match("writer*.lock")
        or path.name in ("failures.jsonl", "shards", CHECKSUMS, RECORD)
    )
