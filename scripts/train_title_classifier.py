"""Learn which how-to titles are about something that can be seen, and measure it.

    python scripts/train_title_classifier.py LABELLED.csv                     five folds, with intervals
    python scripts/train_title_classifier.py LABELLED.csv --test OTHER.csv    learn from all, measure others
    python scripts/train_title_classifier.py LABELLED.csv --out FILE.npz      what sayso ships

LABELLED.csv has the columns title, visual (1 or 0) and, optionally, doubtful. ``task_titles.csv``, beside
this script, is learned from as well, and never measured on: titles made up for it, far from the border.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.model_selection import StratifiedKFold

from sayso.models.minilm import MiniLM
from sayso.systems.corpus.title_features import read_words, title_features, verb_kind

C = 0.3
THRESHOLD = 0.5
SEEDS = range(5)
DRAWS = 2000  # of the bootstrap
EMBEDDING = slice(0, 384)  # of the sentence "How to ..." among the features


def read(path: Path) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Return the titles, which of them can be seen, and which are doubtful."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    numbers = {key: np.array([int(row.get(key) or 0) for row in rows]) for key in ("visual", "doubtful")}
    return [row["title"] for row in rows], numbers["visual"], numbers["doubtful"]


def fit(x: np.ndarray, y: np.ndarray) -> LogisticRegression:
    """Return the classifier of features (N, D)."""
    return LogisticRegression(C=C, max_iter=5000).fit(x, y)


def scores_of_folds(x: np.ndarray, y: np.ndarray, seed: int, more: Any = None) -> np.ndarray:
    """Return (N,) scores, each by a classifier that did not learn from the title's fold."""
    found = np.zeros(len(y))
    for learned, tested in StratifiedKFold(5, shuffle=True, random_state=seed).split(x, y):
        extra = more or (x[:0], y[:0])
        model = fit(np.concatenate([x[learned], extra[0]]), np.concatenate([y[learned], extra[1]]))
        found[tested] = model.predict_proba(x[tested])[:, 1]
    return found


def measure(scores: np.ndarray, y: np.ndarray, threshold: float = THRESHOLD) -> np.ndarray:
    """Return average precision, precision and recall."""
    chosen = scores >= threshold
    right = (chosen & (y == 1)).sum()
    return np.array(
        [average_precision_score(y, scores), right / max(1, chosen.sum()), right / max(1, y.sum())]
    )


def line(name: str, scores: np.ndarray, y: np.ndarray, doubtful: np.ndarray) -> str:
    """Return a row: all titles with a 95 % interval over titles, and those that are not doubtful."""
    rng = np.random.default_rng(0)
    draws = [rng.integers(0, len(y), len(y)) for _ in range(DRAWS)]
    spread = np.quantile([measure(scores[d], y[d]) for d in draws if y[d].sum() > 0], (0.025, 0.975), axis=0)
    sure = doubtful == 0
    all_of, some = measure(scores, y), measure(scores[sure], y[sure])
    cells = [f"{v:.3f} ({low:.2f}-{high:.2f})" for v, low, high in zip(all_of, *spread, strict=True)]
    return f"{name:34}" + "  ".join(cells) + "   not doubtful " + " ".join(f"{v:.3f}" for v in some)


def rule(titles: list[str], *, topics: bool) -> np.ndarray:
    """Return 1 for titles with a physical verb, and 0 again for those of an excluded topic."""
    known = [read_words(title) for title in titles]
    physical = [w.verb.startswith("make") or verb_kind(w.verb) in ("physical", "either") for w in known]
    return np.array([float(p and not (topics and w.topics)) for p, w in zip(physical, known, strict=True)])


def main() -> None:
    """Measure, or write the classifier."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("labelled", type=Path)
    parser.add_argument("--test", type=Path)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    embed = MiniLM()
    titles, y, doubtful = read(options.labelled)
    made, made_y, _ = read(Path(__file__).with_name("task_titles.csv"))
    made_y = made_y[[title.lower() not in {t.lower() for t in titles} for title in made]]
    made = [title for title in made if title.lower() not in {t.lower() for t in titles}]
    x, more = title_features(titles, embed), (title_features(made, embed), made_y)
    everything = np.concatenate([x, more[0]]), np.concatenate([y, more[1]])
    if options.out:
        model = fit(*everything)
        weights, bias = model.coef_[0].astype(np.float32), np.float32(model.intercept_[0])
        np.savez(options.out, weights=weights, bias=bias)
        print(f"{options.out}: learned from {len(y)} titles and {len(made)} made ones")
        return
    print(f"{'':34}average precision   precision           recall")
    if options.test:
        titles, y2, doubtful = read(options.test)
        x2 = title_features(titles, embed)
        ours = fit(*everything).predict_proba(x2)[:, 1]
        plain = fit(x[:, EMBEDDING], y).predict_proba(x2[:, EMBEDDING])[:, 1]
        y = y2
    else:
        ours = scores_of_folds(x, y, 0, more)
        plain = scores_of_folds(x[:, EMBEDDING], y, 0)
    for name, scores in {
        "keep all": np.ones(len(y)),
        "list of verbs": rule(titles, topics=False),
        "list of verbs minus topics": rule(titles, topics=True),
        "sentence embedding alone": plain,
        "ours": ours,
    }.items():
        print(line(name, scores, y, doubtful))
    if not options.test:
        each = [measure(scores_of_folds(x, y, seed, more), y) for seed in SEEDS]
        mean, spread = np.mean(each, 0), np.std(each, 0, ddof=1)
        cells = "  ".join(f"{m:.3f} +- {s:.3f}" for m, s in zip(mean, spread, strict=True))
        print(f"{'ours, five shuffles of the folds':34}{cells}")


if __name__ == "__main__":
    main()
