"""Naming of tagged pictures: the numbers of the metric, without a look at any box."""

from __future__ import annotations

import pytest

from data.tagged_folders import Seen, table, voc_actions
from evaluation.test_localization import THINGS, ColourLocalizer, painted
from sayso.core.errors import SaysoError
from sayso.evaluation.evaluator import Count
from sayso.evaluation.image_tagging import IMAGE_TAGGING
from sayso.metrics.average_precision import average_precision


@pytest.fixture(autouse=True)
def no_box(monkeypatch):
    monkeypatch.setattr(
        "sayso.evaluation.localizer_answers.read_boxes", lambda *_, **__: pytest.fail("boxes were read")
    )


def test_equals_the_metric_and_counts_what_is_missing(tmp_path):
    tags = {"a": "cat;dog", "b": "cat", "c": "potted plant", "d": "cat?", "gone": "dog"}  # b is wrong
    rows = [{"path": f"{name}.png", "tags": of} for name, of in tags.items()]
    for name in "abcd":
        painted(THINGS)(tmp_path / f"{name}.png")
    found = IMAGE_TAGGING(ColourLocalizer(), table(tmp_path / "tags.csv", rows))
    cats = [400, 0, 0]  # pixels of a, b, c; d does not count
    assert found.rows["cat"]["classification"] == pytest.approx(
        average_precision(cats, [1, 1, 0], rule="area")
    )
    assert found.rows["dog"] == {"pictures": 1, "classification": pytest.approx(0.5)}
    assert found.counts == {"pictures": Count(4, 5)} and found.missing == (str(tmp_path / "gone.png"),)
    mean = sum(found.rows[name]["classification"] for name in ("cat", "dog", "potted plant")) / 3
    assert found.primary.value == found.rows["mean"]["classification"] == pytest.approx(mean)


def test_a_model_of_actions_is_measured_on_actions(tmp_path):
    seen = {
        "a": [Seen("person", actions={"cat": 1, "dog": 0})],
        "b": [Seen("person", actions={"cat": 0, "dog": 1})],
    }
    voc_actions(tmp_path, seen)
    for id_ in seen:
        painted(THINGS)(tmp_path / "JPEGImages" / f"{id_}.jpg")
    found = IMAGE_TAGGING(ColourLocalizer(), tmp_path)
    assert [name for name in found.rows if name != "mean"] == ["cat", "dog"]


def test_says_which_tags_the_model_lacks(tmp_path):
    painted(THINGS)(tmp_path / "a.png")
    rows = [{"path": "a.png", "tags": "zebra;cat"}]
    with pytest.raises(SaysoError, match="colours knows no zebra"):
        IMAGE_TAGGING(ColourLocalizer(), table(tmp_path / "tags.csv", rows))
