"""COIN: its release's form, labels of seconds, the constant answer, linear and zero-shot."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import toy
from sayso.core.errors import SaysoError
from sayso.data.datasets.coin import StepInterval, label_seconds, read_coin
from sayso.evaluation.coin import COIN, zero_shot_classifier
from sayso.evaluation.evaluator import Count, EvaluationOptions
from sayso.metrics.frames import frame_accuracy


def entry(subset: str, duration: float, *steps: tuple[int, str, float, float]) -> dict[str, object]:
    rows = [{"id": str(id_), "label": label, "segment": [s, e]} for id_, label, s, e in steps]
    return {"duration": duration, "class": "Mix", "subset": subset, "annotation": rows}


def write(folder: Path, **database: dict[str, object]) -> Path:
    (folder / "COIN.json").write_text(json.dumps({"database": database}))
    return folder


@pytest.fixture
def real(shared_data: Path) -> Path:
    return shared_data / "coin"


def test_seconds_are_rounded_outwards_and_the_later_step_wins() -> None:
    assert label_seconds([StepInterval(7, 2, 5), StepInterval(8, 5, 6.5)], 10).tolist() == [
        *(0, 0, 7, 7, 7, 8, 8, 0, 0, 0)
    ]
    assert label_seconds([StepInterval(3, 1.2, 3.1), StepInterval(4, 3, 9)], 6).tolist() == [0, 3, 3, 4, 4, 4]


def test_accuracy_pools_the_seconds_of_all_videos() -> None:
    first = label_seconds([StepInterval(7, 2, 5), StepInterval(8, 5, 6.5)], 10)
    answer = [0, 0, 7, 7, 0, 8, 0, 0, 0, 0]
    second = label_seconds([StepInterval(3, 1.2, 3.1), StepInterval(4, 3, 9)], 6)
    assert frame_accuracy([first], [answer])["accuracy"] == 0.8
    assert frame_accuracy([second], [np.zeros(6)])["accuracy"] == 1 / 6
    both = frame_accuracy([first, second], [answer, np.zeros(6)])
    assert both["accuracy"] == 9 / 16
    assert both["inside"] == 3 / 10
    assert both["mean_class_recall"] == pytest.approx((6 / 6 + 2 / 3 + 1 / 2 + 0 + 0) / 5)
    with pytest.raises(ValueError, match="one second at least"):
        frame_accuracy([], [])


def test_a_constant_answer_on_the_real_test_part(real: Path) -> None:
    release = read_coin(real)
    assert (len(release.testing), len(release.training)) == (2797, 584)
    assert (len(release.names), release.problems) == (778, ())
    truth = [label_seconds(video.steps, video.seconds) for video in release.testing.values()]
    assert sum(len(video.steps) for video in release.testing.values()) == 10893
    perfect = frame_accuracy(truth, truth)
    assert set(perfect.values()) == {1.0}
    outside = frame_accuracy(truth, [np.zeros(len(labels)) for labels in truth])
    assert outside["accuracy"] == pytest.approx(0.588, abs=5e-4)
    assert (outside["inside"], outside["mean_class_recall"]) == (0, pytest.approx(1 / 779))


def test_linear_rises_with_what_the_features_tell(real: Path, tmp_path: Path) -> None:
    release = read_coin(real)
    tasks = {"MakeSalad", "PractisePoleVault"}
    rng = np.random.default_rng(0)
    codes = rng.normal(size=(779, 8))
    parts = (release.training, release.testing)
    made = dict(some for part in parts for some in [v for v in part.items() if v[1].task in tasks][:20])
    accuracies, outside = [], 0.0
    for noise in (100.0, 1.0, 0.0):
        folder = tmp_path / f"{noise}"
        folder.mkdir()
        for id_, video in made.items():
            labels = label_seconds(video.steps, video.seconds)
            np.save(folder / f"{id_}.npy", codes[labels] + noise * rng.normal(size=(len(labels), 8)))
        result = COIN(toy.ColourEncoder(), real, EvaluationOptions(features=folder))
        accuracies.append(result.rows["linear, seed 0"]["accuracy"])
        outside = result.rows["always outside"]["accuracy"]
        assert len(result.missing) == 584 + 2797 - len(made)
        assert "zero-shot, names of steps" not in result.rows
    assert accuracies[0] < outside + 0.03 < accuracies[1] < accuracies[2] == 1.0


def test_videos_are_embedded_once_and_steps_found_by_their_names(tmp_path: Path) -> None:
    one, two, three = sorted(toy.COLOURS)[:3]
    write(
        tmp_path,
        seen=entry("testing", 12, (1, one, 0, 4), (2, two, 4, 8), (3, three, 8, 12)),
        lost=entry("validation", 4, (1, one, 0, 4)),
        broken=entry("testing", 4, (1, one, 3, 1)),
    )
    toy.make_video(tmp_path / "seen.mp4", [one, two, three], 4)
    encoder = toy.ColourEncoder()
    result = COIN(encoder, tmp_path, EvaluationOptions(cache=tmp_path / "cache"))
    # the four seconds that a clip lasts show two colours around each border: one second there is wrong
    assert result.rows["zero-shot, names of steps"]["accuracy"] == 10 / 12
    assert result.rows["always outside"]["accuracy"] == 0.0
    assert result.counts == {"test videos": Count(1, 2), "training videos": Count(0, 0)}
    assert result.missing == ("lost",)
    assert len(result.unreadable) == 1
    assert result.unreadable[0].startswith("broken: no video in COIN's form")
    (tmp_path / "seen.mp4").unlink()
    assert COIN(encoder, tmp_path, EvaluationOptions(cache=tmp_path / "cache")) == result


def test_a_second_like_no_step_more_than_steps_are_like_each_other_is_outside() -> None:
    class Words:
        def encode_text(self, texts: list[str]) -> np.ndarray:
            known = {"wash": [1, 0, 0], "rinse": [0.8, 0.6, 0], "paint": [0, 0, 1]}
            return np.array([known[text] for text in texts])

    classify = zero_shot_classifier(Words(), {4: "wash", 5: "rinse", 6: "paint", 9: "wash"})
    seconds = np.array([[1, 0, 0], [0, 0, 0.9], [0, 0, 0.8], [0, 0.2, 0]])
    assert classify(seconds).tolist() == [4, 6, 0, 0]


def test_the_split_decides_before_the_subset(tmp_path: Path) -> None:
    write(tmp_path, a=entry("testing", 4, (1, "x", 0, 1)), b=entry("testing", 4, (1, "x", 0, 1)))
    (tmp_path / "splits.json").write_text('{"training": ["a"], "testing": ["b"]}')
    release = read_coin(tmp_path)
    assert ([*release.training], [*release.testing]) == (["a"], ["b"])
    (tmp_path / "splits.json").write_text('{"training": ["a"]}')
    with pytest.raises(SaysoError, match="ids of the parts training and testing"):
        read_coin(tmp_path)


@pytest.mark.parametrize("content", ["", "[]", '{"database": {}}', '{"database": 3}'])
def test_no_release(tmp_path: Path, content: str) -> None:
    if content:
        (tmp_path / "COIN.json").write_text(content)
    with pytest.raises(SaysoError, match="holds no test video of COIN"):
        read_coin(tmp_path)
