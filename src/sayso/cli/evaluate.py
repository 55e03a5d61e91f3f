"""``sayso evaluate``: run a protocol and print what it measures."""

from __future__ import annotations

import json
import sys
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sayso.cli.options import Device, Json, Model, ProgressMode
from sayso.core.errors import SaysoError

if TYPE_CHECKING:
    from sayso.encoders import Encoder

SOME_FAILED = 3


def evaluate(
    target: Annotated[
        str, typer.Argument(help="Captions in COCO format (a .json file): caption retrieval is measured.")
    ],
    images: Annotated[
        Path | None,
        typer.Option("--images", help="Folder of the pictures.", show_default="images/ beside the captions"),
    ] = None,
    model: Model = None,
    device: Device = "auto",
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Write the result with what made it to this file, as JSON."),
    ] = None,
    progress: ProgressMode = "auto",
    as_json: Json = False,
) -> None:
    """Measure a model by a protocol.

    Caption retrieval: for every caption, how high its picture ranks among all
    pictures, and for every picture, how high the best of its captions ranks. Pictures
    that are missing or cannot be read are counted, and the exit code is then 3.

    Examples:

      sayso evaluate captions.json

      sayso evaluate captions.json --images val2017 --model openai/clip-vit-base-patch32 --out clip.json
    """
    from sayso.bench.captions import caption_retrieval, read_captions
    from sayso.bench.record import record
    from sayso.core.progress import reporter
    from sayso.encoders import load

    captions = read_captions(_captions_file(target), images)
    encoder: Encoder = load(model or "auto", device=device, notify=lambda told: print(told, file=sys.stderr))
    with reporter("embedding", unit="pictures", mode=progress) as bar:
        result = record(encoder, caption_retrieval(encoder, captions, progress=bar))
    if out is not None:
        out.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    if as_json:
        print(json.dumps(result, ensure_ascii=False))
    else:
        _print_table(result)
    for lost in result["missing"] + result["unreadable"]:
        print(f"not used: {lost}", file=sys.stderr)
    if result["missing"] or result["unreadable"]:
        raise typer.Exit(SOME_FAILED)


def _captions_file(target: str) -> Path:
    """Return the file that is meant.

    Raises:
        SaysoError: if there is none of that name, with the most similar one.
    """
    path = Path(target).expanduser()
    if path.is_file():
        return path
    beside = [file.name for file in path.parent.glob("*.json")] if path.parent.is_dir() else []
    close = get_close_matches(path.name, beside, n=1)
    hint = f"; did you mean {path.parent / close[0]}?" if close else ""
    raise SaysoError(f"{target} is not a file of captions (COCO format, .json){hint}")


def _print_table(result: dict[str, Any]) -> None:
    """Print both directions, and of how many items."""
    columns = ("R@1", "R@5", "R@10", "median_rank", "mean_rank")
    print(f"{result['protocol']}, {result['model']['name']}")
    print(
        f"{result['pictures_used']} of {result['pictures']} pictures, "
        f"{result['captions_used']} of {result['captions']} captions"
    )
    print(f"{'':16}" + "".join(f"{column.replace('_', ' '):>13}" for column in columns))
    for direction in ("text_to_picture", "picture_to_text"):
        numbers = "".join(f"{result[direction][c]:13.3f}" for c in columns)
        print(f"{direction.replace('_', ' '):16}{numbers}")
