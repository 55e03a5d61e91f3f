"""Action recognition on frozen features: HMDB-51, UCF-101 and Kinetics-700, a linear SVM over windows.

DIR holds the splits (``hmdb51.csv``; ``trainlist01.txt`` to ``testlist03.txt``, in DIR or in
``ucfTrainTestlist``; Kinetics' ``train.csv`` and ``validate.csv``) and the videos at any depth, by the
names in the lists; Kinetics' clips by ``ID_000010_000020``, which is ID and seconds, or by ID alone.
Every window of a training video is an example, up to ``EXAMPLES``; a test video is of the class whose
scores add up to most over its windows.

A window is 32 frames of the file, one after the other; those of a video begin at ``linspace(0, n - 32, 10)``,
rounded down, and a video with fewer than 32 ends in black. (Cut by time, 3.2 s at 10 frames a second, most of
these videos would be one window ten times.)

Source
    Miech, Alayrac et al., CVPR 2020, section 4.2; hmdb_loader.py and eval_hmdb.py (b282b15) in
    https://github.com/antoine77340/MIL-NCE_HowTo100M (C = 100; its models have 16 frames a window).
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from sayso.core.errors import SaysoError
from sayso.core.lazy import need
from sayso.evaluation.evaluator import (
    Count,
    EvaluationOptions,
    EvaluationResult,
    FunctionEvaluator,
    Primary,
    mean_row,
)
from sayso.evaluation.windows import Windows, adapted, embed_windows, videos_by_id

if TYPE_CHECKING:
    from sayso.core.progress import Progress
    from sayso.encoders.interface import Encoder

Part = Literal["train", "test"]
PENALTY, SPLITS = 100.0, 3
EXAMPLES = 200_000  # windows that are learned from, at most; HMDB-51 and UCF-101 have fewer
CUT = Windows(count=10, frames=32, size=224, native=True, beyond="black")
KINETICS_WINDOWS = 4  # of half a million videos: ten would be 22 GB of features
_HMDB_PARTS: dict[str, Part] = {"1": "train", "2": "test"}


@dataclass(frozen=True, slots=True)
class LabelledVideo:
    """A video by its id, its class, and of which part it is in each split; None: of neither."""

    video: str
    label: str
    parts: tuple[Part | None, ...]


def _recognition(
    name: str,
    read: Callable[[Path], list[LabelledVideo]],
    title: str,
    data: str,
    published: float | None = None,
    *,
    splits: int = SPLITS,
    windows: int = CUT.count,
) -> FunctionEvaluator:
    """Return an evaluator: linear classification of an encoder's ``video_features``, else its embeddings.

    Args:
        name: of the benchmark.
        read: its lists.
        title: what it is.
        data: what its folder holds.
        published: accuracy of the published S3D; None where it is not known.
        splits: how many the lists have.
        windows: of a video, unless options say otherwise.
    """

    def measure(
        model: Encoder, data: Path, options: EvaluationOptions, progress: Progress
    ) -> EvaluationResult:
        need("sklearn", "evaluate")
        listed = read(data)
        paths = videos_by_id(data)
        there = [video for video in listed if video.video in paths]
        cut = replace(CUT, count=options.windows or windows)
        model = adapted(model, cut)
        embed = "video_features" if hasattr(model, "video_features") else "encode_video"
        cuts = [(paths[video.video], None) for video in there]
        used, features = embed_windows(model, cuts, cut, embed=embed, cache=options.cache, progress=progress)
        videos = [there[number] for number in used]
        rows = {f"split {k + 1}": {"accuracy": _accuracy(features, videos, k)} for k in range(splits)}
        mean = mean_row(rows, ("accuracy",))
        return EvaluationResult(
            protocol=f"{name}, linear classification of frozen features",
            primary=Primary("accuracy", mean["accuracy"]),
            columns=("accuracy",),
            rows={**rows, f"mean of {splits} splits": mean} if splits > 1 else {"accuracy": mean},
            counts={"videos": Count(len(used), len(listed))},
            missing=tuple(video.video for video in listed if video.video not in paths),
            unreadable=tuple(cuts[k][0] for k in sorted(set(range(len(cuts))) - set(used))),
            definition={"features": embed, "windows": cut.count, "window": asdict(cut), "C": PENALTY},
            published=_published(published) if cut.count == windows else (),
        )

    of = {1: "one split", 3: "three splits"}[splits]
    measures = f"accuracy of a linear classifier on frozen features, {of}"
    return FunctionEvaluator(name, title, measures, data, measure, takes=("windows",))


def _published(accuracy: float | None) -> tuple[dict[str, str | float], ...]:
    row = {"model": "MIL-NCE, S3D, linear", "accuracy": accuracy, "source": "CVPR 2020"}
    return () if accuracy is None else (row,)  # type: ignore[return-value]


def linear_svm(
    features: NDArray[np.floating], labels: Sequence[str], tests: NDArray[np.floating], C: float = PENALTY
) -> list[str]:
    """Return the class of each test video, by a linear SVM (one class against the rest).

    Of more than ``EXAMPLES`` windows so many are drawn, always the same, and learned from.

    Args:
        features: (N, W, F) windows of training videos.
        labels: their N classes, two different ones at least.
        tests: (M, W, F) windows of test videos; their scores are added.
        C: the penalty of the squared hinge loss.

    Raises:
        MissingExtra: if scikit-learn is not installed.
    """
    svm = need("sklearn.svm", "evaluate")
    N, W, F = features.shape
    classifier = svm.LinearSVC(C=C, random_state=0)
    examples, classes = features.reshape(N * W, F), np.repeat(np.asarray(labels), W)
    if N * W > EXAMPLES:
        drawn = np.sort(np.random.default_rng(0).choice(N * W, EXAMPLES, replace=False))
        examples, classes = examples[drawn], classes[drawn]
    classifier.fit(examples, classes)
    scores = classifier.decision_function(tests.reshape(-1, F))
    if scores.ndim == 1:  # of two classes, scikit-learn scores the second only
        scores = np.stack([-scores, scores], 1)
    best = scores.reshape(len(tests), -1, scores.shape[1]).sum(1).argmax(1)
    return [str(label) for label in classifier.classes_[best]]


def _accuracy(features: NDArray[np.floating], videos: Sequence[LabelledVideo], split: int) -> float:
    """Return which fraction of a split's test videos is classified right.

    Raises:
        SaysoError: if too few videos are there.
    """
    rows: dict[Part, list[int]] = {"train": [], "test": []}
    for number, video in enumerate(videos):
        part = video.parts[split]
        if part is not None:
            rows[part].append(number)
    labels = [videos[number].label for number in rows["train"]]
    classes, tests = len(set(labels)), len(rows["test"])
    if classes < 2 or not tests:
        raise SaysoError(
            f"split {split + 1} has videos of {classes} classes to train on and {tests} to test;"
            " two and one are needed: videos go by the names in the lists"
        )
    found = linear_svm(features[rows["train"]], labels, features[rows["test"]])
    truth = [videos[number].label for number in rows["test"]]
    return float(np.mean([a == b for a, b in zip(found, truth, strict=True)]))


def read_hmdb51(data: Path) -> list[LabelledVideo]:
    """Read ``hmdb51.csv``: video_id, label, and of each split 1 for train, 2 for test, 0 for neither."""
    rows = list(csv.DictReader(_lines(data / "hmdb51.csv")))
    try:
        return [
            LabelledVideo(
                Path(row["video_id"]).stem,
                row["label"].removesuffix("_test"),
                tuple(_HMDB_PARTS.get(row[f"split{k + 1}"]) for k in range(SPLITS)),
            )
            for row in rows
        ]
    except (KeyError, AttributeError) as error:
        raise SaysoError(
            f"{data / 'hmdb51.csv'} needs the columns video_id, label, split1, split2, split3"
        ) from error


def read_ucf101(data: Path) -> list[LabelledVideo]:
    """Read the train and test lists: ``Class/video.avi``, and in train lists the number of the class."""
    folder = data / "ucfTrainTestlist" if (data / "ucfTrainTestlist").is_dir() else data
    parts: dict[tuple[str, str], list[Part | None]] = {}
    kinds: tuple[Part, ...] = ("train", "test")
    for split in range(SPLITS):
        for part in kinds:
            for line in _lines(folder / f"{part}list{split + 1:02}.txt"):
                if line.strip():
                    path = Path(line.split()[0])
                    parts.setdefault((path.stem, path.parent.name), [None] * SPLITS)[split] = part
    return [LabelledVideo(video, label, tuple(of)) for (video, label), of in parts.items()]


def read_kinetics700(data: Path) -> list[LabelledVideo]:
    """Read ``train.csv`` and ``validate.csv``: label, youtube_id, time_start and time_end, seconds.

    A clip goes by id and seconds (``ID_000010_000020``) where a file of that name is there, else by its id.
    """
    named, found = videos_by_id(data), []
    lists: tuple[tuple[str, Part], ...] = (("train.csv", "train"), ("validate.csv", "test"))
    for name, part in lists:
        try:
            for row in csv.DictReader(_lines(data / name)):
                start, end = (round(float(row[key])) for key in ("time_start", "time_end"))
                clip = f"{row['youtube_id']}_{start:06}_{end:06}"
                whole = clip not in named and row["youtube_id"] in named
                found.append(LabelledVideo(row["youtube_id"] if whole else clip, row["label"], (part,)))
        except (KeyError, TypeError, ValueError) as error:
            raise SaysoError(
                f"{data / name} needs the columns label, youtube_id, time_start, time_end"
            ) from error
    return found


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise SaysoError(
            f"{path} cannot be read: put the lists there, and the videos beside or below them"
        ) from error


HMDB51 = _recognition(
    "hmdb51", read_hmdb51, "HMDB-51", "the folder of hmdb51.csv, with the videos beside or below it", 0.531
)
UCF101 = _recognition(
    "ucf101",
    read_ucf101,
    "UCF-101",
    "the folder of trainlist01.txt to testlist03.txt, with the videos beside or below them",
    0.827,
)
KINETICS700 = _recognition(
    "kinetics700",
    read_kinetics700,
    "Kinetics-700",
    "the folder of train.csv and validate.csv, with the clips beside or below them",
    splits=1,
    windows=KINETICS_WINDOWS,
)
