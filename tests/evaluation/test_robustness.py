"""The table holds what each evaluator measures alone; what is missing is listed."""

from __future__ import annotations

import json

import pytest

from evaluation.picture_trees import WNIDS, Planted, write_folders, write_words
from evaluation.test_zero_shot import write_objectnet
from sayso.core.errors import SaysoError
from sayso.evaluation import EVALUATORS, EvaluationOptions
from sayso.evaluation.picture_sets import picture_sets
from sayso.evaluation.robustness import AVERAGE, average_of_shifts
from sayso.evaluation.table import result_table

SHIFTS = [name for name in picture_sets() if name != "imagenet"]


@pytest.fixture
def root(tmp_path):
    """All sets, with one to four pictures each; folders called as people call them."""
    root = tmp_path / "sets"
    write_folders(root / "ImageNet" / "val", WNIDS, [(WNIDS[657], 657), (WNIDS[744], 744), (WNIDS[1], 3)])
    write_folders(root / "imagenet-a", WNIDS[:200], [(WNIDS[7], 7), (WNIDS[8], 500)])
    write_folders(root / "imagenet_r", WNIDS[500:700], [(WNIDS[600], 600)])
    for seen, place in enumerate(picture_sets()["imagenet-v2"].parts.values()):
        write_folders(root / place, [str(k) for k in range(1000)], [("0", seen), ("5", 5)])
    write_folders(root / "sketch", WNIDS, [(WNIDS[3], 4)])
    write_objectnet(root / "objectnet-1.0")
    return root


@pytest.fixture
def options(tmp_path):
    names, templates = write_words(tmp_path / "words")
    return EvaluationOptions(names=names, templates=templates, cache=tmp_path / "cache")


def test_the_table_is_made_of_what_each_set_gives_alone(root, options):
    model = Planted()
    result = EVALUATORS["robustness"](model, root, options)
    looked = model.pictures, model.texts
    for name in picture_sets():
        alone = EVALUATORS[name](model, root, options)
        assert result.rows["top-1"][name] == alone.primary.value
        first = next(iter(alone.rows))
        assert result.rows["top-1, ties strict"][name] == alone.rows[f"{first}, ties strict"]["top-1"]
        assert result.rows["mean class recall"][name] == alone.rows[first]["mean_class_recall"]
        assert result.counts[f"pictures of {name}"] == alone.counts["pictures"]
    assert (model.pictures, model.texts) == looked, "features and weights are kept"
    top1 = result.rows["top-1"]
    assert top1["imagenet"] == pytest.approx(1 / 3)
    assert result.rows["top-1, ties strict"]["imagenet"] == 0
    assert [top1["imagenet-v2"], top1["v2 threshold-0.7"], top1["v2 top-images"]] == [1, 0.5, 0.5]
    assert top1["objectnet by ImageNet's classes"] == 0.75
    assert top1[AVERAGE] == pytest.approx(sum(top1[name] for name in SHIFTS) / 5)
    assert result.primary.value == top1[AVERAGE]
    assert AVERAGE not in result.rows["pictures"]
    json.dumps(result.to_dict(), allow_nan=False)


def test_the_published_rows_stand_below(root, options):
    lines = result_table(EVALUATORS["robustness"](Planted(), root, options)).splitlines()
    rows = {line.split("  ")[0]: line.split()[-7:] for line in lines if "table 1" in line}
    assert rows["BASIC (its table 1)"] == ["0.857", "0.856", "0.957", "0.806", "0.761", "0.789", "0.834"]
    assert rows["CLIP (table 1 of BASIC)"][0] == "0.762"
    assert next(line for line in lines if line.startswith("Florence")).split()[-1] == "0.837"


def test_sets_that_are_not_there_or_not_whole_are_listed(root, options, tmp_path):
    (root / "sketch").rename(tmp_path / "away")
    (root / "imagenet_r" / WNIDS[500]).rmdir()
    result = EVALUATORS["robustness"](Planted(), root, options)
    assert "imagenet-sketch" not in result.rows["top-1"]
    assert result.rows["top-1"][AVERAGE] is None
    assert any(line.startswith("imagenet-sketch: ") for line in result.missing)
    assert any("holds 199 class folders" in line for line in result.unreadable)
    with pytest.raises(SaysoError, match="holds none of the sets, whose folders are called imagenet, "):
        EVALUATORS["robustness"](Planted(), tmp_path / "words", options)


def test_the_average_needs_all_five():
    assert average_of_shifts(dict.fromkeys(SHIFTS, 0.5) | {"imagenet": 9.0}) == 0.5
    assert average_of_shifts(dict.fromkeys(SHIFTS[:4], 0.5)) is None
