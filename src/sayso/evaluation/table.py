"""Results and the list of evaluators as plain text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sayso.core.errors import SaysoError
from sayso.evaluation.evaluator import EvaluationResult, Number
from sayso.evaluation.registry import EVALUATORS

SHOWN = 20  # of what was not used


def result_table(result: EvaluationResult, model: str | None = None) -> str:
    """Return a result as text: what was measured, on how much, a line a row, then what others measured."""
    title = f"{result.protocol}, {model}" if model else result.protocol
    counts = ", ".join(f"{n.used:,} of {n.listed:,} {what}" for what, n in result.counts.items())
    rows = [*result.rows.items(), *((f"{row['model']} ({row['source']})", row) for row in result.published)]
    lines = [["", *(column.replace("_", " ") for column in result.columns)]]
    lines += [[name, *(_number(row.get(column)) for column in result.columns)] for name, row in rows]
    return "\n".join([title, *([counts] if counts else []), *_aligned(lines), *_published_of(result)])


def _published_of(result: EvaluationResult) -> list[str]:
    """Return what the published rows were measured on, where it was more than here."""
    more = [f"{n.listed:,} {what}" for what, n in result.counts.items() if n.used < n.listed]
    others = any(row["source"] != "here" for row in result.published)
    return [f"Published: of all {' and '.join(more)}."] if more and others else []


def lost_lines(result: EvaluationResult) -> list[str]:
    """Return a line for each thing that was not used, up to ``SHOWN``, and how many there are more."""
    lines = [f"not used: {name}" for name in result.lost[:SHOWN]]
    if len(result.lost) > SHOWN:
        lines.append(f"not used: {len(result.lost) - SHOWN:,} more, which --out lists")
    return lines


def list_evaluators(*, as_json: bool = False) -> str:
    """Return all evaluators, a line each: name, the model that it needs, its data, what it measures on what.

    One that cannot be imported (another package's) is listed with the reason.

    Args:
        as_json: JSON lines instead of a table.
    """
    rows = [_described(name) for name in EVALUATORS]
    if as_json:
        return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    lines = [f"{'name':20}{'model':28}measures"]
    for row in rows:
        needs = " or ".join(row["needs"]) or "none"
        lines.append(f"{row['name']:20}{needs:28}{row['measures']}; {row['title']}")
    return "\n".join(lines)


def _described(name: str) -> dict[str, Any]:
    try:
        evaluator = EVALUATORS[name]
    except SaysoError as error:
        return {
            "name": name,
            "title": str(error),
            "measures": "unknown",
            "needs": [],
            "data": "",
            "takes": [],
        }
    return {
        "name": name,
        "title": evaluator.title,
        "measures": evaluator.measures,
        "needs": list(evaluator.needs),
        "data": evaluator.data,
        "takes": list(evaluator.takes),
    }


def _aligned(lines: Sequence[Sequence[str]]) -> list[str]:
    """Return lines of cells below each other: the first to the left, numbers to the right."""
    first = max(16, *(len(line[0]) + 1 for line in lines))
    sizes = [max(10, *(len(line[k]) + 2 for line in lines)) for k in range(1, len(lines[0]))]
    padded = [[f"{cell:>{n}}" for cell, n in zip(line[1:], sizes, strict=True)] for line in lines]
    return [f"{line[0]:{first}}{''.join(cells)}".rstrip() for line, cells in zip(lines, padded, strict=True)]


def _number(number: Number) -> str:
    """Return a count as it is, a fraction with three digits, nothing for None."""
    if number is None or number != number:  # noqa: PLR0124  NaN
        return ""
    return f"{number:,}" if isinstance(number, int) else f"{number:.3f}"
