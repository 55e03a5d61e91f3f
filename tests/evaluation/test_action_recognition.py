"""Recognition on frozen features: lists as published, an SVM as solved otherwise, splits kept apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import toy
from sayso.core.errors import MissingExtra, SaysoError
from sayso.evaluation import action_recognition
from sayso.evaluation.action_recognition import (
    HMDB51,
    KINETICS700,
    UCF101,
    linear_svm,
    read_hmdb51,
    read_kinetics700,
    read_ucf101,
)
from sayso.evaluation.evaluator import EvaluationOptions

COLOURS = ["red", "green", "blue"]


@pytest.fixture
def ucf(tmp_path):
    """Three classes of six videos; the third split mislabels its test videos."""
    for colour in COLOURS:
        (tmp_path / "videos" / colour).mkdir(parents=True)
        for number in range(6):
            other = COLOURS[number % 3]
            path = tmp_path / "videos" / colour / f"v_{colour}_{number}.mp4"
            toy.make_video(path, [colour] * 5 + [other], 1)
    names = [f"{colour}/v_{colour}_{number}.avi" for colour in COLOURS for number in range(6)]
    for split in range(3):
        test = [name for name in names if int(name[-5]) % 3 == split]
        train = [name for name in names if name not in test]
        if split == 2:
            test = [f"{COLOURS[(COLOURS.index(n.split('/')[0]) + 1) % 3]}/{n.split('/')[1]}" for n in test]
        (tmp_path / f"trainlist{split + 1:02}.txt").write_text("".join(f"{n} 1\n" for n in train))
        (tmp_path / f"testlist{split + 1:02}.txt").write_text("\n".join(test))
    return tmp_path


def test_classifies_what_differs(ucf, monkeypatch):
    monkeypatch.setattr(action_recognition, "CUT", replace(action_recognition.CUT, frames=24, size=16))
    result = UCF101(toy.ColourEncoder(), ucf, EvaluationOptions(windows=3))
    accuracies = [row["accuracy"] for row in result.rows.values()]
    assert accuracies == [1.0, 1.0, 0.0, pytest.approx(2 / 3)]
    assert result.primary.value == pytest.approx(2 / 3)
    assert (result.definition["features"], result.definition["windows"]) == ("encode_video", 3)
    (ucf / "videos" / COLOURS[0] / f"v_{COLOURS[0]}_0.mp4").unlink()
    (ucf / "videos" / COLOURS[1] / f"v_{COLOURS[1]}_1.mp4").write_bytes(b"nothing")
    result = UCF101(toy.ColourEncoder(), ucf, EvaluationOptions(windows=1))
    assert result.missing == (f"v_{COLOURS[0]}_0",)
    assert len(result.unreadable) == 1
    assert result.counts["videos"].listed - result.counts["videos"].used == 2


def test_the_svm_is_the_minimum_of_its_objective():
    """One class against the rest, squared hinge, the bias penalised like a weight; solved by L-BFGS."""
    rng = np.random.default_rng(0)
    means = rng.normal(size=(3, 4))
    labels = np.repeat(["a", "b", "c"], 8)
    X = means[np.repeat([0, 1, 2], 8), None] + rng.normal(size=(24, 2, 4))
    tests = means[rng.integers(3, size=60), None] + rng.normal(size=(60, 5, 4))
    flat = torch.tensor(np.concatenate([X.reshape(48, 4), np.ones((48, 1))], 1))
    scores = []
    for name in "abc":
        sign = torch.tensor(np.where(np.repeat(labels, 2) == name, 1.0, -1.0))
        w = torch.zeros(5, dtype=torch.float64, requires_grad=True)
        solver = torch.optim.LBFGS([w], max_iter=500, tolerance_grad=1e-10, line_search_fn="strong_wolfe")

        def closure(w=w, sign=sign, solver=solver):
            solver.zero_grad()
            value = 0.5 * w @ w + 0.1 * (1 - sign * (flat @ w)).relu().square().sum()
            value.backward()
            return value

        solver.step(closure)
        scores.append((tests @ w.detach().numpy()[:4] + w.detach().numpy()[4]).sum(1))
    expected = np.array(["a", "b", "c"])[np.argmax(scores, 0)]
    assert linear_svm(X, list(labels), tests, C=0.1) == list(expected)
    two = labels != "c"
    assert set(linear_svm(X[two], list(labels[two]), X[two])) == {"a", "b"}


def test_reads_the_published_splits(shared_data):
    videos = read_hmdb51(shared_data / "retrieval")
    assert len(videos) == 6766
    assert len({video.label for video in videos}) == 51
    for split in range(3):
        parts = [video.parts[split] for video in videos]
        assert (parts.count("train"), parts.count("test")) == (3570, 1530)


def test_lists_of_ucf_may_lie_in_their_own_folder(ucf):
    plain = read_ucf101(ucf)
    (ucf / "ucfTrainTestlist").mkdir()
    for path in list(ucf.glob("*list0*.txt")):
        path.rename(ucf / "ucfTrainTestlist" / path.name)
    assert read_ucf101(ucf) == plain


@pytest.fixture
def kinetics(tmp_path):
    """Three classes of four clips, one of which is named by its id alone, and one is not there."""
    rows = {"train.csv": [], "validate.csv": []}
    for colour in COLOURS:
        for number in range(4):
            name = f"{colour}-{number}" if number == 3 else f"{colour}-{number}_000010_000020"
            if (colour, number) != ("blue", 0):
                toy.make_video(tmp_path / f"{name}.mp4", [colour] * 5, 1)
            part = "validate.csv" if number % 2 else "train.csv"
            rows[part].append(f"{colour} things,{colour}-{number},10,20,{part[:-4]}")
    for part, lines in rows.items():
        head = "label,youtube_id,time_start,time_end,split"
        (tmp_path / part).write_text("\n".join([head, *lines]))
    return tmp_path


def test_kinetics_has_one_split_and_clips_by_id_and_seconds(kinetics, monkeypatch):
    listed = read_kinetics700(kinetics)
    assert [one.video for one in listed[:2]] == ["red-0_000010_000020", "red-2_000010_000020"]
    assert [one.video for one in listed[-2:]] == ["blue-1_000010_000020", "blue-3"]
    assert {one.parts for one in listed} == {("train",), ("test",)}
    monkeypatch.setattr(action_recognition, "CUT", replace(action_recognition.CUT, frames=24, size=16))
    result = KINETICS700(toy.ColourEncoder(), kinetics)
    assert result.rows == {"accuracy": {"accuracy": 1.0}} and result.published == ()
    assert (result.missing, result.definition["windows"]) == (("blue-0_000010_000020",), 4)
    (kinetics / "train.csv").write_text("label,youtube_id\nred,a\n")
    with pytest.raises(SaysoError, match=r"train\.csv needs the columns label, youtube_id, time_start"):
        KINETICS700(toy.ColourEncoder(), kinetics)


def test_published_rows_stand_beside_the_published_windows_only(ucf, monkeypatch):
    monkeypatch.setattr(action_recognition, "CUT", replace(action_recognition.CUT, frames=24, size=16))
    for windows, rows in ((None, 1), (10, 1), (3, 0)):
        assert len(UCF101(toy.ColourEncoder(), ucf, EvaluationOptions(windows=windows)).published) == rows


def test_of_many_windows_some_are_learned_from(monkeypatch):
    rng = np.random.default_rng(0)
    X, labels = rng.normal(size=(30, 4, 5)), ["a", "b", "c"] * 10
    X[:, :, 0] += 5 * np.arange(30)[:, None] % 15
    taken = []

    class Svm:
        classes_ = np.array(["a", "b", "c"])

        def fit(self, examples, classes):
            taken.append((examples, classes))

        def decision_function(self, rows):
            return np.zeros((len(rows), 3))

    monkeypatch.setattr(action_recognition, "EXAMPLES", 50)
    monkeypatch.setattr("sklearn.svm.LinearSVC", lambda **_: Svm())
    linear_svm(X, labels, X[:2])
    (examples, classes), rows = taken[0], X.reshape(120, 5)
    at = [int(np.flatnonzero((rows == one).all(1))[0]) for one in examples]
    assert len(at) == len(set(at)) == 50 and list(classes) == [labels[k // 4] for k in at]


def test_says_what_is_wrong(tmp_path, monkeypatch):
    with pytest.raises(SaysoError, match=r"hmdb51\.csv cannot be read: put the lists there"):
        HMDB51(toy.ColourEncoder(), tmp_path)
    (tmp_path / "hmdb51.csv").write_text("video_id,label,split1\na.avi,x,1\n")
    with pytest.raises(SaysoError, match="needs the columns video_id, label, split1, split2, split3"):
        HMDB51(toy.ColourEncoder(), tmp_path)
    (tmp_path / "hmdb51.csv").write_text("video_id,label,split1,split2,split3\na.avi,x,1,1,1\n")
    with pytest.raises(SaysoError, match="split 1 has videos of 0 classes to train on and 0 to test"):
        HMDB51(toy.ColourEncoder(), tmp_path)
    monkeypatch.setitem(__import__("sys").modules, "sklearn", None)
    with pytest.raises(MissingExtra, match="evaluate"):
        HMDB51(toy.ColourEncoder(), tmp_path)
