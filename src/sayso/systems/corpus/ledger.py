"""What became of every video at every stage: a ledger that no kill can tear.

Rows are JSON lines in numbered shards. The open one stands under a temporary name, and gets its own when it
is full or the run ends; what a kill leaves is taken up by the next run, but for a line that was cut off. The
last row of a (video, stage) holds.
"""

from __future__ import annotations

import io
import json
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Literal, Self

from sayso.core.io import fsync, make_folder

log = logging.getLogger(__name__)

Status = Literal["done", "rejected", "gone", "failed"]
SHARD = 4096  # rows


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """What became of a video at a stage.

    Args:
        stage: ``search``, whose key is a task's title; ``find``, ``captions``, ``fetch``, ``build``.
        key: the video's id.
        status: ``rejected`` by a rule, ``gone`` for good, ``failed`` after the last attempt.
        why: in few words, always the same for one reason, as reasons are counted.
        attempts: how often it was asked for.
        at: when, UTC; the ledger's own if empty.
        facts: what later stages need.
    """

    stage: str
    key: str
    status: Status
    why: str = ""
    attempts: int = 0
    at: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    def line(self) -> str:
        """Return the row as a line of JSON."""
        named = {name: getattr(self, name) for name in self.__slots__}
        return json.dumps({name: value for name, value in named.items() if value}, ensure_ascii=False)


class Ledger:
    """A corpus's ledger; one process writes at a time.

    Args:
        folder: of its shards.
        clock: seconds since 1970.
        shard: rows of a shard.
    """

    def __init__(self, folder: Path, *, clock: Callable[[], float] = time.time, shard: int = SHARD) -> None:
        self.folder, self._clock, self._shard = folder, clock, shard
        self._file: IO[bytes] | None = None
        self._count = 0

    def __enter__(self) -> Self:
        """Take up what a kill left."""
        make_folder(self.folder)
        for waiting in sorted(self.folder.glob(".*.part")):
            _take_up(waiting)
        return self

    def __exit__(self, *_: object) -> None:
        self.seal()

    def write(self, row: LedgerRow) -> None:
        """Add a row; it outlives the process from here on."""
        if self._file is None:
            shards = [int(path.stem) for path in self.folder.glob("*.jsonl") if path.stem.isdecimal()]
            self._file = (self.folder / f".{max(shards, default=-1) + 1:06d}.jsonl.part").open("ab")
        at = row.at or datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="seconds")
        stamped = LedgerRow(row.stage, row.key, row.status, row.why, row.attempts, at, row.facts)
        self._file.write(stamped.line().encode("utf-8", "replace") + b"\n")
        self._file.flush()
        self._count += 1
        if self._count >= self._shard:
            self.seal()

    def seal(self) -> None:
        """Give the open shard its name."""
        if self._file is not None:
            self._file.close()
            _take_up(Path(self._file.name))
            self._file, self._count = None, 0

    def rows(self) -> Iterator[LedgerRow]:
        """Yield all rows in the order written, those of the open shard too; what cannot be read is logged."""
        listed = [path.name for path in self.folder.iterdir()] if self.folder.is_dir() else []
        shards = {name.removeprefix(".").removesuffix(".part") for name in listed}
        for shard in sorted(name for name in shards if name.endswith(".jsonl")):
            with self._opened(shard) as file:
                for number, line in enumerate(file, 1):
                    try:
                        yield _row(json.loads(line))
                    except (ValueError, TypeError):
                        if line.endswith(b"\n"):
                            log.warning(
                                "%s, line %d is no row of a ledger and is left out", file.name, number
                            )

    def _opened(self, shard: str) -> IO[bytes]:
        """Return a shard, which another process may give its own name at any moment; an empty one may go."""
        for name in (f".{shard}.part", shard):
            with suppress(FileNotFoundError):
                return (self.folder / name).open("rb")
        return io.BytesIO()


def _row(held: dict[str, Any]) -> LedgerRow:
    """Return a row that was written.

    Raises:
        TypeError: or ValueError, if it is none.
    """
    row = LedgerRow(**held)
    if not (isinstance(row.key, str) and isinstance(row.facts, dict) and isinstance(row.stage, str)):
        raise TypeError("no row of a ledger")
    return row


def _take_up(waiting: Path) -> None:
    """Give a shard its name, without a last line that was cut off; an empty one goes."""
    with waiting.open("r+b") as file:
        whole = file.seek(0, os.SEEK_END)
        while whole and _byte(file, whole - 1) != b"\n":
            whole -= 1
        file.truncate(whole)
        os.fsync(file.fileno())
    if whole:
        waiting.rename(waiting.with_name(waiting.name[1:].removesuffix(".part")))
        fsync(waiting.parent)
    else:
        waiting.unlink()


def _byte(file: IO[bytes], at: int) -> bytes:
    file.seek(at)
    return file.read(1)
