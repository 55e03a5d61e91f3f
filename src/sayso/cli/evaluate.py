"""``sayso evaluate``: run a protocol and print what it measures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from typer import Argument, BadParameter, Option

from sayso.cli.options import Device, Json, Model, Overwrite, ProgressMode, out_option
from sayso.cli.output import end_with, print_json
from sayso.core.ownership import refuse_foreign
from sayso.core.progress import reporter

Target = Annotated[str | None, Argument(help="An evaluator of --list, or a file of one's own.")]
Data = Annotated[Path | None, Option("--data", help="What to measure on, mostly a folder.")]
Listed = Annotated[bool, Option("--list", help="List the evaluators, and end.")]
Windows = Annotated[int | None, Option("--windows", min=1, help="Windows a clip.")]
Images = Annotated[Path | None, Option("--images", help="Folder of the pictures.")]
Features = Annotated[Path | None, Option("--features", help="<video id>.npy, (T, D), a row a second.")]
Seeds = Annotated[
    str | None, Option("--seeds", metavar="N|LIST", help="Random repetitions to average: 3, or 42,43,44.")
]
Shots = Annotated[str | None, Option("--shots", metavar="LIST", help="Examples in a prompt: 0,4,8.")]
Rices = Annotated[bool, Option("--rices", help="Take the most similar examples, not random ones.")]
Orders = Annotated[int | None, Option("--permutations", min=1, help="Orders of the examples to average.")]
Predictions = Annotated[
    Path | None, Option("--predictions", metavar="FOLDER", help="Write the answers as benchmarks take them.")
]
Names = Annotated[Path | None, Option("--names", help="Names of the classes: a line each, or JSON.")]
Templates = Annotated[Path | None, Option("--templates", help="Sentences with {c} for the name; as --names.")]
Out = Annotated[Path | None, out_option("FILE", "Write the result with what made it to this file, as JSON.")]


def evaluate(
    target: Target = None,
    data: Data = None,
    windows: Windows = None,
    images: Images = None,
    features: Features = None,
    seeds: Seeds = None,
    shots: Shots = None,
    rices: Rices = False,
    permutations: Orders = None,
    predictions: Predictions = None,
    names: Names = None,
    templates: Templates = None,
    model: Model = None,
    device: Device = "auto",
    out: Out = None,
    listed: Listed = False,
    progress: ProgressMode = "auto",
    as_json: Json = False,
    overwrite: Overwrite = False,  # noqa: ARG001  handled by cli.verb
) -> None:
    """Measure a model by a protocol, or a method on its test bench.

    Files of one's own: a protocol of text-to-clip retrieval (.toml), captions of pictures in COCO
    or Karpathy's format (.json), a manifest of clips with texts (.csv). What was embedded is kept: what was
    cut off goes on. What is missing or cannot be read is listed, and the exit code is then 3.

    Examples:

      sayso evaluate --list

      sayso evaluate youcook2 --data ~/YouCook2 --model runs/mine --out youcook2.json

      sayso evaluate captions.json --images val2017 --model openai/clip-vit-base-patch32 --out clip.json
    """
    from sayso.core.folders import cache_folder
    from sayso.evaluation.evaluator import EvaluationOptions, check_model
    from sayso.evaluation.record import record, write_record
    from sayso.evaluation.run import load_needed, prepare
    from sayso.evaluation.table import list_evaluators, lost_lines, result_table

    if listed or target is None:
        return print(list_evaluators(as_json=as_json))
    if out is not None:
        refuse_foreign(out)
    how: dict[str, Any] = {"windows": windows, "images": images, "features": features}
    how |= {"names": names, "templates": templates, "cache": cache_folder("evaluate")}
    how |= {"shots": number_list(shots, "--shots"), "rices": rices or None, "permutations": permutations}
    how |= {"seeds": seed_list(seeds), "predictions": predictions}
    options = EvaluationOptions(**how)
    evaluator, path = prepare(target, data, options, with_model=model is not None)
    measured = load_needed(evaluator, model or "auto", device) if evaluator.needs else None
    check_model(evaluator, measured)
    with reporter(evaluator.name, mode=progress) as bar:
        result = evaluator(measured, path, options, bar)
    made = record(measured, result.to_dict())
    if out is not None:
        write_record(out, made)
    print_json(made) if as_json else print(result_table(result, getattr(measured, "name", None)))
    return end_with(lost_lines(result))


def seed_list(text: str | None) -> tuple[int, ...] | None:
    """Return which seeds are meant: ``3`` is the first three, ``42,43`` are those, ``42,`` is that one.

    Raises:
        BadParameter: if it is no such list.
    """
    numbers = number_list(text, "--seeds")
    if numbers is None or text is None or "," in text:
        return numbers
    if numbers[0] < 1:
        raise BadParameter(f"{text} seeds are too few", param_hint="--seeds")
    return tuple(range(numbers[0]))


def number_list(text: str | None, option: str) -> tuple[int, ...] | None:
    """Return the numbers, 0 or more, in a list such as ``0,4,8``; None for None.

    Args:
        text: the list.
        option: whose value it is.

    Raises:
        BadParameter: if it is no such list.
    """
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts or not all(part.isdecimal() for part in parts):
        raise BadParameter(f"{text!r} is no list of numbers such as 0,4,8", param_hint=option)
    return tuple(map(int, parts))
