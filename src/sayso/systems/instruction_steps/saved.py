"""A step model as a folder: ``steps.json`` (names, phrases, options, the encoder) and ``scorer.npz``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from sayso.core.errors import SaysoError
from sayso.core.io import atomic_file, write_atomic
from sayso.systems.instruction_steps.discover import StepModel, StepsRecipe
from sayso.systems.instruction_steps.localization import StepScorer

STEPS, SCORER = "steps.json", "scorer.npz"


def save_model(folder: Path, model: StepModel, found: dict[str, Any]) -> None:
    """Write a model, and what was found with it, into a folder.

    Args:
        folder: is made if it is not there.
        model: the model.
        found: plain data that ``steps.json`` holds as well.
    """
    kept = {
        "encoder": model.encoder,
        "recipe": asdict(model.recipe),
        "names": model.names,
        "phrases": model.phrases,
        "mean_positive_scores": model.mean_positive_scores,
    }
    with atomic_file(folder / SCORER) as file:
        np.savez(file, mean=model.scorer.mean, scale=model.scorer.scale, W=model.scorer.W)
    text = json.dumps({**found, "model": kept}, ensure_ascii=False, indent=1)
    write_atomic(folder / STEPS, text + "\n")


def load_model(folder: Path) -> StepModel:
    """Read a model.

    Raises:
        SaysoError: if the folder holds none, or a broken one.
    """
    try:
        kept = json.loads((folder / STEPS).read_text(encoding="utf-8"))["model"]
        with np.load(folder / SCORER, allow_pickle=False) as arrays:
            scorer = StepScorer(arrays["mean"], float(arrays["scale"]), arrays["W"])
        model = StepModel(
            tuple(kept["names"]),
            tuple(map(tuple, kept["phrases"])),
            scorer,
            tuple(map(float, kept["mean_positive_scores"])),
            StepsRecipe(**kept["recipe"]),
            str(kept["encoder"]),
        )
        shapes = scorer.W.shape == (len(scorer.mean), len(model.names)) and len(model.phrases) == len(
            model.names
        )
        if not shapes or len(model.mean_positive_scores) != len(model.names):
            raise ValueError("its parts disagree")  # noqa: TRY301
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SaysoError(
            f"{folder} holds no steps that can be read ({error});"
            " write them with: sayso steps FOLDER --out OUT"
        ) from error
    return model
