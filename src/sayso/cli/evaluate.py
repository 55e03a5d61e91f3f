"""``sayso evaluate``: run a protocol and print what it measures."""

from __future__ import annotations

import json
import sys
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from sayso.cli.options import Device, Json, Model, ProgressMode
from sayso.core.errors import SaysoError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sayso.core.progress import Progress
    from sayso.encoders import Encoder

SOME_FAILED = 3
CROSSTASK, RECOGNITION = "crosstask", ("hmdb51", "ucf101")
SHOWN = 20  # of what was not used


def evaluate(
    target: Annotated[
        str,
        typer.Argument(
            help="youcook2, msrvtt, lsmdc, crosstask, hmdb51, ucf101, voc2007, voc2012, voc2012-actions"
            " or coco-localization; or captions of pictures in COCO format (a .json file)."
        ),
    ],
    data: Annotated[
        Path | None,
        typer.Option("--data", help="Folder of a benchmark's list of clips, with its videos below."),
    ] = None,
    windows: Annotated[
        int | None, typer.Option("--windows", min=1, help="Windows a clip, instead of the protocol's.")
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option("--images", help="Folder of the pictures.", show_default="images/ beside the captions"),
    ] = None,
    features: Annotated[
        Path | None,
        typer.Option("--features", help="crosstask: <video id>.npy, (T, D), of each second."),
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

    youcook2, msrvtt, lsmdc: for every caption, how high its clip ranks among all clips,
    next to the published numbers. The list of clips is the published file; videos are found
    by their ids. What was embedded is kept, so an evaluation that was cut off goes on.

    crosstask: the second of each step, of the 18 primary tasks' validation videos; recall as published.
    Zero-shot with an encoder, or with a run of sayso train crosstask and the --features that it knows.

    hmdb51, ucf101: accuracy of a linear SVM on frozen features, three splits.

    voc2007, voc2012, voc2012-actions, coco-localization: how well a model of sayso train localize names
    what is in a picture, and points at it; average precision of each class.

    Captions of pictures: for every caption, how high its picture ranks among all
    pictures, and for every picture, how high the best of its captions ranks.

    What is missing or cannot be read is counted, and the exit code is then 3.

    Examples:

      sayso evaluate youcook2 --data ~/YouCook2 --model runs/mine --out youcook2.json

      sayso evaluate captions.json --images val2017 --model openai/clip-vit-base-patch32 --out clip.json
    """
    from sayso.core.progress import reporter
    from sayso.evaluation.record import record
    from sayso.hub import load

    measure = _measure(target, data, images, windows, features)
    measured = cast("Any", load(model or "auto", device=device))
    with reporter("embedding", mode=progress) as bar:
        result = record(measured, measure(measured, bar))
    if out is not None:
        out.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    if as_json:
        print(json.dumps(result, ensure_ascii=False))
    else:
        _print_table(result)
    _tell_lost(result)


def _measure(
    target: str, data: Path | None, images: Path | None, windows: int | None, features: Path | None
) -> Callable[[Encoder, Progress], dict[str, Any]]:
    """Return what is to be measured of an encoder.

    Raises:
        SaysoError: if it cannot be.
    """
    from sayso.core.folders import cache_folder
    from sayso.evaluation.action_recognition import recognition
    from sayso.evaluation.crosstask import localise_steps
    from sayso.evaluation.image_retrieval import caption_retrieval, read_captions
    from sayso.evaluation.localization import LOCALIZATION
    from sayso.evaluation.text_video_retrieval import protocols, run_protocol

    protocol = protocols().get(target)
    if protocol is None and target not in (CROSSTASK, *RECOGNITION, *LOCALIZATION):
        captions = read_captions(_captions_file(target), images)
        return lambda encoder, bar: caption_retrieval(encoder, captions, progress=bar)
    if data is None:
        lists = protocol.annotations if protocol else "its lists"
        media = "pictures" if target in LOCALIZATION else "videos"
        raise SaysoError(
            f"{target} needs --data: the folder of {lists}, with the {media} beside or below them"
        )
    if target in LOCALIZATION:
        return lambda encoder, bar: _localization(encoder, target, data, bar)
    run: Callable[..., dict[str, Any]]
    cache = cache_folder("evaluate")
    if protocol is not None:
        run = partial(run_protocol, protocol=protocol, windows=windows, cache=cache)
    elif target == CROSSTASK:
        run = partial(localise_steps, features=features, cache=cache / CROSSTASK)
    else:
        run = partial(recognition, name=target, windows=windows, cache=cache)
    return lambda encoder, bar: run(encoder, data=data, progress=bar)


def _localization(model: Any, target: str, data: Path, bar: Progress) -> dict[str, Any]:
    """Measure a model that says where things are.

    Raises:
        SaysoError: if it is another kind of model.
    """
    from sayso.evaluation.localization import localization

    if not hasattr(model, "locate"):
        raise SaysoError(
            f"{model.name} does not say where things are; name a run of sayso train localize with --model"
        )
    return localization(model, target, data, progress=bar)


def _captions_file(target: str) -> Path:
    """Return the file that is meant.

    Raises:
        SaysoError: if there is none of that name, with the most similar one.
    """
    from sayso.evaluation.localization import LOCALIZATION
    from sayso.evaluation.text_video_retrieval import protocols

    path = Path(target).expanduser()
    if path.is_file():
        return path
    beside = [file.name for file in path.parent.glob("*.json")] if path.parent.is_dir() else []
    close = get_close_matches(path.name, beside, n=1)
    hint = f"; did you mean {path.parent / close[0]}?" if close else ""
    known = ", ".join([*protocols(), CROSSTASK, *RECOGNITION, *LOCALIZATION])
    raise SaysoError(
        f"{target} is neither a protocol ({known}) nor a file of captions (COCO format, .json){hint}"
    )


def _print_table(result: dict[str, Any]) -> None:
    """Print both directions, of how many items, and what others measured."""
    columns: tuple[str, ...] = ("R@1", "R@5", "R@10", "median_rank", "mean_rank")
    directions = [name for name in result if "_to_" in name]
    rows = [(name.replace("_", " "), result[name]) for name in directions]
    for one, many, what in (("recall", "recalls", "tasks"), ("accuracy", "accuracies", "splits")):
        if many in result:
            columns = (one,)
            rows += [(name, {one: value}) for name, value in result[many].items()]
            rows.append((f"mean of {len(result[many])} {what}", result))
    if "classes" in result:
        columns = ("pictures", "classification", "pointing")
        rows += [(name, measured) for name, measured in result["classes"].items()]
        rows.append(("mean", {column: result[column] for column in columns[1:]}))
    rows += [(f"{told['model']} ({told['source']})", told) for told in result.get("published", [])]
    width = max(16, *(len(name) + 1 for name, _ in rows))
    print(f"{result['protocol']}, {result['model']['name']}")
    counted = [kind for kind in ("pictures", "captions", "clips", "videos") if kind in result]
    print(", ".join(f"{result[f'{kind}_used']:,} of {result[kind]:,} {kind}" for kind in counted))
    size = max(13, *(len(column) + 2 for column in columns))
    print(f"{'':{width}}" + "".join(f"{column.replace('_', ' '):>{size}}" for column in columns))
    for name, numbers in rows:
        cells = (f"{_number(numbers.get(column)):>{size}}" for column in columns)
        print(f"{name:{width}}{''.join(cells)}".rstrip())


def _number(number: float | None) -> str:
    """Return a count as it is, a fraction with three digits, nothing for None."""
    if number is None:
        return ""
    return str(number) if isinstance(number, int) else f"{number:.3f}"


def _tell_lost(result: dict[str, Any]) -> None:
    """Say on stderr what was not used, and end with the exit code for that."""
    lost = result.get("missing", []) + result["unreadable"]
    for name in lost[:SHOWN]:
        print(f"not used: {name}", file=sys.stderr)
    if len(lost) > SHOWN:
        print(f"not used: {len(lost) - SHOWN:,} more, which --out lists", file=sys.stderr)
    if lost:
        raise typer.Exit(SOME_FAILED)
