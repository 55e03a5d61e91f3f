"""``sayso sample``: a folder to try every command on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from sayso.cli.options import ProgressMode
from sayso.cli.output import print_lines
from sayso.core.progress import reporter

Folder = Annotated[
    Path, Argument(metavar="DIR", help="A new folder, or that of an earlier run.", show_default=False)
]


def sample(
    folder: Folder,
    seed: Annotated[int, Option("--seed", help="Of all random numbers.")] = 0,
    progress: ProgressMode = "auto",
) -> None:
    """Draw a folder to try every command on: a film, how-to videos, pictures. Nothing is downloaded.

    The film, under a minute long, has a screenplay, subtitles and face tracks; the how-to videos are of one
    task and have captions; pictures have tags, or captions. DIR/README.txt has the commands to run there.
    Run it again to get back what was deleted; nothing is written over.

    Example:

      sayso sample my.sample
    """
    from sayso.toyworld import write_sample

    with reporter("drawing", unit="files", mode=progress) as bar:
        write_sample(folder, seed=seed, progress=bar)
    print_lines([str(folder / "README.txt")])
