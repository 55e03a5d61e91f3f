"""What an index's files were when it was last written: their sizes and digests, and what it says of itself.

LanceDB never changes a file once it is written, so a file whose digest is another one is damaged. While
somebody writes, files may go as well; then only what is there is compared. An object store keeps checksums of
its own, and has no such record.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sayso.core.errors import SaysoError
from sayso.core.io import sha256_of, write_atomic
from sayso.index.schema import OF_A_GENERATION, OF_ALL, name_in

if TYPE_CHECKING:
    from sayso.index.tables import Tables

CHECKSUMS = "checksums.json"
ASIDE = ".damaged"
"""Ends the name of a damaged file while an index is repaired."""


@dataclass(frozen=True, slots=True)
class Checksums:
    """The record.

    Args:
        settled: whether nobody was writing, so that every file must be there.
        generation: of the tables.
        identity: what the index said of itself.
        roots: what it remembered.
        files: size and SHA-256 of each file, by its path in the index.
    """

    settled: bool
    generation: int
    identity: Mapping[str, Any] = field(default_factory=dict)
    roots: list[dict[str, Any]] = field(default_factory=list)
    files: Mapping[str, tuple[int, str]] = field(default_factory=dict)


def read_checksums(address: str) -> Checksums | None:
    """Return the record of an index; None where there is none that can be used."""
    try:
        held = json.loads(Path(address, CHECKSUMS).read_bytes())
        if held.pop("sha256") != _digest(held):
            return None
        files = {
            name: (int(size), str(digest))
            for name, (size, digest) in held.pop("files").items()
            if _stays(Path(name))
        }
        return Checksums(**held, files=files)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def write_checksums(address: str, record: Checksums) -> None:
    """Keep a record.

    Args:
        address: the folder of the index.
        record: in place of the one that was kept.
    """
    held = asdict(record)
    held["sha256"] = _digest(held)
    write_atomic(Path(address, CHECKSUMS), json.dumps(held), guarded=False)


def _digest(held: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(held, sort_keys=True).encode()).hexdigest()


def table_files(address: str, generation: int) -> Iterator[Path]:
    """Give the files of the tables that count."""
    named = (name_in(generation, name) for name in OF_A_GENERATION)
    for name in (*named, *OF_ALL):
        inside = Path(address, f"{name}.lance").rglob("*")
        yield from (path for path in inside if _stays(path) and path.is_file())


def _stays(path: Path) -> bool:
    """Tell whether a file is never written over: hints of versions are, and hidden files come and go."""
    return not path.name.startswith(".") and path.suffix not in (".json", ASIDE)


def is_current(address: str, record: Checksums) -> bool:
    """Tell whether a record is of all that an index holds: nobody, of whatever version, wrote since."""
    there = (path for path in table_files(address, record.generation) if path.suffix == ".manifest")
    return record.settled and all(path.relative_to(address).as_posix() in record.files for path in there)


def newest_version(record: Checksums, table: str) -> str | None:
    """Return the file that says what the newest version of a table holds; Lance counts names down."""
    return min((name for name in record.files if name.startswith(f"{table}.lance/_versions/")), default=None)


@contextlib.contextmanager
def unsettled(store: Tables) -> Iterator[None]:
    """Say in the record that somebody writes, and bring it up to date when that is done.

    Args:
        store: the index, whose lock the caller holds.
    """
    held = read_checksums(store.address) if not store.remote else None
    if held is not None and held.settled:
        write_checksums(store.address, _as(held, settled=False))
    yield
    if not store.remote:
        with contextlib.suppress(SaysoError):  # a full disk: what is written counts without it
            settle(type(store)(store.address), held)


def _as(record: Checksums, *, settled: bool) -> Checksums:
    return Checksums(settled, record.generation, record.identity, record.roots, record.files)


def settle(store: Tables, held: Checksums | None) -> None:
    """Write the record of an index that nobody writes to any more.

    Args:
        store: the tables of the index that count now.
        held: the record before: files that are in it are not read again, lest damage be taken for whole.
    """
    if not store.exists:
        return
    address = store.address
    known = held.files if held is not None else {}
    files = {}
    for path in table_files(address, store.generation):
        name = path.relative_to(address).as_posix()
        with contextlib.suppress(OSError):  # cleaned up just now
            files[name] = known[name] if name in known else _measured(path)
    table = store.table("roots")
    roots = table.search().to_arrow().to_pylist() if table is not None else []
    write_checksums(address, Checksums(True, store.generation, asdict(store.identity), roots, files))


def _measured(path: Path) -> tuple[int, str]:
    return path.stat().st_size, sha256_of(path)
