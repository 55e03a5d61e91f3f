"""Visual question answering: VQA v2 and OK-VQA, few-shot, by VQA accuracy.

Tested is the validation part; examples come from the training part, or, where that is not here, from
the other questions of the validation part.

Sources
    Goyal et al., CVPR 2017; Marino et al., CVPR 2019.
    Awadalla et al. 2023, OpenFlamingo (prompt, decoding, what is cut). https://arxiv.org/abs/2308.01390
    Li et al. 2022, LAVIS (lemmas of OK-VQA's answers). https://arxiv.org/abs/2209.09019
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sayso.core.errors import SaysoError
from sayso.core.io import sha256_of
from sayso.data.datasets.vqa import find_questions, read_questions
from sayso.evaluation.few_shot_data import Answer, FewShotData, Item
from sayso.evaluation.few_shot_evaluator import FewShotEvaluator
from sayso.generators.base import Decoding
from sayso.metrics.answers import Variant, vqa_accuracy

if TYPE_CHECKING:
    from sayso.generators.base import Generator
    from sayso.generators.prompt import Prompt, TemplateName

DECODING = Decoding(max_new_tokens=5, beams=3, length_penalty=0.0)
_CUT = re.compile(r"Question|Answer|Short")


@dataclass(frozen=True)
class VqaTask:
    """Asks short questions, and scores the answers by VQA accuracy x 100.

    Args:
        variant: when answers are normalised, see ``sayso.metrics.vqa_accuracy``.
        lemmas: whether nouns and verbs of the answers are made lemmas.
    """

    variant: Variant = "official"
    lemmas: bool = False
    metric = "accuracy"
    template: TemplateName = "vqa"

    def answer(self, model: Generator, prompts: Sequence[Prompt]) -> list[str]:
        """Return an answer to each of B prompts, cut as published."""
        return [cut_answer(text) for text in model.generate(prompts, DECODING)]

    def score(self, answers: Sequence[Answer], items: Sequence[Item]) -> float:
        """Return 100 x VQA accuracy of N answers."""
        lemmatize = _lemmatizer() if self.lemmas else None
        references = [item.answers for item in items]
        return 100 * vqa_accuracy(
            [str(one) for one in answers], references, variant=self.variant, lemmatize=lemmatize
        )

    def upload(self, answers: Sequence[Answer], items: Sequence[Item]) -> str:
        """Return N answers as VQA's server takes them."""
        rows = zip(items, answers, strict=True)
        return json.dumps([{"question_id": item.key, "answer": answer} for item, answer in rows]) + "\n"


def read_vqa(folder: Path, images: Path | None = None) -> FewShotData:
    """Read what is tested and what examples are drawn from.

    Args:
        folder: of the official files.
        images: folder of the pictures; None: in ``folder``.

    Raises:
        SaysoError: if the validation part is not here, or has no answers.
    """
    questions = find_questions(folder, "val")
    if questions is None:
        raise SaysoError(f"{folder} has no *OpenEnded*val2014_questions.json")
    test, problems = _items(folder, "val", images)
    if not test:
        raise SaysoError(f"{questions} has no answers: *_annotations.json is not beside it")
    source: dict[str, object] = {"source": questions.name, "sha256": sha256_of(questions), "split": "val"}
    if find_questions(folder, "train") is None:
        return FewShotData(test, test, source | {"examples": "other questions of val"}, problems)
    train, more = _items(folder, "train", images)
    return FewShotData(test, train, source | {"examples": "train"}, problems + more)


def cut_answer(text: str) -> str:
    """Return a generated answer up to the next question, and of a list its first."""
    return _CUT.split(text, maxsplit=1)[0].split(", ")[0].strip()


def _items(folder: Path, split: str, images: Path | None) -> tuple[list[Item], tuple[str, ...]]:
    questions, problems = read_questions(folder, split, images)
    items = [Item(one.id, one.picture, one.text, one.answers) for one in questions if one.answers]
    return items, tuple(problems)


def _lemmatizer() -> Any:
    """Return what makes lemmas of the nouns and verbs of an answer."""
    from sayso.text.language.actions import load_parser

    parser = load_parser()

    def lemmatize(text: str) -> str:
        return " ".join(word.lemma_ if word.pos_ in ("NOUN", "VERB") else word.text for word in parser(text))

    return lemmatize


MEASURES = "VQA accuracy with few examples, beside shuffled and blank pictures"
DATA = "the folder of the official files of questions and annotations, with train2014 and val2014"
VQAV2 = FewShotEvaluator(
    name="vqav2",
    title="VQA v2, validation",
    measures=MEASURES,
    data=DATA,
    task=VqaTask(),
    read=read_vqa,
    published=(
        *(
            {"model": f"{name}, 4 shots", "accuracy": value, "source": "OpenFlamingo README"}
            for name, value in (
                ("OpenFlamingo-3B", 45.8),
                ("OpenFlamingo-4B", 49.0),
                ("OpenFlamingo-9B", 54.8),
            )
        ),
        {"model": "OpenFlamingo-9B, 4 shots", "accuracy": 49.4, "source": "its first model card"},
    ),
)
OK_VQA = FewShotEvaluator(
    name="ok-vqa",
    title="OK-VQA, validation; lemmas by spaCy, as LAVIS",
    measures=MEASURES,
    data=DATA,
    task=VqaTask(lemmas=True),
    read=read_vqa,
    published=tuple(
        {
            "model": f"OpenFlamingo-9B on LLaMA, {shots} shots",
            "accuracy": value,
            "source": "open_flamingo#131",
        }
        for shots, value in ((0, 31.2), (4, 31.6), (8, 34.0), (16, 36.5))
    ),
)
