"""Adding to an index, and bringing it up to date: what ``Index.add`` does."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from sayso.core.errors import QueryError
from sayso.core.progress import Progress, Silent
from sayso.data.sources import paths_named
from sayso.index.background import calibrate_index, is_outdated
from sayso.index.belonging import check_model
from sayso.index.cluster import Cluster, read_on_cluster
from sayso.index.generations import drop_superseded
from sayso.index.report import AddReport
from sayso.index.roots import Cut, absolute, read_roots, remembered_paths, save_roots
from sayso.index.schema import SCHEMA_VERSION, Identity
from sayso.index.segments import build_on_cluster
from sayso.index.update import Update
from sayso.index.wanted import list_wanted

if TYPE_CHECKING:
    from sayso.encoders.interface import Encoder
    from sayso.index.store import Store


@dataclass(frozen=True, slots=True)
class Adding:
    """How to add.

    Args:
        cut: how somebody asked for videos to be cut.
        prune: whether files that have vanished from the folders are removed.
        workers: decoding threads; None: one a core.
        progress: what to report to.
        is_held: tells of a file whether it has to wait for another time.
        remember: whether the paths are remembered.
        cluster: where files are read; None: here.

    Raises:
        QueryError: if a window is no length.
    """

    cut: Cut = field(default_factory=Cut)
    prune: bool = False
    workers: int | None = None
    progress: Progress = field(default_factory=Silent)
    is_held: Callable[[str], bool] | None = None
    remember: bool = True
    cluster: Cluster | None = None

    def __post_init__(self) -> None:
        if self.cut.window_s is not None and not self.cut.window_s > 0:
            raise QueryError(f"the window must be longer than 0 seconds; got {self.cut.window_s}")


def add_paths(
    store: Store, paths: Iterable[str], encoder: Callable[[], Encoder], options: Adding
) -> AddReport:
    """Add files and remember what was named; without paths, bring up to date all that is remembered.

    Args:
        store: the index, which is made if there is none.
        paths: files, folders, manifests, ``-`` for a list on stdin.
        encoder: loads the encoder; called only if something has to be read.
        options: how.

    Raises:
        SaysoError: if no paths are given and the index remembers none, or it cannot be written.
        IndexMismatch: if another run made it meanwhile, by another model.
    """
    store.check_free()
    asked, known = list(paths), read_roots(store)
    named = list(paths_named(asked)) if asked else remembered_paths(store)
    places = list(map(absolute, named)) if asked and options.remember else []
    listing = list_wanted(known.named(places, options.cut), named, store.address, options.is_held)
    is_new = not store.exists
    if is_new:
        if not listing.files and listing.failures:
            return AddReport(failures=list(listing.failures), skipped=len(listing.skipped))
        store.create(identity_of(encoder()))
    with store.writing():
        if is_new or not store.exists:  # another run that read nothing may have taken back what there was
            store.create(identity_of(encoder()))
        if is_new:  # another run may have made it meanwhile
            check_model(store, encoder())
        drop_superseded(store)
        known = read_roots(store)
        roots = known.named(places, options.cut)
        if roots != known:
            save_roots(store, roots)
        update = Update(store, named, listing, roots, options.progress)
        if options.cluster is None:
            report = update.run(encoder, workers=options.workers, prune=options.prune)
            if is_new and report.failures and store.holds_nothing and read_roots(store) == roots:
                store.take_back()  # no index is made of nothing
                return report
            calibrate_after(store, encoder, report)
        else:
            update.begin()
    if options.cluster is not None:  # only commits hold the lock
        jobs = update.plan()
        with store.writing():
            jobs += update.note()
        read_on_cluster(update, jobs, options.cluster)
        with store.writing():
            ahead = partial(build_on_cluster, cluster=options.cluster)
            report = update.end(prune=options.prune, ahead=ahead)
            calibrate_after(store, encoder, report)
    report.absent = () if asked else tuple(row.path for row in roots.wanted if not row.is_there)
    return report


def calibrate_after(store: Store, encoder: Callable[[], Encoder], report: AddReport) -> None:
    """Measure an index anew after a run that changed it, or after one that was killed before it did so.

    Args:
        store: the index, whose lock the caller holds.
        encoder: loads the encoder; called only if the index keeps no background.
        report: of the run.
    """
    if report.clips or report.removed or is_outdated(store):
        calibrate_index(store, encoder)


def identity_of(encoder: Encoder) -> Identity:
    """Return what an index that an encoder makes now says of itself."""
    return Identity(
        schema=SCHEMA_VERSION,
        model=encoder.name,
        model_sha256=encoder.sha256,
        dim=encoder.dim,
        normalised=encoder.similarity == "cosine",
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
