"""``sayso watch``: keep an index up to date while files come and go."""

from __future__ import annotations

import signal
import sys
import time
from typing import TYPE_CHECKING, Annotated

from typer import Option

from sayso.cli.options import Device, IndexAddress, Json, ProgressMode
from sayso.core.progress import reporter

if TYPE_CHECKING:
    from sayso.index.report import AddReport

PRUNE = "Remove files that have vanished from the folders."


def watch(
    address: IndexAddress,
    prune: Annotated[bool, Option("--prune", help=PRUNE)] = False,
    workers: Annotated[
        int | None, Option("--workers", min=1, help="Decoding threads.", show_default="one a core")
    ] = None,
    device: Device = "auto",
    progress: ProgressMode = "auto",
    as_json: Json = False,
) -> None:
    """Keep an index up to date with what was named (sayso roots), until Ctrl-C.

    It begins by looking through everything, so that nothing is missed. A file that is still being
    written waits until it is whole; a drive that is mounted later is looked at then.

    Examples:

      sayso watch my.index

      sayso watch my.index --prune --json >> watch.log
    """
    from sayso.cli.output import print_notes
    from sayso.index import Index
    from sayso.index.adding import Adding
    from sayso.index.inventory import list_held_roots
    from sayso.index.watching import Watch

    index = Index.open(address, create=False, device=device)
    told = _Told(as_json)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    for held in list_held_roots(index.store):
        if held.root.kind != "left out":
            gone = "" if held.exists else " (not there now)"
            print_notes(f"watching {held.root.path}{gone}")
    try:
        with reporter("indexing", mode=progress) as bar:
            Watch(index, Adding(prune=prune, workers=workers, progress=bar), told).run()
    except KeyboardInterrupt:
        print("sayso: watching ended; the index is whole", file=sys.stderr)


class _Told:
    """Prints what was done, what failed for the first time, and what waits."""

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self._failed: set[tuple[str, str]] = set()
        self._before = (0, 0)

    def __call__(self, report: AddReport, waiting: int) -> None:
        from sayso.cli.output import CHANGES, print_json, print_notes, report_counts
        from sayso.core.counted import counted

        counts = report_counts(report)
        new = [one for one in report.failures if (one.path, one.error) not in self._failed]
        self._failed |= {(one.path, one.error) for one in new}
        done = {name: counts[name] for name in (*CHANGES, "clips") if counts[name] and name != "unchanged"}
        missing = 0 if waiting else counts["vanished"]  # what waits may be what is missing, renamed
        others = {"vanished": missing, "waiting": waiting}
        if not (done or new or self._before != (missing, waiting)):
            return
        self._before = (missing, waiting)
        now = time.strftime("%Y-%m-%d %H:%M:%S")
        if self._as_json:
            print_json({"time": now, **counts, "waiting": waiting, "failures": [f.to_dict() for f in new]})
        else:
            named = {"waiting": "still being written"}
            facts = {**done, **{name: count for name, count in others.items() if count}}
            parts = [
                counted(count, "new clip") if name == "clips" else f"{count:,} {named.get(name, name)}"
                for name, count in facts.items()
            ]
            print("  ".join([now, ", ".join(parts) or "nothing waits, nothing is missing"]))
            print_notes(*(f"failed: {failure.to_dict()['error']}" for failure in new))
        sys.stdout.flush()
