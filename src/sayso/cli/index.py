"""``sayso index``: make a collection searchable, or bring it up to date."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sayso.cli.exit_codes import SOME_FAILED
from sayso.cli.options import Device, Json, Model, ProgressMode

if TYPE_CHECKING:
    from sayso.index import AddReport, Failure

SHOWN_FAILURES = 10


def index(
    paths: Annotated[
        list[str],
        typer.Argument(help="Files, folders, manifests (.csv, .jsonl, .parquet), or - for a list on stdin."),
    ],
    where: Annotated[
        str, typer.Option("--index", "-i", help="The index: a folder, or s3://bucket/name.")
    ] = "sayso.index",
    model: Model = None,
    window: Annotated[
        float, typer.Option("--window", min=0.1, help="Length of the clips a video is cut into, seconds.")
    ] = 4.0,
    clips: Annotated[str, typer.Option(help="How videos are cut: 'window' or 'caption'.")] = "window",
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
) -> None:
    """Make videos and pictures searchable; run it again to bring the index up to date.

    Files that did not change are not read again. What cannot be read is listed in
    failures.jsonl (which can be given as a PATH to try again), and the exit code is 3.

    Examples:

      sayso index ~/Videos ~/Pictures --index my.index

      find . -name '*.mp4' | sayso index - --index my.index
    """
    from sayso.core.progress import reporter
    from sayso.index import Index

    if clips not in ("window", "caption"):
        raise typer.BadParameter("is 'window' or 'caption'", param_hint="--clips")
    collection = Index.open(where, model, device=device)
    with reporter("indexing", mode=progress) as bar:
        report = collection.add(
            *paths,
            window_s=window,
            by_caption=clips == "caption",
            prune=prune,
            workers=workers,
            progress=bar,
        )
    listed = _write_failures(report.failures, failures or _default_list(collection.store.where))
    _print_report(report, where, listed, as_json)
    if report.failures:
        raise typer.Exit(SOME_FAILED)


def _default_list(where: str) -> Path:
    return Path("failures.jsonl") if "://" in where else Path(where) / "failures.jsonl"


def _write_failures(failures: list[Failure], path: Path) -> Path:
    """Write one JSON object a failure, or remove the list of an earlier run."""
    if failures:
        lines = [json.dumps(failure.to_dict(), ensure_ascii=False) for failure in failures]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    else:
        path.unlink(missing_ok=True)
    return path


def _print_report(report: AddReport, where: str, listed: Path, as_json: bool) -> None:
    counts = {
        name: getattr(report, name)
        for name in ("found", "added", "replaced", "unchanged", "moved", "removed", "clips")
    }
    if as_json:
        print(json.dumps({"index": where, **counts, "failed": len(report.failures)}))
    else:
        parts = [
            f"{counts[name]} {name}"
            for name in ("added", "replaced", "unchanged", "moved", "removed")
            if counts[name]
        ]
        print(
            f"{where}: {report.found} files: {', '.join(parts) or 'nothing to do'}; {report.clips} new clips"
        )
    for failure in report.failures[:SHOWN_FAILURES]:
        print(f"failed: {failure.to_dict()['error']}", file=sys.stderr)
    if report.failures:
        rest = len(report.failures) - SHOWN_FAILURES
        more = f"and {rest} more; " if rest > 0 else ""
        print(f"{len(report.failures)} could not be read; {more}the list is in {listed}", file=sys.stderr)
