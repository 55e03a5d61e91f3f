"""What was measured of a corpus, in files of some thousand pictures: the work that a kill must not lose.

A part is whole or not there, and says of which listed records it was made; a part whose records are listed
otherwise now is made anew, and so are those after it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sayso.core.io import atomic_file
from sayso.core.ownership import RECORD
from sayso.data.listed_picture import ListedPicture
from sayso.data.problems import RecordProblem

if TYPE_CHECKING:
    import pyarrow as pa

PART = 4096
_MADE_OF = b"sayso.listing"
_OURS = re.compile(r"part-\d{6}\.parquet|plan\.json|count-.*|\.(part-\d{6}\.parquet|plan\.json)\..*\.part")
Listed = ListedPicture | RecordProblem
Row = dict[str, Any]


def schema() -> pa.Schema:
    """Return the columns of a pair: where it lies, what was measured, and the rule that dropped it."""
    import pyarrow as pa

    kinds = {
        pa.string(): ("path", "key", "text", "url", "near", "dropped_by", "why"),
        pa.int64(): ("offset", "size", "content", "count"),
        pa.int32(): ("width", "height", "original_width", "original_height"),
        pa.float32(): ("score",),
    }
    return pa.schema([(name, kind) for kind, names in kinds.items() for name in names])


class Parts:
    """The parts of one run, in a folder.

    Args:
        folder: of this command's own.
        plan: everything that decides what is in the parts; those of another plan are deleted.
    """

    def __init__(self, folder: Path, plan: dict[str, Any]) -> None:
        self.folder = folder
        self._plan = json.dumps(plan, sort_keys=True)
        if not (folder / "plan.json").is_file() or (folder / "plan.json").read_text("utf-8") != self._plan:
            self.clear()
            with atomic_file(folder / "plan.json", guarded=False) as file:
                file.write(self._plan.encode())

    def resume(self, listed: Iterator[Listed]) -> Iterator[tuple[int, list[Listed]]]:
        """Yield the number and the records of each part that is still to be made.

        Args:
            listed: all records, from the first.
        """
        number, standing = 0, True
        for records in _blocks(listed, PART):
            made = self.path(number)
            standing = standing and made.is_file() and _made_of(made) == _digest(records)
            if not standing:
                yield number, records
            number += 1
        for path in self.folder.glob("part-*.parquet"):
            if int(path.stem[5:]) >= number:
                path.unlink()

    def write(self, number: int, records: Sequence[Listed], rows: list[Row]) -> None:
        """Write a part.

        Args:
            number: which.
            records: what it was made of.
            rows: its pairs.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        marked = schema().with_metadata({_MADE_OF: _digest(records)})
        with atomic_file(self.path(number), guarded=False) as file:
            pq.write_table(pa.Table.from_pylist(rows, schema=marked), file)

    def batches(self, columns: list[str] | None = None) -> Iterator[pa.Table]:
        """Yield the tables of the parts in order.

        Args:
            columns: which columns; all unless given.
        """
        import pyarrow.parquet as pq

        number = 0
        while (path := self.path(number)).is_file():
            yield pq.read_table(path, columns=columns)
            number += 1

    def path(self, number: int) -> Path:
        """Return the file of a part."""
        return self.folder / f"part-{number:06d}.parquet"

    def clear(self) -> None:
        """Delete what is there of this or another plan, and nothing else."""
        for path in self.folder.iterdir():
            if _OURS.fullmatch(path.name) and path.is_dir():
                for inside in path.iterdir():
                    inside.unlink()
                path.rmdir()
            elif _OURS.fullmatch(path.name):
                path.unlink()

    def remove(self) -> None:
        """Delete the parts, and the folder if nothing else is in it."""
        self.clear()
        if all(path.name == RECORD for path in self.folder.iterdir()):
            (self.folder / RECORD).unlink(missing_ok=True)
            self.folder.rmdir()


def _blocks(listed: Iterator[Listed], size: int) -> Iterator[list[Listed]]:
    block: list[Listed] = []
    for one in listed:
        block.append(one)
        if len(block) == size:
            yield block
            block = []
    if block:
        yield block


def _made_of(path: Path) -> bytes:
    """Return what a part says it was made of; nothing if it cannot be read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return bytes((pq.read_schema(path).metadata or {}).get(_MADE_OF, b""))
    except (OSError, pa.ArrowInvalid):
        return b""


def _digest(records: Iterable[Listed]) -> bytes:
    """Return a digest of listed records, and of when the files that hold them were changed."""
    digest = hashlib.blake2b(digest_size=16)
    stamps: dict[str, str] = {}
    for one in records:
        digest.update(repr(one).encode("utf-8", "surrogateescape"))
        if isinstance(one, ListedPicture):
            if one.path not in stamps:
                stamps[one.path] = _stamp(one.path)
            digest.update(stamps[one.path].encode())
    return digest.hexdigest().encode()


def _stamp(path: str) -> str:
    try:
        status = os.stat(path)  # noqa: PTH116
    except OSError:
        return ""
    return f"{status.st_size} {status.st_mtime_ns}"
