"""The robustness table: ImageNet and the five sets made after it, in one row as papers print it.

Every set of ``zero_shot.toml`` that lies in the folder is measured as ``sayso evaluate`` measures it
alone; what is not there is listed. The average is over the five sets without ImageNet, of those that were
measured all or none; of V2 the variant "matched-frequency" counts, of ObjectNet its own 113 names.
(BASIC's paper printed 83.7 as the average of all six columns; its abstract says 84.3 over five sets.)
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sayso.core.errors import SaysoError
from sayso.core.progress import Progress
from sayso.evaluation.class_words import imagenet_words, words_classifier
from sayso.evaluation.evaluator import (
    Count,
    EvaluationOptions,
    EvaluationResult,
    FunctionEvaluator,
    Number,
    Primary,
    Row,
)
from sayso.evaluation.picture_sets import find_set, picture_sets, published_rows
from sayso.evaluation.zero_shot import STRICT, SetResult, measure_set

if TYPE_CHECKING:
    from sayso.encoders.interface import Encoder

FIRST, AVERAGE = "imagenet", "average_of_shifts"
_VARIANTS = {  # columns beyond the first question of each set
    "imagenet-v2": {"threshold-0.7": "v2 threshold-0.7", "top-images": "v2 top-images"},
    "objectnet": {"ImageNet's classes": "objectnet by ImageNet's classes"},
}
_LINES = {
    "top-1": ("top-1", ""),
    "top-1, ties strict": ("top-1", STRICT),
    "top-5": ("top-5", ""),
    "mean class recall": ("mean_class_recall", ""),
    "pictures": ("pictures", ""),
}


def _robustness(
    model: Encoder, data: Path, options: EvaluationOptions, progress: Progress
) -> EvaluationResult:
    """Measure all sets of a folder; see ``Evaluator``."""
    places = {name: find_set(data, how) for name, how in picture_sets().items()}
    if not any(places.values()):
        known = ", ".join(picture_sets())
        raise SaysoError(f"{data} holds none of the sets, whose folders are called {known}")
    words = imagenet_words(options)
    by_words = words_classifier(model, words, options.cache, progress)
    found: dict[str, SetResult] = {}
    missing, wrong = [], []
    for name, how in picture_sets().items():
        place = places[name]
        if place is None:
            missing.append(f"{name}: {data} has no folder of that name")
            continue
        try:
            found[name] = measure_set(by_words, words, place, how, options.cache, progress)
        except SaysoError as error:
            wrong.append(f"{name}: {error}")
    rows = {line: _line(found, key, ending) for line, (key, ending) in _LINES.items()}
    more = [column for table in _VARIANTS.values() for column in table.values()]
    return EvaluationResult(
        protocol=f"robustness; {words.title}",
        primary=Primary(AVERAGE, rows["top-1"].get(AVERAGE)),
        columns=(*picture_sets(), AVERAGE, *more),
        rows=rows,
        counts={f"pictures of {name}": result.count for name, result in found.items()}
        or {"sets": Count(0, len(places))},
        missing=(*missing, *(f"{name}: {one}" for name, one in _each(found, "missing"))),
        unreadable=(*wrong, *(f"{name}: {one}" for name, one in _each(found, "unreadable"))),
        definition={
            **words.definition,
            "average": "of the five sets without imagenet, where all were measured",
            "sets": {name: result.definition for name, result in found.items()},
        },
        published=_published(),
    )


ROBUSTNESS = FunctionEvaluator(
    name="robustness",
    title="ImageNet, -A, -R, -V2, -Sketch and ObjectNet",
    measures="the whole table of zero-shot accuracies, beside CLIP, ALIGN, BASIC and Florence",
    data="a folder of the sets' folders: imagenet, imagenet-a, imagenet-r, the three of imagenetv2,"
    " imagenet-sketch, objectnet-1.0",
    measure=_robustness,
    takes=("names", "templates"),
)


def average_of_shifts(row: Mapping[str, Number]) -> float | None:
    """Return the mean over the sets but ImageNet; None unless all are there."""
    values = [value for name in picture_sets() if name != FIRST and (value := row.get(name)) is not None]
    return sum(values) / len(values) if len(values) == len(picture_sets()) - 1 else None


def _line(found: Mapping[str, SetResult], key: str, ending: str) -> Row:
    """Return a row of the table: one number of each set, and of its variants."""
    row: dict[str, Number] = {}
    for name, result in found.items():
        named = _VARIANTS.get(name, {})
        for question, numbers in result.rows.items():
            strict, plain = question.endswith(STRICT), question.removesuffix(STRICT)
            if strict == bool(ending):
                row[named.get(plain, name)] = numbers[key]
    return row if key == "pictures" else {**row, AVERAGE: average_of_shifts(row)}


def _each(found: Mapping[str, SetResult], what: str) -> list[tuple[str, str]]:
    return [(name, one) for name, result in found.items() for one in getattr(result, what)]


def _published() -> tuple[dict[str, Any], ...]:
    """Return the published rows: a model's top-1 on each set."""
    rows: dict[str, dict[str, Any]] = {}
    for name in picture_sets():
        for one in published_rows(name):
            row = rows.setdefault(one["model"], {"model": one["model"], "source": one["source"]})
            row[name] = one["top-1"]
    return tuple({**row, AVERAGE: average_of_shifts(row)} for row in rows.values())
