"""An evaluator: how well a dual encoder ranks pictures by the name of a tag, which it never learned."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sayso.core.progress import Progress
from sayso.data import read_tagged
from sayso.encoders import Encoder
from sayso.evaluation import Count, EvaluationOptions, EvaluationResult, Primary, embed_pictures
from sayso.metrics.average_precision import average_precision

DEFAULTS = EvaluationOptions()


@dataclass(frozen=True)
class ZeroShotTagging:
    """Average precision of each tag, its pictures ranked by their scores for its name."""

    name = "zero_shot_tagging"
    title = "tagged pictures: VOC, COCO, a CSV, folders of tags"
    measures = "average precision of each tag's name"
    needs = ("encoder",)
    data = "tagged pictures: the folder of VOC or COCO, a .json, a .csv, or folders of pictures, one a tag"
    takes = ("images",)

    def __call__(
        self,
        model: Encoder,
        data: Path,
        options: EvaluationOptions = DEFAULTS,
        progress: Progress | None = None,
    ) -> EvaluationResult:
        """Rank the pictures for each name."""
        tagged = read_tagged(data, images=options.images)
        paths = [picture.path for picture in tagged.pictures]
        found = embed_pictures(model, paths, cache=options.cache, progress=progress)
        scores = found.embeddings @ model.encode_text(tagged.names).T  # (B, C)
        truth = np.array([tagged.pictures[k].labels for k in found.used])
        rows = {
            name: {
                "pictures": int((own > 0).sum()),
                "AP": average_precision(score[own != 0], own[own != 0] > 0),
            }
            for name, score, own in zip(tagged.names, scores.T, truth.T, strict=True)
            if (own > 0).any()
        }
        mean = float(np.mean([row["AP"] for row in rows.values()]))
        return EvaluationResult(
            protocol="tags by their names",
            primary=Primary("AP", mean),
            columns=("pictures", "AP"),
            rows={**rows, "mean": {"AP": mean}},
            counts={"pictures": Count(len(found.used), len(paths) + len(tagged.missing))},
            missing=tagged.missing,
            unreadable=found.unreadable,
        )


ZERO_SHOT_TAGGING = ZeroShotTagging()
