"""Evaluators by name, and those of a person's own: a protocol as TOML, captions, a manifest of clips."""

from __future__ import annotations

import tomllib
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from typing import Any

from sayso.core.errors import UsageError
from sayso.core.registry import Registry
from sayso.data.manifest import MANIFESTS
from sayso.evaluation.evaluator import Evaluator


def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads((resources.files("sayso.evaluation") / f"{name}.toml").read_text(encoding="utf-8"))


_HERE = {
    **{name: f"text_video_retrieval:{name}" for name in _toml("text_video_retrieval")},
    "image-retrieval": "image_retrieval:IMAGE_RETRIEVAL",
    "search": "search:SEARCH",
    "caption-choice": "caption_choice:CAPTION_CHOICE",
    "few-shot-naming": "few_shot_naming:FEW_SHOT_NAMING",
    "clip-retrieval": "clip_retrieval:CLIP_RETRIEVAL",
    "drawing-retrieval": "drawing_retrieval:DRAWING_RETRIEVAL",
    **{name: f"zero_shot:{name}" for name in _toml("zero_shot")["sets"]},
    "robustness": "robustness:ROBUSTNESS",
    "zero-shot": "named_classes:ZERO_SHOT",
    "zero-shot-boxes": "named_classes:ZERO_SHOT_BOXES",
    "linear-probe": "linear_probe:LINEAR_PROBE",
    "coco-captions": "coco_captions:COCO_CAPTIONS",
    "vqav2": "vqa:VQAV2",
    "ok-vqa": "vqa:OK_VQA",
    "hateful-memes": "memes:HATEFUL_MEMES",
    "crosstask": "crosstask:CROSSTASK",
    "crosstask-splits": "crosstask:CROSSTASK_SPLITS",
    "coin": "coin:COIN",
    "youtube8m-segments": "youtube8m_segments:YOUTUBE8M_SEGMENTS",
    "hmdb51": "action_recognition:HMDB51",
    "ucf101": "action_recognition:UCF101",
    "kinetics700": "action_recognition:KINETICS700",
    "image-tagging": "image_tagging:IMAGE_TAGGING",
    "voc2007": "localization:VOC2007",
    "voc2012": "localization:VOC2012",
    "voc2012-actions": "localization:VOC2012_ACTIONS",
    "coco-localization": "localization:COCO",
    "weak-localization": "weak_localization:WEAK_LOCALIZATION",
    "script-alignment": "script_alignment:SCRIPT_ALIGNMENT",
    "full-transcripts": "full_transcripts:FULL_TRANSCRIPTS",
    "word-alignment": "word_alignment:WORD_ALIGNMENT",
    "actor-naming": "actor_naming:ACTOR_NAMING",
    "harder-films": "harder_films:HARDER_FILMS",
    "film-actions": "film_actions:FILM_ACTIONS",
    "calibration": "calibration:CALIBRATION",
    "step-discovery": "step_discovery:STEP_DISCOVERY",
    "step-windows": "step_windows:STEP_WINDOWS",
    "step-names": "step_names:STEP_NAMES",
    "step-names-rules": "step_names:STEP_NAMES_BY_RULES",
    "toy-step-names": "toy_step_names:TOY_STEP_NAMES",
}

EVALUATORS: Registry[Evaluator] = Registry(
    "evaluator", "sayso.evaluation", {name: f"sayso.evaluation.{place}" for name, place in _HERE.items()}
)


def find_evaluator(target: str) -> tuple[Evaluator, Path | None]:
    """Return the evaluator that is meant, and the data where the target is itself the data.

    Args:
        target: a name of ``EVALUATORS``; or a file: a protocol (.toml), captions of pictures in COCO format
            (.json), or a manifest of clips with texts (.csv, .jsonl, .parquet).

    Raises:
        UsageError: if it is neither, with the most similar one.
    """
    path, suffix = Path(target).expanduser(), Path(target).suffix.lower()
    if target in EVALUATORS:
        return EVALUATORS[target], None
    if path.is_file() and suffix == ".toml":
        from sayso.evaluation.text_video_retrieval import read_protocol

        return read_protocol(path), None
    if path.is_file() and suffix == ".json":
        return EVALUATORS["image-retrieval"], path
    if path.is_file() and suffix in MANIFESTS:
        return EVALUATORS["clip-retrieval"], path
    known = list(EVALUATORS)
    beside = [str(file) for file in sorted(path.parent.glob(f"*{suffix}"))] if suffix else []
    close = get_close_matches(target, known, n=1) or get_close_matches(str(path), beside, n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    raise UsageError(
        f"{target} is neither a protocol of sayso evaluate --list nor a file of captions (COCO format,"
        f" .json), of clips (.csv) or of a protocol (.toml){hint}"
    )
