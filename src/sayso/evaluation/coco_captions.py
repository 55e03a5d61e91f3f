"""Captioning of COCO: CIDEr of a caption for each picture, with few captioned pictures as examples.

Tested are the 5,000 pictures of Karpathy's test split; examples come from its training split. A file
of captions in COCO format is tested as a whole, its other pictures the examples.

Sources
    Chen et al. 2015, COCO Captions. https://arxiv.org/abs/1504.00325
    Awadalla et al. 2023, OpenFlamingo (prompt, decoding, what is cut). https://arxiv.org/abs/2308.01390
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sayso.core.errors import SaysoError
from sayso.core.io import sha256_of
from sayso.data.datasets.coco_captions import CaptionedPictures, read_captioned
from sayso.data.datasets.karpathy import is_karpathy, read_karpathy
from sayso.evaluation.few_shot_data import Answer, FewShotData, Item
from sayso.evaluation.few_shot_evaluator import FewShotEvaluator
from sayso.generators.base import Decoding
from sayso.metrics.captioning import cider

if TYPE_CHECKING:
    from sayso.generators.base import Generator
    from sayso.generators.prompt import Prompt, TemplateName

DECODING = Decoding(max_new_tokens=20, beams=3, length_penalty=0.0, stop=("Output",))
ALL = 1_000_000  # captions a picture


class CaptionTask:
    """Asks for captions, and scores them by CIDEr x 100."""

    metric = "CIDEr"
    template: TemplateName = "caption"

    def answer(self, model: Generator, prompts: Sequence[Prompt]) -> list[str]:
        """Return a caption for each of B prompts, cut as published."""
        return [text.replace('"', "").strip() for text in model.generate(prompts, DECODING)]

    def score(self, answers: Sequence[Answer], items: Sequence[Item]) -> float:
        """Return 100 x CIDEr of N captions."""
        return 100 * cider([str(one) for one in answers], [item.answers for item in items])

    def upload(self, answers: Sequence[Answer], items: Sequence[Item]) -> str:
        """Return N captions as COCO's server takes them."""
        rows = zip(items, answers, strict=True)
        return json.dumps([{"image_id": item.key, "caption": answer} for item, answer in rows]) + "\n"


def read_captions(data: Path, images: Path | None = None) -> FewShotData:
    """Read what is tested and what examples are drawn from.

    Args:
        data: a folder with ``dataset_coco.json`` or ``captions.json``, or such a file.
        images: folder of the pictures; None: beside the file.

    Raises:
        SaysoError: if there is no such file, or it holds no captions.
    """
    found = [data / name for name in ("dataset_coco.json", "captions.json")] if data.is_dir() else [data]
    path = next((one for one in found if one.is_file()), None)
    if path is None:
        raise SaysoError(f"{data} has neither dataset_coco.json nor captions.json")
    source: dict[str, object] = {"source": path.name, "sha256": sha256_of(path)}
    if is_karpathy(path):
        test = read_karpathy(path, images, split="test", captions=ALL)
        train = read_karpathy(path, images, split="train", captions=ALL)
        return FewShotData(_items(test), _items(train), source | {"split": "test"}, _problems(test))
    captions = read_captioned(path, images)
    items = _items(captions)
    return FewShotData(
        items, items, source | {"split": "all; examples are its other pictures"}, _problems(captions)
    )


def _items(captions: CaptionedPictures) -> list[Item]:
    said = defaultdict(list)
    for text, owner in zip(captions.texts, captions.owners, strict=True):
        said[owner].append(text)
    return [
        Item(_key(captions.pictures[k]), captions.pictures[k], "", tuple(texts)) for k, texts in said.items()
    ]


def _key(path: Path) -> int | str:
    """Return COCO's id of a picture, which its file's name ends with, else that name."""
    digits = path.stem.rpartition("_")[2]
    return int(digits) if digits.isdigit() else path.stem


def _problems(captions: CaptionedPictures) -> tuple[str, ...]:
    return tuple(failure.error for failure in captions.failures)


PUBLISHED = (
    *(
        {"model": f"{name}, 4 shots", "CIDEr": value, "source": "OpenFlamingo README"}
        for name, value in (("OpenFlamingo-3B", 77.3), ("OpenFlamingo-4B", 81.8), ("OpenFlamingo-9B", 89.0))
    ),
    *(
        {"model": f"OpenFlamingo-9B, {shots} shots", "CIDEr": value, "source": "its model card"}
        for shots, value in ((0, 79.5), (8, 96.3), (16, 98.8), (32, 99.5))
    ),
)

COCO_CAPTIONS = FewShotEvaluator(
    name="coco-captions",
    title="COCO captions, or one's own in COCO format",
    measures="CIDEr of captions with few examples, beside shuffled and blank pictures",
    data="the folder of dataset_coco.json (Karpathy's splits), or a .json file of captions in COCO format",
    task=CaptionTask(),
    read=read_captions,
    published=PUBLISHED,
)
