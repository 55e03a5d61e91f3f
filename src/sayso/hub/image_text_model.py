"""A folder of a visual language model of the transformers library: the model and its processor."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sayso.core.errors import SaysoError
from sayso.core.lazy import need
from sayso.hub.hub_folder import quiet_transformers

if TYPE_CHECKING:
    import torch


def load_image_text_model(folder: Path, device: torch.device) -> tuple[Any, Any]:
    """Load model (for inference) and processor; no connection, no output.

    Raises:
        MissingExtra: if transformers, or a package that this model needs, is not installed.
        SaysoError: if something in the folder is missing, damaged or unknown.
    """
    transformers = need("transformers", "hub")
    if not any(folder.glob("*.safetensors")):
        raise SaysoError(f"{folder} has no *.safetensors; pickled weights, which can run code, are not read")
    dtype = "float32" if device.type == "cpu" else "bfloat16"
    with quiet_transformers():
        _check_family(folder)
        try:
            model, report = transformers.AutoModelForImageTextToText.from_pretrained(
                folder, local_files_only=True, use_safetensors=True, dtype=dtype, output_loading_info=True
            )
            processor = _processor(folder)
        except (OSError, ValueError, KeyError, RuntimeError, ImportError, AttributeError) as error:
            reason = " ".join((str(error).strip() or type(error).__name__).splitlines()[:3]).strip()
            raise SaysoError(f"the model in {folder} cannot be loaded: {reason}") from error
    if report["missing_keys"]:
        raise SaysoError(
            f"the model in {folder} lacks {len(report['missing_keys'])} of its weights,"
            f" such as {min(report['missing_keys'])}; fetch it again"
        )
    return model.eval().to(device), processor


def _processor(folder: Path) -> Any:
    """Return a folder's processor; where its videos need torchvision, which is not here, one of pictures."""
    import transformers
    from transformers.models.auto.processing_auto import PROCESSOR_MAPPING_NAMES

    try:
        return transformers.AutoProcessor.from_pretrained(folder, local_files_only=True)
    except ImportError as error:
        if "VideoProcessor" not in str(error):
            raise
    family = transformers.AutoConfig.from_pretrained(folder, local_files_only=True).model_type
    whole: Any = getattr(transformers, PROCESSOR_MAPPING_NAMES[family])

    class Pictures(whole):  # type: ignore[misc]  # transformers is untyped
        def check_argument_for_proper_class(self, argument_name: str, argument: Any) -> Any:
            if argument_name == "video_processor":
                return type(None)
            return super().check_argument_for_proper_class(argument_name, argument)

    template = folder / "chat_template.jinja"
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
    pictures = transformers.AutoImageProcessor.from_pretrained(folder, local_files_only=True, backend="pil")
    told = template.read_text(encoding="utf-8") if template.is_file() else tokenizer.chat_template
    return Pictures(
        image_processor=pictures,
        tokenizer=tokenizer,
        video_processor=None,
        chat_template=told,
        **_numbers(folder / "processor_config.json"),
    )


def _numbers(file: Path) -> dict[str, Any]:
    """Return the plain options of a processor, such as how many tokens a picture has."""
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        return {key: value for key, value in told.items() if isinstance(value, int)}
    except (OSError, ValueError, AttributeError):
        return {}


def _check_family(folder: Path) -> None:
    """Refuse models that see no pictures.

    Raises:
        SaysoError: if the folder's is one.
    """
    from transformers import AutoConfig
    from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES

    try:
        family = AutoConfig.from_pretrained(folder, local_files_only=True).model_type
    except (OSError, ValueError, KeyError) as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise SaysoError(f"the model in {folder} cannot be loaded: {first}") from error
    if family not in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES:
        raise SaysoError(
            f"{folder} holds a text-only model ({family}), which sees no pictures; name a visual one, or"
            " train Flamingo on it: sayso train flamingo DATA --out RUN --set language_model=FOLDER"
        )
