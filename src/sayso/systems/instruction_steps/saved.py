"""A step model as a folder: ``steps.json`` (names, phrases, options, the encoder) and ``looks.npz``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from sayso.core.errors import SaysoError
from sayso.systems.instruction_steps.discover import Recipe, StepModel
from sayso.systems.instruction_steps.places import Looks

STEPS, LOOKS = "steps.json", "looks.npz"


def save_model(folder: Path, model: StepModel, encoder: str, found: dict[str, Any]) -> None:
    """Write a model, and what was found with it, into a folder.

    Args:
        folder: is made if it is not there.
        model: the model.
        encoder: what its features are of, as ``--model`` takes it.
        found: plain data that ``steps.json`` holds as well.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kept = {
        "encoder": encoder,
        "recipe": asdict(model.recipe),
        "names": model.names,
        "phrases": model.phrases,
        "typical": model.typical,
    }
    with (folder / LOOKS).open("wb") as file:
        np.savez(file, mean=model.looks.mean, scale=model.looks.scale, W=model.looks.W)
    text = json.dumps({**found, "model": kept}, ensure_ascii=False, indent=1)
    (folder / STEPS).write_text(text + "\n", encoding="utf-8")


def load_model(folder: Path) -> tuple[StepModel, str]:
    """Read a model and what its features are of.

    Raises:
        SaysoError: if the folder holds none, or a broken one.
    """
    try:
        kept = json.loads((folder / STEPS).read_text(encoding="utf-8"))["model"]
        with np.load(folder / LOOKS, allow_pickle=False) as arrays:
            looks = Looks(arrays["mean"], float(arrays["scale"]), arrays["W"])
        model = StepModel(
            tuple(kept["names"]),
            tuple(map(tuple, kept["phrases"])),
            looks,
            tuple(map(float, kept["typical"])),
            Recipe(**kept["recipe"]),
        )
        shapes = looks.W.shape == (len(looks.mean), len(model.names)) and len(model.phrases) == len(
            model.names
        )
        if not shapes or len(model.typical) != len(model.names):
            raise ValueError("its parts disagree")  # noqa: TRY301
        return model, str(kept["encoder"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SaysoError(
            f"{folder} holds no steps that can be read ({error});"
            " write them with: sayso steps FOLDER --out OUT"
        ) from error
