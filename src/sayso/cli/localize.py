"""``sayso localize``: where things are in pictures, by a model that learned from tags alone."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from sayso.cli.exit_codes import SOME_FAILED
from sayso.cli.options import Device, Json, Overwrite, ProgressMode, out_option


def localize(
    pictures: Annotated[
        list[Path], typer.Argument(help="Pictures, or folders of pictures.", show_default=False)
    ],
    model: Annotated[
        Path, typer.Option("--model", "-m", help="A run of sayso train localize, or a localizer's folder.")
    ],
    tags: Annotated[
        str | None,
        typer.Option("--tags", help="Only these, comma-separated.", show_default="those that are likely"),
    ] = None,
    threshold: Annotated[
        float,
        typer.Option(
            "--threshold", min=0.0, max=1.0, help="Where a map is cut into boxes, from lowest to highest."
        ),
    ] = 0.5,
    out: Annotated[
        Path | None,
        out_option("FOLDER", "Write located.jsonl, and overlays/ with heat map, point and boxes."),
    ] = None,
    instances: Annotated[
        Path | None,
        typer.Option(
            "--instances",
            help="COCO's file with the ids of pictures and categories; with --out also writes coco.json.",
        ),
    ] = None,
    device: Device = "auto",
    progress: ProgressMode = "auto",
    as_json: Json = False,
    overwrite: Overwrite = False,  # noqa: ARG001  handled by cli.verb
) -> None:
    """Find where tags are in pictures: score, point and boxes, in pixels of the picture.

    A score above 0 means more likely there than not. Without --tags, tags with a score above 0 are
    listed; with --tags, these, however unlikely. Pictures that cannot be read are listed, and the exit
    code is then 3.

    Examples:

      sayso localize ~/Pictures --model runs/where --out shown

      sayso localize street.jpg --model runs/where --tags "bicycle, dog" --json
    """
    from sayso.core.ownership import refuse_foreign
    from sayso.core.progress import reporter
    from sayso.systems.localize import LocalizeOptions, run

    options = LocalizeOptions(
        tags=(tags or "").split(","), threshold=threshold, instances=instances, device=device
    )
    if out is not None:
        refuse_foreign(out / "located.jsonl", *([out / "coco.json"] if instances else []))
    with reporter("locating", unit="pictures", mode=progress) as bar:
        result = run(model, pictures, options, progress=bar)
        if out is not None:
            result.write(out)
    rows = [json.dumps(row, ensure_ascii=False) for row in result.pictures] if as_json else result.table()
    for line in rows:
        print(line)
    for failure in result.failures:
        print(failure.error, file=sys.stderr)
    if result.failures:
        raise typer.Exit(SOME_FAILED)
