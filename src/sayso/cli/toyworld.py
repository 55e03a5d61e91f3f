"""``sayso toyworld``: draw narrated videos, or tagged pictures, with all their labels known."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from sayso.cli.options import ProgressMode, out_option


def toyworld(
    out: Annotated[Path, out_option("FOLDER", "A new folder.")],
    videos: Annotated[int, typer.Option("--videos", help="Narrated videos to learn from.")] = 200,
    test_clips: Annotated[
        int, typer.Option("--test-clips", help="Clips of the test set, at most 392.")
    ] = 240,
    scenes: Annotated[
        int, typer.Option("--scenes", help="Draw so many tagged pictures instead, a quarter more to test.")
    ] = 0,
    size: Annotated[
        int | None,
        typer.Option("--size", help="Side, pixels.", show_default="64; of pictures 256"),
    ] = None,
    fps: Annotated[int, typer.Option("--fps", help="Frames a second.")] = 10,
    seed: Annotated[int, typer.Option("--seed", help="Of all random numbers.")] = 0,
    lag: Annotated[float, typer.Option("--lag", help="Spread of when a step is named, seconds.")] = 3.0,
    chatter: Annotated[float, typer.Option("--chatter", help="Share of lines about nothing visible.")] = 0.5,
    places: Annotated[
        Literal["step", "task"],
        typer.Option("--places", help="Whether each step, or each task, has a backdrop of its own."),
    ] = "step",
    progress: ProgressMode = "auto",
) -> None:
    """Draw a toy corpus: narrated how-to videos, and a test set of pairs they never show.

    FOLDER/train holds videos with captions beside them, FOLDER/test clips and a manifest with a
    caption for each, FOLDER/truth.json all true labels. With --scenes both hold pictures of several things,
    and a COCO file with their tags and true boxes.

    Examples:

      sayso toyworld --out toy

      sayso toyworld --out scenes --scenes 800

      sayso train mil-nce toy/train --out run --test toy/test/manifest.csv
    """
    from sayso.core.errors import SaysoError
    from sayso.core.progress import reporter
    from sayso.toyworld import Narration, write_corpus

    if scenes:
        _scenes(out, scenes, 256 if size is None else size, seed, progress)
        return
    try:
        narration = Narration(lag_sd_s=lag, chatter=chatter)
    except ValueError as error:
        raise SaysoError(str(error)) from error
    with reporter("drawing", unit="videos", mode=progress) as bar:
        write_corpus(
            out,
            videos=videos,
            seed=seed,
            test_clips=test_clips,
            size=64 if size is None else size,
            fps=fps,
            narration=narration,
            places=places,
            progress=bar,
        )
    print(out)


def _scenes(out: Path, count: int, size: int, seed: int, mode: ProgressMode) -> None:
    from sayso.core.progress import reporter
    from sayso.toyworld import write_scenes

    with reporter("drawing", unit="pictures", mode=mode) as bar:
        write_scenes(out, train=count, test=count // 4, size=size, seed=seed, progress=bar)
    print(out)
