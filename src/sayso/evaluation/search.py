"""How honest and how good a search is: is the right file first, and is a score what it says?

A mixed collection (``search_collection``) is indexed with and without caption files. For queries by what
pictures show the rank of the right file is taken; caption files of other files should not change it. Of all
queries the score of the best hit is compared with whether what was asked for is there at all: how often a
present thing scores above an absent one (AUROC), and how true the score is as a probability (ECE). Half of
what is asked for counts as present: absent queries weigh as much as all present ones; ``ECE, as asked``
weighs each query the same.

``other halves``: slope and offset of the logit of the score are fitted on half of the files and of the absent
queries, and measured on the others; so is the score as it is. The mean, and between what 95 % of them lie.

``rank fusion`` is what sayso did before: reciprocal ranks (Cormack, Clarke & Buettcher 2009) of the same two
rankings, halved, where the index holds words; the cosine where it holds none.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sayso.core.progress import Progress
from sayso.evaluation.evaluator import (
    Count,
    EvaluationOptions,
    EvaluationResult,
    FunctionEvaluator,
    Number,
    Primary,
)
from sayso.evaluation.search_collection import AskedFor, build_collection
from sayso.metrics.roc import roc_auc

COLUMNS = ("R@1", "R@10", "spoken R@1", "AUROC", "nonsense", "absent", "ECE", "ECE, as asked")
REACH = 100
HALVES = 20
_RRF = 60

Values = NDArray[np.float64]
Answers = tuple[list[int | None], Values]  # rank of what was asked for, from 0; and the score of the best hit


def measure_search(
    encoder: Any, data: Path, options: EvaluationOptions, progress: Progress
) -> EvaluationResult:
    """Measure how good and how honest a search is; see ``Evaluator``.

    Args:
        encoder: any dual encoder.
        data: see ``build_collection``.
        options: ``seeds`` of the halves.
        progress: updated with how many queries are done.
    """
    from sayso.index import Index

    found: dict[str, tuple[Answers, Answers]] = {}
    asked: list[AskedFor] = []
    remembering: Any = _Remembering(encoder)
    for name in ("with captions", "without"):
        with tempfile.TemporaryDirectory(prefix="sayso-") as folder:
            media = Path(folder, "media")
            media.mkdir()
            asked = build_collection(data, media, captions=name == "with captions")
            index = Index.open(Path(folder, "x.index"), remembering)
            index.add(media)
            remembering.prepare([one.text for one in asked])
            found[name] = _ask(index, asked, progress, name)
    rows = {}
    for name, (now, fused) in found.items():
        kept = COLUMNS if name == "with captions" else COLUMNS[:2]  # what is spoken is not there without
        for row, answers in ((name, now), (f"rank fusion, {name}", fused)):
            rows[row] = {key: value for key, value in _row(asked, answers).items() if key in kept}
    scores = found["with captions"][0][1]
    rows |= half_rows(asked, scores, options.seeds or tuple(range(HALVES)))
    kinds = [one.kind for one in asked]
    return EvaluationResult(
        protocol="search of a mixed collection",
        primary=Primary("AUROC", rows["with captions"]["AUROC"]),
        columns=COLUMNS,
        rows=rows,
        counts={kind: Count(kinds.count(kind), kinds.count(kind)) for kind in dict.fromkeys(kinds)},
        definition={"reach": REACH, "halves": HALVES},
    )


class _Remembering:
    """An encoder that embeds each text once."""

    def __init__(self, encoder: Any) -> None:
        self._encoder, self._known = encoder, dict[str, NDArray[np.float32]]()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._encoder, name)

    def prepare(self, texts: list[str]) -> None:
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            self._known |= zip(new, self._encoder.encode_text(new), strict=True)

    def encode_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.prepare(list(texts))
        return np.stack([self._known[text] for text in texts])


def _ask(index: Any, asked: list[AskedFor], progress: Progress, name: str) -> tuple[Answers, Answers]:
    """Return the answers of the search, and those of rank fusion."""
    now, before = [], []
    for k, one in enumerate(asked):
        text = '"{}"'.format(one.text.replace('"', " "))
        now.append(_answer(one, [(hit, hit.score) for hit in index.search(text, limit=REACH)]))
        before.append(_answer(one, _fused(index, text)))
        progress.update(k + 1, len(asked), name)
    return _gathered(now), _gathered(before)


def _fused(index: Any, text: str) -> list[tuple[Any, float]]:
    """Return hits by the reciprocal ranks of what is seen and what is said."""
    seen = index.search(text, limit=REACH, text_weight=0, merge=False)
    if not index.store.has_text:
        return [(hit, hit.similarity) for hit in seen]
    said = index.search(text, limit=REACH, text_weight=1, merge=False)
    gains: dict[str, float] = {}
    for ranking in (seen, sorted(said, key=lambda hit: -hit.bm25)):
        for rank, hit in enumerate(ranking):
            gains[hit.id] = gains.get(hit.id, 0.0) + 0.5 * (_RRF + 1) / (_RRF + 1 + rank)
    hits = {hit.id: hit for hit in (*said, *seen)}
    return sorted(((hits[id_], gain) for id_, gain in gains.items()), key=lambda pair: -pair[1])


def _answer(one: AskedFor, ranked: list[tuple[Any, float]]) -> tuple[int | None, float]:
    right = (k for k, (hit, _) in enumerate(ranked) if _is_right(one, hit))
    return next(right, None), max(0.0, ranked[0][1]) if ranked else 0.0


def _is_right(one: AskedFor, hit: Any) -> bool:
    names = [Path(hit.path).name, *(Path(copy.path).name for copy in hit.copies)]
    if one.file not in names:
        return False
    return one.span is None or (hit.start_s < one.span.end and hit.end_s > one.span.start)


def _gathered(answers: list[tuple[int | None, float]]) -> Answers:
    return [rank for rank, _ in answers], np.array([score for _, score in answers])


def _row(asked: list[AskedFor], answers: Answers) -> dict[str, Number]:
    ranks, scores = answers
    kinds, present = np.array([one.kind for one in asked]), np.array([one.present for one in asked])
    auroc = {
        kind: roc_auc(scores[present | (kinds == kind)], present[present | (kinds == kind)])
        for kind in ("nonsense", "absent")
    }
    return {
        "R@1": _recall(ranks, kinds == "visual", 1),
        "R@10": _recall(ranks, kinds == "visual", 10),
        "spoken R@1": _recall(ranks, kinds == "spoken", 1),
        "AUROC": roc_auc(scores, present),
        **auroc,
        "ECE": calibration_error(scores, present, balance(present)),
        "ECE, as asked": calibration_error(scores, present, np.ones(len(scores))),
    }


def _recall(ranks: list[int | None], chosen: NDArray[np.bool_], reach: int) -> float:
    kept = [rank for rank, one in zip(ranks, chosen, strict=True) if one]
    return sum(rank is not None and rank < reach for rank in kept) / max(1, len(kept))


def balance(present: NDArray[np.bool_]) -> Values:
    """Return weights (N,) with which the present and the absent count the same in all."""
    share = present.mean()
    weights: Values = np.where(present, 0.5 / max(share, 1e-9), 0.5 / max(1 - share, 1e-9))
    return weights


def calibration_error(scores: Values, present: NDArray[np.bool_], weights: Values, bins: int = 10) -> float:
    """Return the expected calibration error, weighted.

    Args:
        scores: (N,) from 0 to 1.
        present: (N,) whether what was asked for is there.
        weights: (N,) of the queries.
        bins: of equal width.
    """
    own = np.minimum((scores * bins).astype(int), bins - 1)
    gaps = np.bincount(own, weights * (scores - present), minlength=bins)
    return float(np.abs(gaps).sum() / weights.sum())


@dataclass(frozen=True, slots=True)
class _Logistic:
    """A logistic curve of the score's logit."""

    slope: float
    offset: float

    def __call__(self, scores: Values) -> Values:
        values: Values = 1 / (1 + np.exp(-np.clip(self.slope * _logit(scores) + self.offset, -30, 30)))
        return values

    @classmethod
    def fit(cls, scores: Values, present: NDArray[np.bool_], weights: Values) -> _Logistic:
        """Fit by Newton's method, a little held back."""
        x = np.stack([_logit(scores), np.ones(len(scores))], 1)
        theta = np.array([1.0, 0.0])
        for _ in range(50):
            p = 1 / (1 + np.exp(-np.clip(x @ theta, -30, 30)))
            gradient = x.T @ (weights * (present - p)) - 1e-2 * theta
            step = np.linalg.solve((x.T * (weights * p * (1 - p))) @ x + 1e-2 * np.eye(2), gradient)
            theta = theta + step / max(1.0, float(np.abs(step).max()))
        return cls(*theta.tolist())


