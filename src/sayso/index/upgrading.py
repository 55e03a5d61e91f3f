"""Another model for an index: all is embedded anew beside what is there, then one commit switches.

Until then searches answer from the old tables, and files may be added to them. A run that was killed goes on
where it was; nothing of an index is lost, since the switch is refused while a file of the old tables is
missing in the new ones.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sayso.core.errors import SaysoError
from sayso.core.progress import Silent
from sayso.index.adding import Adding, calibrate_after, identity_of
from sayso.index.generations import drop_generation, switch_generation
from sayso.index.report import AddReport
from sayso.index.roots import read_roots, remembered_paths
from sayso.index.schema import Record
from sayso.index.store import Store
from sayso.index.update import Update
from sayso.index.wanted import list_wanted

if TYPE_CHECKING:
    from sayso.encoders.interface import Encoder


@dataclass(frozen=True, slots=True)
class Pending:
    """A change of the model that is under way.

    Args:
        model: the new one.
        files: how many are embedded with it.
    """

    model: str
    files: int


def next_tables(store: Store) -> Store:
    """Return the tables that a change of the model writes."""
    return Store(store.address, store.generation + 1)


def pending_upgrade(store: Store) -> Pending | None:
    """Return what change of the model has been begun and is not finished."""
    new = next_tables(store)
    return Pending(new.identity.model, new.media.count_rows()) if new.exists else None


def upgrade_model(store: Store, encoder: Encoder, options: Adding) -> AddReport:
    """Embed all that an index remembers with another model, and switch to it.

    Args:
        store: the index.
        encoder: the new model.
        options: how; with ``prune`` files that are gone are left out, else they keep the old model in place.

    Raises:
        SaysoError: if the index remembers nothing, or a file of it could not be embedded anew.
    """
    paths = remembered_paths(store)
    new = next_tables(store)
    with new.writing():
        store.check_counting()
        if encoder.sha256 == store.identity.model_sha256:
            drop_generation(store, new.generation)
            return AddReport()
        if new.exists and new.identity.model_sha256 != encoder.sha256:
            drop_generation(store, new.generation)
            new = next_tables(store)
        if not new.exists:
            new.create(identity_of(encoder))
        report = _bring_up(new, paths, encoder, options)
        with store.writing():  # what was added meanwhile
            options.progress.update(report.files, report.files, "looking for what came meanwhile")
            last = _bring_up(new, paths, encoder, replace(options, progress=Silent()))
            held = store.records()
            new.remove(_removed_meanwhile(new, held, paths))
            missing = _missing(held, new.records())
            if missing and not options.prune:
                raise SaysoError(_refusal(store, missing))
            switch_generation(store, new.generation)
    report.clips += last.clips
    report.failures, report.removed = last.failures, len(missing)
    return report


def _bring_up(new: Store, paths: list[str], encoder: Encoder, options: Adding) -> AddReport:
    """Embed what the new tables lack."""
    roots = read_roots(new)
    listing = list_wanted(roots, paths, new.address)
    update = Update(new, paths, listing, roots, options.progress)
    report = update.run(lambda: encoder, workers=options.workers, prune=True)
    calibrate_after(new, lambda: encoder, report)
    return report


def _removed_meanwhile(new: Store, held: dict[str, Record], paths: list[str]) -> dict[str, Record]:
    """Return what the new tables hold and nobody wants any more."""
    wanted = {file.path for file in list_wanted(read_roots(new), paths, new.address).files}
    return {path: row for path, row in new.records().items() if path not in wanted and path not in held}


def _missing(old: dict[str, Record], new: dict[str, Record]) -> list[str]:
    """Return the files that only the old tables hold, under whatever name."""
    contents = {record.content for record in new.values()}
    return [path for path, record in old.items() if path not in new and record.content not in contents]


def _refusal(store: Store, missing: list[str]) -> str:
    count = f"{len(missing):,} of its files" if len(missing) > 1 else "one of its files"
    return (
        f"the index {store.address} keeps its model {store.identity.model}: {count} cannot be read now "
        f"({missing[0]}); bring it back (a drive that is not mounted?) and run this again, or add --prune to "
        "leave out what is gone"
    )
