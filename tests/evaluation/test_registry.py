"""Every evaluator keeps the contract, and the page lists them all."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from sayso.core.errors import SaysoError
from sayso.evaluation import (
    EVALUATORS,
    Count,
    EvaluationOptions,
    EvaluationResult,
    Primary,
    evaluate,
    find_evaluator,
)
from sayso.evaluation.evaluator import NEEDS, mean_row
from sayso.evaluation.table import result_table

PAGE = Path(__file__).parents[2] / "docs" / "evaluation.md"


@pytest.mark.parametrize("name", list(EVALUATORS))
def test_an_evaluator_says_what_it_is(name):
    evaluator = EVALUATORS[name]
    assert evaluator.name == name
    assert evaluator.title and evaluator.measures
    assert set(evaluator.needs) <= set(NEEDS)
    assert set(evaluator.takes) <= {field.name for field in fields(EvaluationOptions)}
    if evaluator.data:
        with pytest.raises(SaysoError, match=f"{name} needs --data: "):
            evaluate(name, None if not evaluator.needs else object())


def test_the_page_lists_every_evaluator():
    rows = re.findall(r"^\| `([a-z][\w-]*)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert rows == list(EVALUATORS)


def test_a_file_is_measured_by_what_it_is(tmp_path):
    for name, expected in (
        ("a.json", "image-retrieval"),
        ("a.csv", "clip-retrieval"),
        ("a.jsonl", "clip-retrieval"),
    ):
        (tmp_path / name).write_text("")
        evaluator, data = find_evaluator(str(tmp_path / name))
        assert (evaluator.name, data) == (expected, tmp_path / name)


def test_a_model_of_another_kind_is_refused(tmp_path):
    with pytest.raises(SaysoError, match="is no encoder"):
        evaluate("youcook2", object(), tmp_path)
    with pytest.raises(SaysoError, match="measures no model"):
        evaluate("word-alignment", object())
    with pytest.raises(SaysoError, match="takes --features"):
        evaluate("crosstask", object(), tmp_path, EvaluationOptions(seeds=(0, 1, 2)))


def result() -> EvaluationResult:
    rows = {"one": {"share": 0.5, "count": 1200}, "two": {"share": float("nan"), "count": None}, "three": {}}
    return EvaluationResult(
        protocol="some protocol",
        primary=Primary("share", float("nan")),
        columns=("share", "count"),
        rows=rows,
        counts={"videos": Count(1, 2000)},
        missing=("a",),
        unreadable=("b",),
        published=({"model": "theirs", "source": "there", "share": np.float64(0.25)},),
    )


def test_a_result_is_json_without_nan_and_a_table_without_holes():
    made = json.loads(json.dumps(result().to_dict(), allow_nan=False))
    assert made["primary"] == {"key": "share", "value": None, "greater_is_better": True}
    assert made["rows"]["two"] == {"share": None, "count": None}
    assert made["counts"] == {"videos": {"used": 1, "listed": 2000}}
    assert result().lost == ("a", "b")
    lines = result_table(result(), "mine").splitlines()
    assert lines[:2] == ["some protocol, mine", "1 of 2,000 videos"]
    assert [line.split() for line in lines[2:]] == [
        ["share", "count"],
        ["one", "0.500", "1,200"],
        ["two"],
        ["three"],
        ["theirs", "(there)", "0.250"],
        ["Published:", "of", "all", "2,000", "videos."],
    ]
    assert lines[2].index("share") + len("share") == lines[3].index("0.500") + len("0.500")


def test_means_leave_out_what_is_not_there():
    assert mean_row(result().rows, ("share", "count", "none")) == {"share": 0.5, "count": 1200, "none": None}
