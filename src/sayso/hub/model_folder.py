"""Model folders of sayso's own: networks that were trained here, or converted from published files.

    config.json          what the network is: kind and options
    transform.json       how a clip is cut and sampled
    words.json           the vocabulary, in the order of the word vectors
    model.safetensors    the weights
    golden.json          what the network makes of a text and a clip that anybody can draw
    README.md            the model card

The folder appears whole or not at all, and is checked against ``golden.json`` when it is read.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sayso.core.errors import SaysoError
from sayso.core.lazy import need
from sayso.encoders.interface import ClipSpec

if TYPE_CHECKING:
    from torch import Tensor

FORMAT = 1
WEIGHTS = "model.safetensors"


@dataclass(frozen=True)
class SavedModel:
    """All that a folder holds.

    Args:
        kind: which network: ``text-video`` or ``howto100m``.
        options: its shape, and how texts are read.
        words: the vocabulary, the word of number 1 first.
        clip: how to cut and sample.
        weights: its state dict.
        golden: what it makes of known inputs.
        about: where it comes from, for the model card.
    """

    kind: str
    options: Mapping[str, Any]
    words: list[str]
    clip: ClipSpec
    weights: Mapping[str, Tensor]
    golden: Mapping[str, Any] = field(default_factory=dict)
    about: str = ""

    def sha256(self) -> str:
        """Return the identity of everything that decides the embeddings."""
        plain = [FORMAT, self.kind, dict(self.options), self.words, asdict(self.clip)]
        digest = hashlib.sha256(json.dumps(plain, sort_keys=True).encode())
        for name, weight in sorted(self.weights.items()):
            digest.update(f"{name} {weight.dtype} {tuple(weight.shape)}\n".encode())
            digest.update(weight.detach().cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()


def kind_of(folder: Path) -> str | None:
    """Return which of sayso's own networks a folder holds; None if it is another model's, or none."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        return str(config["kind"]) if "sayso" in config else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


def write(saved: SavedModel, folder: Path) -> None:
    """Write a model folder.

    Raises:
        MissingExtra: if safetensors is not installed.
        SaysoError: if the folder is there already and not empty.
    """
    torch_files = need("safetensors.torch", "train")
    folder = folder.expanduser().absolute()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SaysoError(f"{folder} is there already and not an empty folder; give another")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as waiting:
        new = Path(waiting, folder.name)
        new.mkdir()
        config = {"sayso": FORMAT, "kind": saved.kind, "options": dict(saved.options)}
        parts = {
            "config": config,
            "transform": asdict(saved.clip),
            "words": saved.words,
            "golden": saved.golden,
        }
        for name, content in parts.items():
            text = json.dumps(content, ensure_ascii=False, indent=None if name in {"words", "golden"} else 1)
            (new / f"{name}.json").write_text(text + "\n", encoding="utf-8")
        (new / "README.md").write_text(_card(saved), encoding="utf-8")
        weights = {name: weight.detach().cpu().contiguous() for name, weight in saved.weights.items()}
        torch_files.save_file(weights, new / WEIGHTS)
        new.replace(folder)


def read(folder: Path) -> SavedModel:
    """Read a model folder; nothing pickled is read.

    Raises:
        MissingExtra: if safetensors is not installed.
        SaysoError: if a file is missing or damaged, or of a later format.
    """
    torch_files = need("safetensors.torch", "train")
    from safetensors import SafetensorError

    try:
        config, transform, words, golden = (
            json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
            for name in ("config", "transform", "words", "golden")
        )
        if config["sayso"] != FORMAT:
            raise SaysoError(
                f"the model {folder} has format {config['sayso']}, this sayso reads {FORMAT}; update"
            )
        weights = torch_files.load_file(folder / WEIGHTS)
        return SavedModel(config["kind"], config["options"], words, ClipSpec(**transform), weights, golden)
    except (OSError, ValueError, TypeError, KeyError, SafetensorError) as error:
        raise SaysoError(f"the model {folder} cannot be read: {error}; copy or convert it again") from error


def push(saved: SavedModel, repository: str, *, private: bool = False) -> str:
    """Write a model to the model hub, as the person who is logged in there; return its address.

    Raises:
        MissingExtra: if huggingface_hub or safetensors is not installed.
        SaysoError: if the hub refuses.
    """
    hub = need("huggingface_hub", "hub")
    with tempfile.TemporaryDirectory() as waiting:
        folder = Path(waiting, "model")
        write(saved, folder)
        try:
            api = hub.HfApi()
            api.create_repo(repository, private=private, exist_ok=True)
            return str(api.upload_folder(repo_id=repository, folder_path=str(folder)))
        except (OSError, ValueError) as error:  # what the hub's client raises derives from these
            raise SaysoError(f"{repository} cannot be written on the model hub: {error}") from error


def _card(saved: SavedModel) -> str:
    """Return the model card."""
    weights = sum(weight.numel() for weight in saved.weights.values())
    options = "\n".join(f"| {name} | {value} |" for name, value in saved.options.items())
    clip = saved.clip
    return f"""---
library_name: sayso
pipeline_tag: video-text-to-text
tags: [video-retrieval, text-video-embedding, {saved.kind}]
---

# Text-video embedding ({saved.kind})

{saved.about or "Trained with sayso."}

Clips: {clip.frames} frames, {clip.fps:g} a second, {clip.size} x {clip.size} ({clip.crop}).
Vocabulary: {len(saved.words):,} words. Weights: {weights:,}.

| option | value |
| --- | --- |
{options}

```python
import sayso

model = sayso.load("this folder")
model.encode_text(["cut the onion"])
```
"""
