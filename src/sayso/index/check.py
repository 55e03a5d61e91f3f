"""Whether an index is as it was written: file by file, and by reading all of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from sayso.core.errors import SaysoError
from sayso.core.io import sha256_of
from sayso.core.panic import panics_as_errors
from sayso.core.progress import Progress, Silent
from sayso.index.checksums import CHECKSUMS, Checksums, is_current, read_checksums
from sayso.index.schema import BACKGROUND_TABLE, CLIPS_TABLE, MEDIA_TABLE

if TYPE_CHECKING:
    from sayso.index.store import Store


MEASURED_ANEW = "background"
"""A table that no search needs: what it keeps is measured where it is not there."""


@dataclass(frozen=True, slots=True)
class Damage:
    """Something that is wrong with an index.

    Args:
        name: of the file or the table.
        what: is wrong with it.
    """

    name: str
    what: str

    @property
    def of_structures(self) -> bool:
        """Whether only what makes searching fast is damaged, which is made anew from the rows."""
        return "/_indices/" in self.name


def refuse_damaged(store: Store) -> None:
    """Look at opening whether the files of an index are there and as long as they were.

    Raises:
        SaysoError: if not; it says how the index is repaired.
    """
    record = None if store.remote else read_checksums(store.address)
    found = missing_files(store.address, record) if record is not None and record.settled else []
    found = [damage for damage in found if not damage.name.startswith(MEASURED_ANEW)]
    if found and read_checksums(store.address) == record:  # else somebody has begun to write
        address = quote(store.address)
        raise SaysoError(
            f"the index {store.address} is damaged: {found[0].name} {found[0].what}; "
            f"to make it whole run: sayso index {address} --repair"
        )


def missing_files(address: str, record: Checksums) -> list[Damage]:
    """Return the files that are gone, where all must be there, or have another length."""
    found, current = [], is_current(address, record)
    for name, (size, _) in record.files.items():
        try:
            now = Path(address, name).stat().st_size
        except OSError:
            if current:
                found.append(Damage(name, "is gone"))
            continue
        if now != size:
            found.append(Damage(name, f"has {now:,} bytes, and had {size:,}"))
    return found


def check_index(store: Store, progress: Progress | None = None) -> list[Damage]:
    """Compare every file of an index with what was written, and read every row and every structure.

    Args:
        store: the index.
        progress: what to report to.

    Returns:
        What is wrong; nothing where all is well.
    """
    progress = progress or Silent()
    record = None if store.remote else read_checksums(store.address)
    found: list[Damage] = []
    if record is not None:
        found += missing_files(store.address, record)
        wrong = {damage.name for damage in found}
        for k, (name, (_, digest)) in enumerate(record.files.items()):
            progress.update(k, len(record.files), name)
            path = Path(store.address, name)
            if name not in wrong and path.exists() and sha256_of(path) != digest:
                found.append(Damage(name, "holds other bytes than were written"))
    elif not store.remote and Path(store.address, CHECKSUMS).exists():
        found.append(Damage(CHECKSUMS, "is damaged"))
    return found or _check_rows(store)


def _check_rows(store: Store) -> list[Damage]:
    """Read everything, as far as it can be read."""
    found = []
    counts: list[dict[str, int]] = []
    for name, column in ((CLIPS_TABLE, "media_id"), (MEDIA_TABLE, "media_id"), (BACKGROUND_TABLE, "numbers")):
        try:
            with panics_as_errors():
                table = store.table(store.named(name))
                if table is None:
                    if name != BACKGROUND_TABLE:
                        found.append(Damage(name, "is gone"))
                    continue
                counts.append(_read_all(table, column))
        except Exception as error:  # noqa: BLE001  LanceDB raises whatever it meets
            said = " ".join(str(error).split()).partition(", /")[0]  # behind it a place in Lance's sources
            found.append(Damage(name, f"cannot be read: {said[:160]}"))
    if not found:
        found += _check_counts(store, counts[0])
        found += _check_words(store)
    return found


def _read_all(table: Any, column: str) -> dict[str, int]:
    """Read all columns of a table; return how often each value of one of them is there."""
    values: Counter[str] = Counter()
    for batch in table.search().to_batches():
        batch.validate(full=True)
        values.update(batch.column(column).to_pylist())
    return values


def _check_counts(store: Store, held: dict[str, int]) -> list[Damage]:
    rows = store.media.search().select(["path", "media_id", "clips"]).to_arrow().to_pylist()
    short = [row["path"] for row in rows if held.get(row["media_id"], 0) != row["clips"]]
    return [Damage("clips", f"lacks moments of {path}") for path in short]


def _check_words(store: Store) -> list[Damage]:
    from sayso.index.search import search_words

    found = []
    for column in store.text_columns:
        try:
            with panics_as_errors():
                search_words(store, "word", column, 10, None, None)
        except Exception as error:  # noqa: BLE001
            why = " ".join(str(error).split())[:160]
            found.append(Damage(f"clips/_indices/{column}", f"cannot be read: {why}"))
    return found
