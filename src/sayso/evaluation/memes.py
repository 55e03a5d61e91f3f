"""Hateful Memes, few-shot: ROC AUC of the likelihood of "yes" against "no".

Sources
    Kiela et al., NeurIPS 2020. https://arxiv.org/abs/2005.04790
    Awadalla et al. 2023, OpenFlamingo (prompt, ensembles of orders). https://arxiv.org/abs/2308.01390
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sayso.core.errors import SaysoError
from sayso.core.io import sha256_of
from sayso.data.datasets.hateful_memes import Meme, find_test, read_memes
from sayso.evaluation.few_shot_data import Answer, FewShotData, Item
from sayso.evaluation.few_shot_evaluator import FewShotEvaluator
from sayso.metrics.roc import roc_auc

if TYPE_CHECKING:
    from sayso.generators.base import Generator
    from sayso.generators.prompt import Prompt, TemplateName

YES, NO = "yes", "no"
ASKED = "is an image with: '{}' written on it. Is it hateful? Answer:"


class MemeTask:
    """Asks whether a meme is hateful, and scores by ROC AUC x 100."""

    metric = "ROC AUC"
    template: TemplateName = "plain"

    def answer(self, model: Generator, prompts: Sequence[Prompt]) -> list[float]:
        """Return p(yes) / (p(yes) + p(no)) of each of B prompts, from mean log-likelihoods a token."""
        likelihood = model.log_likelihood(prompts, [YES, NO], per_token=True)
        return [float(p) for p in 1 / (1 + np.exp(likelihood[:, 1] - likelihood[:, 0]))]

    def score(self, answers: Sequence[Answer], items: Sequence[Item]) -> float:
        """Return 100 x ROC AUC of N probabilities.

        Raises:
            SaysoError: if all items have the same label.
        """
        hateful = np.array([item.answers[0] == YES for item in items])
        if hateful.all() or not hateful.any():
            raise SaysoError("all memes that can be read have the same label, so that there is no ROC AUC")
        return 100 * roc_auc(np.array(answers, float), hateful)

    def upload(self, answers: Sequence[Answer], items: Sequence[Item]) -> str:
        """Return N probabilities as the challenge takes them."""
        rows = ((item.key, float(p), round(float(p))) for item, p in zip(items, answers, strict=True))
        return "\n".join(["id,proba,label", *(f"{key},{p:.6f},{label}" for key, p, label in rows)]) + "\n"


def read_hateful_memes(folder: Path, images: Path | None = None) -> FewShotData:  # noqa: ARG001  img is in it
    """Read what is tested and what examples are drawn from.

    Args:
        folder: of the data set.
        images: not used: the files name pictures in the folder.

    Raises:
        SaysoError: if a file is missing, or nothing has labels.
    """
    name = find_test(folder)
    (test, wrong), (train, more) = read_memes(folder, name), read_memes(folder, "train")
    source: dict[str, object] = {"source": name, "sha256": sha256_of(folder / f"{name}.jsonl")}
    return FewShotData(_items(test), _items(train), source, (*wrong, *more))


def _items(memes: Sequence[Meme]) -> list[Item]:
    return [
        Item(meme.id, meme.picture, ASKED.format(meme.text), (YES if meme.hateful else NO,))
        for meme in memes
        if meme.hateful is not None
    ]


PUBLISHED = ({"model": "Flamingo-80B, 32 shots", "ROC AUC": 70.0, "source": "NeurIPS 2022"},)

HATEFUL_MEMES = FewShotEvaluator(
    name="hateful-memes",
    title="Hateful Memes",
    measures="ROC AUC with few examples, beside shuffled and blank pictures",
    data="the folder of train.jsonl, dev_seen.jsonl or test_seen.jsonl, and img",
    task=MemeTask(),
    read=read_hateful_memes,
    published=PUBLISHED,
    takes=("shots", "seeds", "rices", "permutations", "predictions"),
)
