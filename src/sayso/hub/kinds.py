"""Which class loads a model: by the kind in its folder, or by the name that a package gave it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from sayso.core.registry import Registry
from sayso.hub.hub_folder import is_language_model
from sayso.hub.model_folder import own_kind

if TYPE_CHECKING:
    from sayso.encoders.interface import Encoder

HUB_ENCODER, HUB_GENERATOR = "hub_encoder", "hub_generator"


class ModelKind(Protocol):
    """What loads the folders of a kind: a class with ``from_pretrained``."""

    def from_pretrained(self, folder: Path, *, name: str, device: str, verify: bool) -> Any:
        """Return the model of a folder; see ``sayso.hub.pretrained.Pretrained``.

        Args:
            folder: a model folder of this kind.
            name: what the model is called.
            device: where it runs.
            verify: whether its reference outputs are checked.
        """


class EncoderFactory(Protocol):
    """What makes an encoder that has a name and no folder: a class or a function."""

    def __call__(self, *, device: str) -> Encoder:
        """Return the encoder; its ``name`` is the one that it is registered by."""


KINDS: Registry[ModelKind] = Registry(
    "kind of model",
    "sayso.kinds",
    {
        "video_text": "sayso.encoders.video_text:TextVideoEncoder",
        "feature_text": "sayso.encoders.feature_text:HowTo100MEncoder",
        "frozen_towers": "sayso.encoders.frozen_towers:FrozenTowersEncoder",
        HUB_ENCODER: "sayso.encoders.hub:HubEncoder",
        HUB_GENERATOR: "sayso.generators.hub:HubGenerator",
        "flamingo": "sayso.generators.flamingo:Flamingo",
        "llava": "sayso.generators.llava:Llava",
        "localizer": "sayso.systems.localize:Localizer",
        "step_classifier": "sayso.systems.crosstask:StepClassifier",
        "step_model": "sayso.systems.instruction_steps:StepModel",
    },
)
ENCODERS: Registry[EncoderFactory] = Registry(
    "encoder", "sayso.encoders", {"offline": "sayso.encoders.offline:OfflineEncoder"}
)


def model_kind(folder: Path) -> str:
    """Return the kind of a folder; of one that sayso did not write, whether it answers or embeds."""
    return own_kind(folder) or (HUB_GENERATOR if is_language_model(folder) else HUB_ENCODER)
