"""The CrossTask release's format, and the published recall."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import toy
from sayso.core.errors import SaysoError
from sayso.data.datasets.crosstask import read_segments, read_tasks, truth
from sayso.evaluation.crosstask import CROSSTASK, CROSSTASK_SPLITS, left_to_test
from sayso.evaluation.evaluator import Count, EvaluationOptions
from sayso.evaluation.placed_steps import uniform
from sayso.metrics.steps import mean_recall, step_recall
from sayso.systems.crosstask import StepClassifier


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """Two tasks whose steps are colours; of five listed videos one is lost, one task is not primary."""
    one, two, three = sorted(toy.COLOURS)[:3]
    tasks = f"7\nMake Tea\nx\n2\n{one},{two}\n\n8\nMix\nx\n3\n{two},{three},{one}\n"
    (tmp_path / "tasks_primary.txt").write_text(tasks)
    (tmp_path / "videos_val.csv").write_text("7,aa,x\n7,lost,x\n8,cc,x\n8,short,x\n9,aa,x\n")
    (tmp_path / "annotations").mkdir()
    (tmp_path / "videos").mkdir()
    toy.make_video(tmp_path / "videos" / "aa.mp4", [three, one, two], 4)
    (tmp_path / "annotations" / "7_aa.csv").write_text("1,4,8\n2,8,12\n")
    toy.make_video(tmp_path / "videos" / "cc.mp4", [two, three, one], 4)
    (tmp_path / "annotations" / "8_cc.csv").write_text("1,0,4\n2,8,12\n")  # the second is elsewhere
    toy.make_video(tmp_path / "videos" / "short.mp4", [two], 2)
    (tmp_path / "annotations" / "8_short.csv").write_text("1,0,1\n")
    return tmp_path


def test_zero_shot_finds_steps_that_are_seen(release: Path) -> None:
    encoder = toy.ColourEncoder()
    result = CROSSTASK(encoder, release, EvaluationOptions(cache=release / "cache"))
    assert result.counts == {"videos": Count(3, 4)}
    assert (result.missing, result.unreadable) == (("lost",), ())
    recalls = {name: row["recall"] for name, row in result.rows.items()}
    mean = pytest.approx((1 + 2 / 3) / 2)
    assert recalls == {"Make Tea": 1.0, "Mix": pytest.approx(2 / 3), "mean of 2 tasks": mean}
    assert result.primary.value == mean
    (kept,) = (release / "cache" / "crosstask").iterdir()
    for video in (release / "videos").iterdir():
        video.unlink()
    assert CROSSTASK(encoder, release, EvaluationOptions(features=kept)) == result
    (kept / "aa.npy").write_bytes(b"no array")
    with_one_less = CROSSTASK(encoder, release, EvaluationOptions(features=kept))
    assert with_one_less.counts == {"videos": Count(2, 4)}
    assert "aa.npy cannot be read" in with_one_less.unreadable[0]


def test_the_published_draws_leave_out_what_is_trained_on_and_validated(release: Path) -> None:
    """Of 45 videos of a task two are kept for validation, and 13 tested: those that are not drawn."""
    encoder, rng = toy.ColourEncoder(), np.random.default_rng(0)
    one, two = sorted(toy.COLOURS)[:2]
    listed = [("7", f"v{k}") for k in range(45)] + [("8", f"w{k}") for k in range(30)]
    lines = "".join(f"{task},{video},x\n" for task, video in listed)
    (release / "videos.csv").write_text(lines)
    (release / "videos_val.csv").write_text("7,v3,x\n7,v9,x\n")
    right = {}
    (release / "features").mkdir()
    for task, video in listed:
        seconds = encoder.encode_text([one, one, two, two])
        np.save(release / "features" / f"{video}.npy", seconds)
        right[video] = bool(rng.integers(2))
        place = "1,0,2\n2,2,4\n" if right[video] else "1,2,4\n2,0,2\n"
        if video != "v20":  # one that nobody annotated
            (release / "annotations" / f"{task}_{video}.csv").write_text(place)
    options = EvaluationOptions(features=release / "features", seeds=(0, 1, 2))
    result = CROSSTASK_SPLITS(encoder, release, options)
    expected = []
    for seed in (0, 1, 2):
        legacy = np.random.RandomState(seed)  # random_split of the public code
        videos = [f"v{k}" for k in range(45) if k not in (3, 9)]
        drawn = legacy.choice(videos, 30, replace=False).tolist()
        tested = [video for video in videos if video not in drawn]
        assert tested == [video for _, video in left_to_test([("7", v) for v in videos], seed)]
        expected.append(np.mean([right[video] for video in tested if video != "v20"]))
    assert result.rows["Make Tea"] == pytest.approx(
        {"recall": np.mean(expected), "sd": np.std(expected, ddof=1)}
    )
    assert list(result.rows) == ["Make Tea", "mean of 1 task"], "a task of 30 videos is all trained on"
    assert result.counts == {"videos": Count(72, 72)}
    published = {"MIL-NCE, S3D, zero-shot", "Zhukov et al., trained on it"}
    assert published <= {row["model"] for row in result.published}
    kept = CROSSTASK(encoder, release, EvaluationOptions(features=release / "features"))
    assert not published & {row["model"] for row in kept.published}
    texts = encoder.encode_text([one, two])
    trained = StepClassifier(
        *({"7": (one, two)}, "steps", (one, two), texts, np.zeros(2, np.float32)),
        *(np.zeros(texts.shape[1], np.float32), np.ones(1, np.float32)),
        draw=1,
    )
    assert StepClassifier.from_folder(trained.to_folder(), name="x", device="cpu").draw == 1
    all_draws = EvaluationOptions(features=release / "features")
    of_its_draw = CROSSTASK_SPLITS(trained, release, all_draws)
    assert of_its_draw.rows["Make Tea"] == pytest.approx({"recall": expected[1], "sd": None})
    assert of_its_draw.definition["seeds"] == [1] and of_its_draw.counts["videos"].listed in (12, 13)
    with pytest.raises(SaysoError, match="learned from draw 1 and can be tested on that one alone"):
        CROSSTASK_SPLITS(trained, release, options)
    with pytest.raises(SaysoError, match="learned from all videos but those of the validation list"):
        CROSSTASK_SPLITS(replace(trained, draw=None), release, all_draws)


def test_zero_shot_says_what_is_wrong(release: Path) -> None:
    encoder = toy.ColourEncoder()

    def run(features=None):
        return CROSSTASK(encoder, release, EvaluationOptions(features=features, cache=release / "cache"))

    (release / "features").mkdir()
    with pytest.raises(SaysoError, match=r"none of the 4 videos is there: .* aa.mp4"):
        run(features=release / "features")
    np.save(release / "features" / "aa.npy", np.ones((5, 2)))
    with pytest.raises(SaysoError, match=r"aa.npy holds \(5, 2\), expected \(T, "):
        run(features=release / "features")
    (release / "annotations" / "7_aa.csv").unlink()
    with_one_less = run()
    assert with_one_less.counts == {"videos": Count(2, 4)}
    assert "7_aa.csv cannot be read" in with_one_less.unreadable[0]
    (release / "videos_val.csv").write_text("9,aa,x\n")
    with pytest.raises(SaysoError, match="lists no video of the tasks"):
        run()
    (release / "videos_val.csv").unlink()
    with pytest.raises(SaysoError, match=r"videos_val\.csv cannot be read"):
        run()


def test_the_real_release(shared_data: Path) -> None:
    release = shared_data / "crosstask_release"
    tasks = read_tasks(release / "tasks_primary.txt")
    assert len(tasks) == 18
    oracle: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {task: [] for task in tasks}
    even: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {task: [] for task in tasks}
    for path in sorted((release / "annotations").glob("*.csv")):
        task = path.stem.partition("_")[0]
        if task not in tasks:
            continue
        steps = len(tasks[task].steps)
        segments = read_segments(path, steps)
        seconds = max([steps, *(int(np.ceil(segment.end)) for segment in segments)])
        inside = truth(segments, seconds, steps)
        oracle[task].append((inside, inside.argmax(axis=0)))
        even[task].append((inside, uniform(seconds, steps)))
    assert mean_recall(step_recall(oracle)) == 1.0
    recall = mean_recall(step_recall(even))
    print(sum(map(len, oracle.values())), "videos, uniform", recall)
    assert 0.02 < recall < 0.35
