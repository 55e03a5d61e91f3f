"""``sayso evaluate``: run a protocol and print what it measures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Option

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
Seeds = Annotated[int | None, Option("--seeds", min=1, help="Random repetitions to average.")]
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
    from sayso.evaluation.run import prepare
    from sayso.evaluation.table import list_evaluators, lost_lines, result_table
    from sayso.hub import load

    if listed or target is None:
        return print(list_evaluators(as_json=as_json))
    if out is not None:
        refuse_foreign(out)
    how: dict[str, Any] = {"windows": windows, "images": images, "features": features, "seeds": seeds}
    how |= {"names": names, "templates": templates, "cache": cache_folder("evaluate")}
    options = EvaluationOptions(**how)
    evaluator, path = prepare(target, data, options, with_model=model is not None)
    measured = load(model or "auto", device=device) if evaluator.needs else None
    check_model(evaluator, measured)
    with reporter(evaluator.name, mode=progress) as bar:
        result = evaluator(measured, path, options, bar)
    made = record(measured, result.to_dict())
    if out is not None:
        write_record(out, made)
    print_json(made) if as_json else print(result_table(result, getattr(measured, "name", None)))
    return end_with(lost_lines(result))
