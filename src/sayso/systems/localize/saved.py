"""A trained localizer's folder.

config.json          the classes, the backbone's name, how to look
model.safetensors    the head's weights, and the backbone's if it learned
README.md            the model card
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from sayso.core.device import resolve_device
from sayso.core.errors import SaysoError
from sayso.core.lazy import need
from sayso.encoders.backbones import load_backbone
from sayso.models.score_map_head import MapHead
from sayso.systems.localize.locate import Localizer, Look

if TYPE_CHECKING:
    from torch import Tensor

FORMAT, KIND, WEIGHTS = 1, "localize", "model.safetensors"
_BACKBONE = "backbone."


def save(localizer: Localizer, folder: Path, *, learned: bool, about: str) -> None:
    """Write a localizer.

    Args:
        localizer: what to write.
        folder: where to; made if it is missing.
        learned: whether the backbone's weights are its own.
        about: how it was trained, Markdown.
    """
    files = need("safetensors.torch", "train")
    folder.mkdir(parents=True, exist_ok=True)
    weights = {f"head.{name}": value for name, value in localizer.head.state_dict().items()}
    if learned:
        weights |= {_BACKBONE + name: value for name, value in localizer.backbone.state_dict().items()}
    first = localizer.head.layers[0]
    config = {
        "sayso": FORMAT,
        "kind": KIND,
        "names": localizer.names,
        "backbone": localizer.backbone.name,
        "hidden": first.out_channels if len(localizer.head.layers) > 2 else 0,
        "look": asdict(localizer.look),
    }
    (folder / "config.json").write_text(json.dumps(config, ensure_ascii=False, indent=1) + "\n", "utf-8")
    files.save_file({name: value.cpu().contiguous() for name, value in weights.items()}, folder / WEIGHTS)
    (folder / "README.md").write_text(_card(localizer, about), "utf-8")


def load(folder: str | os.PathLike[str], *, device: str = "auto") -> Localizer:
    """Load a localizer; of a run's folder, the best step, or the last where none was measured.

    Raises:
        SaysoError: if the folder holds none, or a file is missing or damaged.
        MissingExtra: if a package that it needs is not installed.
        Unavailable: if its backbone is not on this machine and cannot be fetched.
    """
    files = need("safetensors.torch", "train")
    from safetensors import SafetensorError

    place = _step_of(Path(folder).expanduser())
    try:
        config = json.loads((place / "config.json").read_text("utf-8"))
        if config.get("kind") != KIND or config["sayso"] != FORMAT:
            raise SaysoError(f"{folder} holds no localizer of this version; see: sayso train localize")
        weights: dict[str, Tensor] = files.load_file(place / WEIGHTS)
        look = config["look"]
        backbone = load_backbone(config["backbone"])
        head = MapHead(backbone.dim, len(config["names"]), config["hidden"])
        head.load_state_dict(_part(weights, "head."))
        if own := _part(weights, _BACKBONE):
            backbone.load_state_dict(own)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        first = str(error).splitlines()[0]
        raise SaysoError(f"the localizer {folder} cannot be read: {first}; train or copy it again") from error
    return Localizer(
        backbone,
        head,
        config["names"],
        Look(**{**look, "scales": tuple(look["scales"])}),
        name=str(folder),
        device=resolve_device(device),
        sha256=_identity(config, weights),
    )


def _step_of(folder: Path) -> Path:
    steps = (folder / name for name in ("best", "latest"))
    return next((step for step in steps if (step / "config.json").is_file()), folder)


def _part(weights: dict[str, Tensor], start: str) -> dict[str, Tensor]:
    return {name.removeprefix(start): value for name, value in weights.items() if name.startswith(start)}


def _identity(config: dict[str, object], weights: dict[str, Tensor]) -> str:
    digest = hashlib.sha256(json.dumps(config, sort_keys=True).encode())
    for name, value in sorted(weights.items()):
        digest.update(name.encode() + value.numpy().tobytes())
    return digest.hexdigest()


def _card(localizer: Localizer, about: str) -> str:
    look = localizer.look
    return f"""---
library_name: sayso
pipeline_tag: object-detection
tags: [weakly-supervised-localization]
---

# Where things are, learned from tags alone

{about or "Trained with sayso."}

Backbone {localizer.backbone.name}, pooling {look.pooling}, {len(localizer.names)} classes:
{", ".join(localizer.names)}.

```
sayso localize THIS_FOLDER picture.jpg
```
"""
