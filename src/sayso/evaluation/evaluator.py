"""What an evaluator is: one protocol, called with a model and data, that answers with one kind of result.

    evaluator(model, data, options, progress) -> EvaluationResult

An evaluator is any object with the attributes below. A package that declares one under the entry point
``sayso.evaluation`` adds it to ``sayso evaluate``; no line of the command changes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Protocol

from sayso.core.errors import SaysoError
from sayso.core.progress import Progress, Silent

Number = float | int | None
Row = Mapping[str, Number]

NEEDS = {  # what a model must have to be of a kind, and where one comes from
    "encoder": ("encode_text", "is no encoder; see: sayso models"),
    "localizer": (
        "locate",
        "does not say where things are; name a run of sayso train localize with --model",
    ),
    "step classifier": ("scores", "does not score steps; name a run of sayso train crosstask with --model"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationOptions:
    """How to measure; an evaluator says in ``takes`` which of these it takes.

    Args:
        windows: W, windows of each clip, whose embeddings are averaged; None is the protocol's number.
        images: folder of the pictures, if they are not where the data set has them.
        features: folder of ``<video id>.npy``, (T, D), a row a second, to use instead of the videos.
        seeds: how many random repetitions are averaged; None is the evaluator's number.
        names: file with the names of the classes, instead of those of the protocol.
        templates: file with sentences for them, ``{c}`` in the place of the name.
        cache: folder of what was embedded before; every evaluator takes it.
    """

    windows: int | None = None
    images: Path | None = None
    features: Path | None = None
    seeds: int | None = None
    names: Path | None = None
    templates: Path | None = None
    cache: Path | None = None

    def given(self) -> list[str]:
        """Return the names of the options that somebody set, the cache aside."""
        names = [one.name for one in fields(self) if one.name != "cache"]
        return [name for name in names if getattr(self, name) is not None]


DEFAULTS = EvaluationOptions()


@dataclass(frozen=True, slots=True)
class Primary:
    """The one number that a result is judged by.

    Args:
        key: its column.
        value: None where nothing could be measured.
        greater_is_better: whether more is better.
    """

    key: str
    value: float | None
    greater_is_better: bool = True


@dataclass(frozen=True, slots=True)
class Count:
    """How many items of a kind were used, of how many listed."""

    used: int
    listed: int


@dataclass(frozen=True, kw_only=True)
class EvaluationResult:
    """What an evaluator measured.

    Args:
        protocol: what was measured on what, a few words.
        primary: the number that decides.
        columns: of the table, in order.
        rows: the table: name of the row -> column -> number; None or no entry where there is none.
        counts: what was counted (``videos``) -> how many were used, of how many listed.
        missing: what is listed but not there.
        unreadable: what is there but cannot be read.
        definition: what else decides the numbers: splits, digests of lists, window lengths.
        published: what others measured, or simple baselines: ``model``, ``source``, and columns.
    """

    protocol: str
    primary: Primary
    columns: tuple[str, ...]
    rows: Mapping[str, Row]
    counts: Mapping[str, Count] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()
    definition: Mapping[str, Any] = field(default_factory=dict)
    published: tuple[Mapping[str, Any], ...] = ()

    @property
    def lost(self) -> tuple[str, ...]:
        """What was not measured: missing or unreadable."""
        return self.missing + self.unreadable

    def to_dict(self) -> dict[str, Any]:
        """Return the fields, ready for JSON; NaN becomes None."""
        primary = self.primary
        return {
            "protocol": self.protocol,
            "primary": {
                "key": primary.key,
                "value": _finite(primary.value),
                "greater_is_better": primary.greater_is_better,
            },
            "columns": list(self.columns),
            "rows": {name: {key: _finite(v) for key, v in row.items()} for name, row in self.rows.items()},
            "counts": {what: {"used": n.used, "listed": n.listed} for what, n in self.counts.items()},
            "missing": list(self.missing),
            "unreadable": list(self.unreadable),
            "definition": dict(self.definition),
            "published": [dict(row) for row in self.published],
        }


class Evaluator(Protocol):
    """A protocol that measures."""

    @property
    def name(self) -> str:
        """What ``sayso evaluate`` calls it."""

    @property
    def title(self) -> str:
        """On what it measures, a few words."""

    @property
    def measures(self) -> str:
        """What it measures, a few words."""

    @property
    def needs(self) -> tuple[str, ...]:
        """Kinds of models, one of which it needs (``NEEDS``); empty if it needs none."""

    @property
    def data(self) -> str:
        """What must be at the path of the data, as the end of a sentence; empty if it needs none."""

    @property
    def takes(self) -> tuple[str, ...]:
        """The names of the ``EvaluationOptions`` that it takes."""

    def __call__(
        self,
        model: Any,
        data: Path,
        options: EvaluationOptions = DEFAULTS,
        progress: Progress | None = None,
    ) -> EvaluationResult:
        """Measure.

        Args:
            model: of one of the kinds that it needs.
            data: see ``data``.
            options: of those that it takes.
            progress: updated with how much is done.

        Raises:
            SaysoError: if the data cannot be read, or nothing of it can be measured.
        """


@dataclass(frozen=True)
class FunctionEvaluator:
    """An evaluator that is a function, and what it says of itself; see ``Evaluator``.

    Args:
        name: what ``sayso evaluate`` calls it.
        title: on what it measures.
        measures: what it measures.
        data: what must be at the path of the data.
        measure: called with the model, the data, the options and the progress.
        needs: kinds of models, one of which it needs.
        takes: the options that it takes.
    """

    name: str
    title: str
    measures: str
    data: str
    measure: Callable[[Any, Path, EvaluationOptions, Progress], EvaluationResult]
    needs: tuple[str, ...] = ("encoder",)
    takes: tuple[str, ...] = ()

    def __call__(
        self,
        model: Any,
        data: Path,
        options: EvaluationOptions = DEFAULTS,
        progress: Progress | None = None,
    ) -> EvaluationResult:
        """Measure; see ``Evaluator``."""
        return self.measure(model, data, options, progress or Silent())


def check_options(evaluator: Evaluator, options: EvaluationOptions) -> None:
    """Refuse an option that an evaluator does not take.

    Raises:
        SaysoError: if there is one.
    """
    for name in options.given():
        if name not in evaluator.takes:
            known = " and ".join(f"--{one}" for one in evaluator.takes) or "no option of its own"
            raise SaysoError(f"{evaluator.name} does not take --{name}; it takes {known}")


def check_model(evaluator: Evaluator, model: Any) -> None:
    """Refuse a model of a kind that an evaluator cannot measure.

    Raises:
        SaysoError: if it is of none of the kinds that are needed.
    """
    known = [NEEDS[kind] for kind in evaluator.needs if kind in NEEDS]
    if len(known) < len(evaluator.needs) or not known:
        return
    if not any(hasattr(model, attribute) for attribute, _ in known):
        raise SaysoError(f"{getattr(model, 'name', model)} {known[0][1]}")


def mean_row(rows: Mapping[str, Row], columns: tuple[str, ...]) -> dict[str, Number]:
    """Return the mean of each column over the rows that have it; None where none has."""
    found: dict[str, Number] = {}
    for column in columns:
        values = [value for row in rows.values() if (value := _finite(row.get(column))) is not None]
        found[column] = sum(values) / len(values) if values else None
    return found


def _finite(value: Number) -> Number:
    return None if value is None or not math.isfinite(value) else value
