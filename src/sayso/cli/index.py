"""``sayso index``: make a collection searchable, or bring it up to date."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from sayso.cli.exit_codes import SOME_FAILED
from sayso.cli.options import Device, IndexAddress, Json, Model, Overwrite, ProgressMode
from sayso.core.io import write_atomic
from sayso.core.ownership import refuse_foreign, remove_own

if TYPE_CHECKING:
    from sayso.index import AddReport, Failure

SHOWN_FAILURES = 10

Segments = Literal["window", "caption"]


def index(
    address: IndexAddress,
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PATH...",
            help="Files, folders, manifests (.csv, .jsonl, .parquet), or - for a list on stdin.",
            show_default=False,
        ),
    ] = None,
    model: Model = None,
    window: Annotated[
        float, typer.Option("--window", min=0.1, help="Length of the clips a video is cut into, seconds.")
    ] = 4.0,
    segments: Annotated[
        Segments, typer.Option("--segments", help="Cut videos into windows, or one clip a caption.")
    ] = "window",
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove files that have vanished from the given folders.")
    ] = False,
    failures: Annotated[
        Path | None,
        typer.Option("--failures", help="Where failures are listed.", show_default="INDEX/failures.jsonl"),
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Decoding threads.", show_default="one a core")
    ] = None,
    device: Device = "auto",
    progress: ProgressMode = "auto",
    as_json: Json = False,
    overwrite: Overwrite = False,  # noqa: ARG001  handled by cli.verb
) -> None:
    """Make videos and pictures searchable; run it again to bring the index up to date.

    Files that did not change are not read again. What cannot be read is listed in
    failures.jsonl (which can be given as a PATH to try again), and the exit code is 3.

    Examples:

      sayso index my.index ~/Videos ~/Pictures

      find . -name '*.mp4' | sayso index my.index -
    """
    from sayso.core.progress import reporter
    from sayso.index import Index

    if address == "-" or not paths:
        what = "-" if address == "-" else address if Path(address).exists() else "~/Videos"
        raise typer.BadParameter(
            f"the index comes first, then what to add, such as: sayso index my.index {what}",
            param_hint="INDEX PATH...",
        )
    collection = Index.open(address, model, device=device)
    list_path = failures or _default_list(collection.store.address)
    refuse_foreign(list_path, of_input=True)
    with reporter("indexing", mode=progress) as bar:
        report = collection.add(
            *paths,
            window_s=window,
            by_caption=segments == "caption",
            prune=prune,
            workers=workers,
            progress=bar,
        )
    listed = _write_failures(report.failures, list_path)
    _print_report(report, address, listed, as_json)
    if report.failures:
        raise typer.Exit(SOME_FAILED)


def _default_list(address: str) -> Path:
    return Path("failures.jsonl") if "://" in address else Path(address) / "failures.jsonl"


def _write_failures(failures: list[Failure], path: Path) -> Path:
    """Write one JSON object a failure, or remove the list of an earlier run."""
    if failures:
        lines = [json.dumps(failure.to_dict(), ensure_ascii=False) for failure in failures]
        write_atomic(path, "\n".join(lines) + "\n", of_input=True)
    else:
        remove_own(path, of_input=True)
    return path


def _print_report(report: AddReport, address: str, listed: Path, as_json: bool) -> None:
    counts = {
        name: getattr(report, name)
        for name in ("files", "added", "replaced", "unchanged", "moved", "removed", "clips")
    }
    if as_json:
        print(json.dumps({"index": address, **counts, "failed": len(report.failures)}))
    else:
        parts = [
            f"{counts[name]} {name}"
            for name in ("added", "replaced", "unchanged", "moved", "removed")
            if counts[name]
        ]
        changes = ", ".join(parts) or "nothing to do"
        print(f"{address}: {report.files} files: {changes}; {report.clips} new clips")
    for failure in report.failures[:SHOWN_FAILURES]:
        print(f"failed: {failure.to_dict()['error']}", file=sys.stderr)
    if report.failures:
        rest = len(report.failures) - SHOWN_FAILURES
        more = f"and {rest} more; " if rest > 0 else ""
        print(f"{len(report.failures)} could not be read; {more}the list is in {listed}", file=sys.stderr)
