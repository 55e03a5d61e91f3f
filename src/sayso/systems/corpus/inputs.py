"""What a corpus begins with: its list of tasks, and where to search for them."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from sayso.core.errors import SaysoError
from sayso.core.io import write_atomic
from sayso.core.ownership import claim_folder, writing_as
from sayso.core.progress import Progress
from sayso.data.csv_rows import csv_rows
from sayso.systems.corpus.catalogue import Catalogue
from sayso.systems.corpus.limits import HostLimits
from sayso.systems.corpus.site_search import SiteSearch
from sayso.systems.corpus.source import SearchSource
from sayso.systems.corpus.tasks import COLUMNS, THRESHOLD, YES, score_tasks, unreadable, write_tasks
from sayso.systems.corpus.web import Web
from sayso.systems.corpus.youtube import YtDlp

VERB = "corpus"
TASKS = "tasks.csv"
_SCORED = "tasks.sha256"  # of what tasks.csv was made


def prepare_tasks(
    titles: Sequence[str],
    folder: Path,
    *,
    threshold: float = THRESHOLD,
    corrections: Mapping[str, bool] | None = None,
    progress: Progress | None = None,
) -> None:
    """Write a corpus's ``tasks.csv``, unless it was made of the same; a person's edits of it stay.

    Args:
        titles: of tasks.
        folder: the corpus.
        threshold: from which score a task can be seen.
        corrections: what a person says of titles.
        progress: what to report to.

    Raises:
        SaysoError: if it is to be made of other titles, and was edited.
    """
    made_of = [list(titles), threshold, sorted((corrections or {}).items())]
    digest = hashlib.sha256(json.dumps(made_of).encode()).hexdigest()
    with writing_as(VERB):
        claim_folder(folder, VERB)
        note = folder / _SCORED
        if (folder / TASKS).is_file() and note.is_file() and note.read_text(encoding="utf-8") == digest:
            return
        scored = score_tasks(titles, threshold=threshold, corrections=corrections, progress=progress)
        write_tasks(folder / TASKS, scored)
        write_atomic(note, digest, guarded=False)


def take_tasks(tasks: Path, folder: Path) -> None:
    """Copy a list of tasks into a corpus.

    Args:
        tasks: as ``sayso corpus tasks`` writes it.
        folder: the corpus.

    Raises:
        SaysoError: if it is no such list.
    """
    if not read_task_list(tasks, missing=False):
        raise SaysoError(
            f"{tasks} lists no tasks; write them with: sayso corpus tasks TITLES --out {tasks.name}"
        )
    with writing_as(VERB):
        claim_folder(folder, VERB)
        ours, said = folder / TASKS, tasks.read_bytes()
        if not ours.is_file() or ours.read_bytes() != said:
            write_atomic(ours, said)
            (folder / _SCORED).unlink(missing_ok=True)  # they are made of no titles any more


def read_task_list(path: Path, *, missing: bool = True) -> list[tuple[int, str, bool]]:
    """Return number, title and whether it can be seen, of each task; none if the list is not there.

    Args:
        path: as ``write_tasks`` writes it, edited perhaps.
        missing: whether it need not be there.

    Raises:
        SaysoError: if it cannot be read.
    """
    if missing and not path.is_file():
        return []
    try:
        rows = [row for _, row in csv_rows(path, COLUMNS)]
        return [
            (k, row["title"] or "", (row["visual"] or "").strip().lower() in YES)
            for k, row in enumerate(rows)
        ]
    except KeyError as error:
        raise SaysoError(f"{path} cannot be read as a list of tasks: it has no column {error}") from error
    except (OSError, ValueError, csv.Error) as error:
        raise unreadable(path, "a list of tasks", error) from error


def open_source(source: str, limits: HostLimits, *, listed: bool = False) -> SearchSource:
    """Return the source that a person names.

    Args:
        source: ``youtube``, a catalogue's path, or the address of a site's search with ``{query}``.
        limits: of the hosts.
        listed: whether it must list videos by itself.

    Raises:
        SaysoError: if there is none, or it only answers searches.
    """
    if (source == "youtube" or "://" in source) and listed:
        raise SaysoError(
            f"{source} has to be searched; give titles, or --source with a file that lists videos"
        )
    if source == "youtube":
        return YtDlp(Web(limits))
    if "://" in source:
        return SiteSearch(source, Web(limits))
    return Catalogue(Path(source).expanduser())
