"""``sayso toyworld``: draw narrated videos, or tagged pictures, with all their labels known."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

from typer import BadParameter, Option

from sayso.cli.options import ProgressMode, out_option
from sayso.cli.output import print_lines
from sayso.core.progress import reporter

SCENES = "Draw so many tagged pictures instead, a quarter more to test."
CAPTIONS = "With --scenes: captions instead of tags, and a zero-shot test of kinds never seen."
Size = Annotated[
    int | None, Option("--size", help="Side, pixels.", show_default="64; of tagged pictures 256")
]
PLACES = "Whether each step, or each task, has a backdrop of its own."


def toyworld(
    out: Annotated[Path, out_option("FOLDER", "A new folder.")],
    videos: Annotated[int, Option("--videos", help="Narrated videos to learn from.")] = 200,
    test_clips: Annotated[int, Option("--test-clips", help="Clips of the test set, at most 392.")] = 240,
    scenes: Annotated[int, Option("--scenes", help=SCENES)] = 0,
    size: Size = None,
    fps: Annotated[int, Option("--fps", help="Frames a second.")] = 10,
    seed: Annotated[int, Option("--seed", help="Of all random numbers.")] = 0,
    lag: Annotated[float, Option("--lag", help="Spread of when a step is named, seconds.")] = 3.0,
    chatter: Annotated[float, Option("--chatter", help="Share of lines about nothing visible.")] = 0.5,
    captions: Annotated[bool, Option("--captions", help=CAPTIONS)] = False,
    wrong: Annotated[float, Option("--wrong", help="Share of wrong captions to learn from.")] = 0.0,
    empty: Annotated[float, Option("--empty", help="Share of empty captions to learn from.")] = 0.0,
    places: Annotated[Literal["step", "task"], Option("--places", help=PLACES)] = "step",
    progress: ProgressMode = "auto",
) -> None:
    """Draw a toy corpus: narrated how-to videos, and a test set of pairs they never show.

    FOLDER/train holds videos with captions beside them, FOLDER/test clips and a manifest with a
    caption for each, FOLDER/truth.json all true labels. With --scenes both hold pictures of several things,
    and a COCO file with their tags and true boxes; with --captions too, a COCO file with a caption for each,
    and FOLDER/zero_shot a folder for each kind of thing that training never shows.

    Examples:

      sayso toyworld --out toy

      sayso toyworld --out scenes --scenes 800

      sayso toyworld --out pairs --scenes 4000 --captions --wrong 0.3

      sayso train mil-nce toy/train --out run --test toy/test/manifest.csv
    """
    from sayso.toyworld import Narration, write_captioned, write_corpus, write_scenes

    if captions and not scenes:
        raise BadParameter("--captions goes with --scenes, the number of pictures")
    side = (256 if scenes and not captions else 64) if size is None else size
    with reporter("drawing", unit="pictures" if scenes else "videos", mode=progress) as bar:
        if scenes:
            how_many = {"train": scenes, "test": scenes // 4, "size": side, "seed": seed}
            draw: Callable[..., Path] = write_scenes
            if captions:
                draw = partial(write_captioned, wrong=wrong, empty=empty)
            draw(out, **how_many, progress=bar)
        else:
            how = Narration(lag_sd_s=lag, chatter=chatter)
            sizes = {"videos": videos, "test_clips": test_clips, "size": side, "fps": fps}
            write_corpus(out, seed=seed, narration=how, places=places, progress=bar, **sizes)
    print_lines([str(out)])
