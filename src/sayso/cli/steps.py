"""``sayso steps``: the steps of a task, from narrated videos of it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from sayso.cli.exit_codes import SOME_FAILED
from sayso.cli.options import Device, Json, Model, Overwrite, ProgressMode, out_option

APPLY = "apply"


def steps(
    videos: Annotated[
        list[str],
        typer.Argument(
            metavar="FOLDER | apply STEPS VIDEO...",
            help="A folder of narrated videos of one task; or the folder that an earlier run wrote, and "
            "other videos.",
        ),
    ],
    count: Annotated[
        int | None,
        typer.Option(
            "--steps", "-k", min=1, help="At most how many steps.", show_default="as many as stand out"
        ),
    ] = None,
    out: Annotated[
        Path | None,
        out_option("FOLDER", "Folder to write.", show_default="FOLDER.steps, or STEPS/applied"),
    ] = None,
    model: Model = None,
    features: Annotated[
        Path | None,
        typer.Option("--features", help="Folder of <video's name>.npy, (T, D), instead of a model."),
    ] = None,
    rate: Annotated[float, typer.Option("--rate", min=0.01, help="Rows of features a second.")] = 1.0,
    before: Annotated[
        float,
        typer.Option(
            "--before", help="Seconds before its mention that a step may happen; below 0: after it."
        ),
    ] = 0.0,
    after: Annotated[float, typer.Option("--after", help="Seconds after its mention.")] = 10.0,
    synonyms: Annotated[
        bool, typer.Option("--synonyms", help="Take words for the same that the text model holds near.")
    ] = False,
    flags: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Another field of the recipe: iterations, seed, ..."),
    ] = None,
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
    from sayso.core.ownership import refuse_foreign
    from sayso.core.progress import reporter
    from sayso.systems import instruction_steps

    applied = videos[0] == APPLY and len(videos) > 2
    if not applied and len(videos) != 1:
        raise typer.BadParameter("name one FOLDER; or: apply STEPS VIDEO...")
    folder = Path(videos[1] if applied else videos[0]).expanduser().resolve()
    target = out or (folder / "applied" if applied else folder.with_name(f"{folder.name}.steps"))
    recipe = instruction_steps.StepsRecipe(num_steps=count, rate=rate, before_s=before, after_s=after)
    options = instruction_steps.StepsOptions(
        recipe=with_flags(recipe, flags or ()),
        model=model,
        features=features,
        store=target / "features",
        synonyms=synonyms,
        device=device,
    )
    refuse_foreign(target / "index.html", target / ("found.json" if applied else "steps.json"))
    with reporter("reading", unit="videos", mode=progress) as bar:
        if applied:
            result = instruction_steps.apply(folder, videos[2:], options, progress=bar)
        else:
            result = instruction_steps.run(folder, options, progress=bar)
        page, *_ = result.write(target)
    rows = [json.dumps(row, ensure_ascii=False) for row in result.videos] if as_json else result.table()
    for line in [*rows] if as_json else [*rows, page]:
        print(line)
    for failure in result.failures:
        print(f"{failure.path}: {failure.error}", file=sys.stderr)
    if result.failures:
        raise typer.Exit(SOME_FAILED)
