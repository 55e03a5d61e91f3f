"""``sayso localize``: where things are in pictures, by a model that learned from tags alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from sayso.cli.options import Device, Json, Overwrite, ProgressMode, out_option
from sayso.cli.output import end_with, print_json, print_lines
from sayso.core.lazy import need
from sayso.core.ownership import refuse_foreign
from sayso.core.progress import reporter

Pictures = Annotated[list[Path], Argument(help="Pictures, or folders of pictures.", show_default=False)]
RUN = "A run of sayso train localize, or a localizer's folder."
TAGS = "Only these, comma-separated."
CUT = "Where a map is cut into boxes, from lowest to highest."
OUT = "Write located.jsonl, and overlays/ with heat map, point and boxes."
IDS = "COCO's file with the ids of pictures and categories; with --out also writes coco.json."


def localize(
    pictures: Pictures,
    model: Annotated[Path, Option("--model", "-m", help=RUN)],
    tags: Annotated[str | None, Option("--tags", help=TAGS, show_default="those that are likely")] = None,
    threshold: Annotated[float, Option("--threshold", min=0.0, max=1.0, help=CUT)] = 0.5,
    out: Annotated[Path | None, out_option("FOLDER", OUT)] = None,
    instances: Annotated[Path | None, Option("--instances", help=IDS)] = None,
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
    need("torch", "train")
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
    print_json(*result.pictures) if as_json else print_lines(result.table())
    end_with((failure.error for failure in result.failures), done=bool(result.pictures))
