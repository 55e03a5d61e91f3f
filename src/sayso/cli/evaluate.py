"""``sayso evaluate``: run a protocol and print what it measures."""

from __future__ import annotations

from typing import Any

from sayso.cli import evaluate_options as how
from sayso.cli.options import Device, Json, Model, Overwrite, ProgressMode
from sayso.cli.output import end_with, print_json, print_lines
from sayso.core.ownership import refuse_foreign
from sayso.core.progress import reporter


def evaluate(
    target: how.Target = None,
    data: how.Data = None,
    windows: how.Windows = None,
    images: how.Images = None,
    features: how.Features = None,
    seeds: how.Seeds = None,
    shots: how.Shots = None,
    rices: how.Rices = False,
    permutations: how.Orders = None,
    predictions: how.Predictions = None,
    names: how.Names = None,
    templates: how.Templates = None,
    model: Model = None,
    device: Device = "auto",
    out: how.Out = None,
    listed: how.Listed = False,
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
    from sayso.core.caches import cache_folder
    from sayso.evaluation.evaluator import EvaluationOptions, check_model
    from sayso.evaluation.record import record, write_record
    from sayso.evaluation.run import load_needed, prepare
    from sayso.evaluation.table import list_evaluators, lost_lines, result_table

    if listed or target is None:
        return print(list_evaluators(as_json=as_json))
    if out is not None:
        refuse_foreign(out)
    set_: dict[str, Any] = {"windows": windows, "images": images, "features": features, "names": names}
    set_ |= {"templates": templates, "predictions": predictions, "permutations": permutations}
    set_ |= {
        "shots": how.number_list(shots, "--shots"),
        "rices": rices or None,
        "seeds": how.seed_list(seeds),
    }
    options = EvaluationOptions(cache=cache_folder("evaluate"), **set_)
    evaluator, path = prepare(target, data, options, with_model=model is not None)
    measured = load_needed(evaluator, model or "auto", device) if evaluator.needs else None
    check_model(evaluator, measured)
    with reporter(evaluator.name, mode=progress) as bar:
        result = evaluator(measured, path, options, bar)
    made = record(measured, result.to_dict())
    if out is not None:
        write_record(out, made)
    print_json(made) if as_json else print_lines(
        result_table(result, getattr(measured, "name", None)).split("\n")
    )
    return end_with(lost_lines(result))
