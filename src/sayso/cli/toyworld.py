"""``sayso toyworld``: draw narrated videos of which everything is known."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from sayso.cli.options import ProgressMode

Places = Literal["step", "task"]


def toyworld(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A new folder.")],
    videos: Annotated[int, typer.Option("--videos", help="Narrated videos to learn from.")] = 200,
    clips: Annotated[int, typer.Option("--clips", help="Clips of the test set, at most 392.")] = 240,
    size: Annotated[int, typer.Option("--size", help="Side of the videos, pixels.")] = 64,
    fps: Annotated[int, typer.Option("--fps", help="Frames a second.")] = 10,
    seed: Annotated[int, typer.Option("--seed", help="Of all chance.")] = 0,
    lag: Annotated[float, typer.Option("--lag", help="Spread of when a step is named, seconds.")] = 3.0,
    chatter: Annotated[float, typer.Option("--chatter", help="Share of lines about nothing visible.")] = 0.5,
    places: Annotated[
        Places, typer.Option("--places", help="What each step, or each task, has its own of.")
    ] = "step",
    progress: ProgressMode = "auto",
) -> None:
    """Draw a toy corpus: narrated how-to videos, and a test set of pairs they never show.

    OUT/train holds videos with captions beside them, OUT/test clips and a manifest with a caption
    for each, OUT/truth.json all that is known.

    Examples:

      sayso toyworld toy

      sayso train mil-nce toy/train --out run --test toy/test/manifest.csv
    """
    from sayso.core.errors import SaysoError
    from sayso.core.progress import reporter
    from sayso.toyworld import Narration, write_corpus

    try:
        narration = Narration(lag_sd_s=lag, chatter=chatter)
    except ValueError as error:
        raise SaysoError(str(error)) from error
    with reporter("drawing", unit="videos", mode=progress) as bar:
        write_corpus(
            out,
            videos=videos,
            seed=seed,
            test_clips=clips,
            size=size,
            fps=fps,
            narration=narration,
            places=places,
            progress=bar,
        )
    print(out)
