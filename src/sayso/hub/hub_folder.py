"""What a model folder of the hub holds: the length of its embeddings, its identity, the model."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sayso.core.errors import SaysoError
from sayso.core.io import sha256_of
from sayso.core.lazy import need

if TYPE_CHECKING:
    import torch

PROJECTIONS = ("text_projection.weight", "text_model.head.weight")  # CLIP and its kind; SigLIP
LANGUAGE_MODELS = ("ForConditionalGeneration", "ForCausalLM", "ForVisionText2Text", "LMHeadModel")
DECIDING = (
    "*.safetensors",
    "*config.json",
    "tokenizer.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "*.model",
    "*.jinja",
)


def dimension(folder: Path) -> int:
    """Return D, read from the header of the weights.

    Raises:
        SaysoError: if there are no safetensors, or they hold no dual encoder that is known here.
    """
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        pickled = any(folder.glob("*.bin"))
        raise SaysoError(
            f"{folder} has only pickled weights (.bin), which can run code and are not read; convert them to"
            " safetensors: load with transformers, then save_pretrained"
            if pickled
            else f"{folder} is no model folder: it has no *.safetensors"
        )
    for file in files:
        header = _header(file)
        for name in PROJECTIONS:
            if name in header:
                return int(header[name]["shape"][0])
    raise SaysoError(
        f"{folder} holds no dual encoder of pictures and texts that sayso knows"
        " (CLIP, SigLIP, SigLIP 2 and their kind)"
    )


def is_dual_encoder(folder: Path) -> bool:
    """Tell whether a folder holds a dual encoder that is known here."""
    try:
        return dimension(folder) > 0
    except SaysoError:
        return False


def is_language_model(folder: Path) -> bool:
    """Tell whether a folder holds a model that writes text, with pictures or without."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        names = [str(name) for name in config.get("architectures") or ()]
    except (OSError, ValueError, TypeError, AttributeError):
        return False
    return any(name.endswith(LANGUAGE_MODELS) for name in names)


def refuse_own_code(folder: Path, name: str) -> None:
    """Refuse a model that only code of its own folder can run.

    Args:
        folder: of the hub.
        name: what the model is called.

    Raises:
        SaysoError: if the transformers library does not know its kind, and it has code for it.
    """
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        kind, own = str(config["model_type"]), bool(config["auto_map"])
    except (OSError, ValueError, TypeError, KeyError):
        return
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

    if own and kind not in CONFIG_MAPPING_NAMES:
        raise SaysoError(
            f"{name} ({kind}) needs code that its folder brings along, which sayso never runs; take a model"
            " whose kind the transformers library knows"
        )


def identity(folder: Path) -> str:
    """Return a digest of the files of a model folder that decide its embeddings."""
    digest = hashlib.sha256()
    for path in sorted({path for pattern in DECIDING for path in folder.glob(pattern)}):
        digest.update(f"{path.name} {_file_sha256(path)}\n".encode())
    return digest.hexdigest()


def _file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file; the hub's cache names large files by it."""
    blob = path.resolve()
    return blob.name if blob.parent.name == "blobs" and len(blob.name) == 64 else sha256_of(path)


def _header(file: Path) -> dict[str, Any]:
    """Return the names, types and shapes in a safetensors file (its format: 8 bytes of length, JSON)."""
    try:
        with file.open("rb") as stream:
            length = min(int.from_bytes(stream.read(8), "little"), file.stat().st_size)
            header: dict[str, Any] = json.loads(stream.read(length))
    except (ValueError, RecursionError) as error:
        raise SaysoError(f"the weights {file} are damaged; fetch them again") from error
    return header


def load_dual_encoder(folder: Path, device: torch.device) -> tuple[Any, Any, Any]:
    """Load model (float32, for inference), tokeniser and picture processor; no connection, no output.

    Raises:
        MissingExtra: if transformers is not installed.
        SaysoError: if something in the folder is missing, damaged or unknown.
    """
    transformers = need("transformers", "hub")
    with quiet_transformers(), _told(folder):
        model, report = transformers.AutoModel.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, dtype="float32", output_loading_info=True
        )
    if report["missing_keys"]:
        raise SaysoError(
            f"the model in {folder} lacks {len(report['missing_keys'])} of its weights,"
            f" such as {min(report['missing_keys'])}; fetch it again"
        )
    return model.eval().to(device), *load_preprocessing(folder)


def load_preprocessing(folder: Path) -> tuple[Any, Any]:
    """Load the tokeniser and the picture processor of a folder.

    Raises:
        MissingExtra: if transformers is not installed.
        SaysoError: if something in the folder is missing, damaged or unknown.
    """
    transformers = need("transformers", "hub")
    with quiet_transformers(), _told(folder):
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
        pictures = transformers.AutoImageProcessor.from_pretrained(
            folder, local_files_only=True, backend="pil"
        )
    return tokenizer, pictures


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    """Turn what transformers raises over a folder into a sentence."""
    try:
        yield
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise SaysoError(f"the model in {folder} cannot be loaded: {reason}") from error


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Keep the transformers library from writing to stderr."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
