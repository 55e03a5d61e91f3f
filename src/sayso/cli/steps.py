"""``sayso steps``: the steps of a task, from narrated videos of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, BadParameter, Option

from sayso.cli.options import Device, Json, Model, Overwrite, ProgressMode, out_option
from sayso.cli.output import end_with, print_json, print_lines
from sayso.core.ownership import refuse_foreign
from sayso.core.progress import reporter

VIDEOS = "A folder of narrated videos of one task; or the folder that an earlier run wrote, and other videos."
Videos = Annotated[list[str], Argument(metavar="FOLDER | apply STEPS VIDEO...", help=VIDEOS)]
Count = Annotated[
    int | None,
    Option("--steps", "-k", min=1, help="At most how many steps.", show_default="as many as stand out"),
]
FOLDER = out_option("FOLDER", "Folder to write.", show_default="FOLDER.steps, or STEPS/applied")
FEATURES = "Folder of <video's name>.npy, (T, D), instead of a model."
BEFORE = "Seconds before its mention that a step may happen; below 0: after it."
AFTER = "Seconds after its mention."
LAG = "estimated from the videos"
SYNONYMS = "Take words for the same that the text model holds near."
SET = "Another field of the recipe: iterations, seed, ..."


def steps(
    videos: Videos,
    count: Count = None,
    out: Annotated[Path | None, FOLDER] = None,
    model: Model = None,
    features: Annotated[Path | None, Option("--features", help=FEATURES)] = None,
    rate: Annotated[float, Option("--rate", min=0.01, help="Rows of features a second.")] = 1.0,
    before: Annotated[float | None, Option("--before", help=BEFORE, show_default=LAG)] = None,
    after: Annotated[float | None, Option("--after", help=AFTER, show_default=LAG)] = None,
    synonyms: Annotated[bool, Option("--synonyms", help=SYNONYMS)] = False,
    flags: Annotated[list[str] | None, Option("--set", metavar="KEY=VALUE", help=SET)] = None,
    device: Device = "auto",
    progress: ProgressMode = "auto",
    as_json: Json = False,
    overwrite: Overwrite = False,  # noqa: ARG001  handled by cli.verb
) -> None:
    """Find the steps of a task that many videos show and narrate, and when they happen in each.

    Writes the folder OUT: index.html to look at; steps.json with everything; chapters/ with WebVTT
    and YouTube chapters for each video; and the model, with which 'apply' finds the steps in
    other videos, narrated or silent.

    Examples:

      sayso steps ~/tyre-change --steps 8

      sayso steps apply ~/tyre-change.steps new.mp4

      sayso steps ~/tyre-change --features ~/features --before 5 --after 5
    """
    from sayso.core.config import with_flags
    from sayso.systems.instruction_steps import StepsOptions, StepsRecipe, apply, run
    from sayso.systems.instruction_steps.pipeline import absolute_folder, folder_beside

    applied = videos[0] == "apply" and len(videos) > 2
    if not applied and len(videos) != 1:
        raise BadParameter("name one FOLDER; or: apply STEPS VIDEO...")
    folder = absolute_folder(videos[1] if applied else videos[0])
    target = out or (folder / "applied" if applied else folder_beside(folder))
    recipe = StepsRecipe(num_steps=count, rate=rate, before_s=before, after_s=after)
    recipe, store = with_flags(recipe, flags or ()), target / "features"
    options = StepsOptions(
        recipe=recipe, model=model, features=features, store=store, synonyms=synonyms, device=device
    )
    refuse_foreign(target / "index.html", target / ("found.json" if applied else "steps.json"))
    with reporter("reading", unit="videos", mode=progress) as bar:
        found = apply(folder, videos[2:], options, progress=bar) if applied else None
        result = found or run(folder, options, progress=bar)
        page, *_ = result.write(target)
    print_json(*result.videos) if as_json else print_lines([*result.table(), str(page)])
    end_with(f"{failure.path}: {failure.error}" for failure in result.failures)