def _logit(scores: Values) -> Values:
    clipped = np.clip(scores, 1e-3, 1 - 1e-3)
    logit: Values = np.log(clipped / (1 - clipped))
    return logit


def half_rows(asked: list[AskedFor], scores: Values, seeds: tuple[int, ...]) -> dict[str, dict[str, Number]]:
    """Return the calibration of halves that nothing was fitted on: of the score, and of one fitted anew.

    Args:
        asked: the queries.
        scores: (N,) of their best hits.
        seeds: one a way to cut them into halves; all queries of a file are in one half.
    """
    present = np.array([one.present for one in asked])
    groups = sorted({one.file or one.text for one in asked})
    plain: list[dict[str, float]] = []
    fitted: list[dict[str, float]] = []
    for seed in seeds:
        first = set(np.random.default_rng(seed).permutation(groups)[: len(groups) // 2].tolist())
        train = np.array([(one.file or one.text) in first for one in asked])
        if any(present[half].all() or not present[half].any() for half in (train, ~train)):
            continue  # a small collection
        curve = _Logistic.fit(scores[train], present[train], balance(present[train]))
        for rows, values in ((plain, scores), (fitted, curve(scores))):
            kept, truth = values[~train], present[~train]
            errors = [calibration_error(kept, truth, w) for w in (balance(truth), np.ones(len(kept)))]
            rows.append(dict(zip(COLUMNS[-2:], errors, strict=True)) | {"AUROC": roc_auc(kept, truth)})
    return {
        f"other halves, {name}, {what}": {key: float(of([row[key] for row in rows])) for key in rows[0]}
        for name, rows in (("as it is", plain), ("fitted anew", fitted))
        if rows
        for what, of in (
            ("mean", np.mean),
            ("2.5 %", lambda values: np.percentile(values, 2.5)),
            ("97.5 %", lambda values: np.percentile(values, 97.5)),
        )
    }


SEARCH = FunctionEvaluator(
    name="search",
    title="pictures and videos, half of these spoken over; what is there and what is not",
    measures="the right file by words, with and without caption files; how true scores are",
    data="a folder of coco/ (captions.json, images/), videos/ and tvperson/ (*.subtitles.json)",
    measure=measure_search,
    takes=("seeds",),
)
