"""What a saved Flamingo holds: the parts that were trained; of the frozen ones, name and digest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sayso.core.errors import SaysoError
from sayso.encoders.backbones import load_backbone
from sayso.generators.conditioning import FlamingoNet, FlamingoShape
from sayso.generators.language import load_language_model
from sayso.hub.model_folder import ModelFolder

if TYPE_CHECKING:
    from torch import Tensor, nn

    from sayso.encoders.backbones import Backbone

MARKERS = "markers."  # before the embeddings of marks that were added to a language model


def flamingo_folder(net: FlamingoNet, backbone: str, seeing: Mapping[str, Any], card: str) -> ModelFolder:
    """Return all that a folder holds.

    Args:
        net: the trained parts, with their language model.
        backbone: what ``load_backbone`` takes.
        seeing: how pictures and answers are given to it: ``size``, ``crop``, ``lead``.
        card: how it was trained, Markdown.
    """
    language = net.language
    options = {
        "shape": asdict(net.shape),
        "backbone": backbone,
        "language_model": language.name,
        "language_sha256": language.sha256,
        "markers": asdict(language.markers),
        "added_markers": language.added_markers,
    }
    weights: dict[str, Any] = dict(net.state_dict())
    if language.added_markers:
        weights |= {f"{MARKERS}{name}": rows for name, rows in language.marker_rows().items()}
    return ModelFolder("flamingo", options, weights, transform=dict(seeing), card=card)


def flamingo_of(saved: ModelFolder, name: str) -> tuple[FlamingoNet, Backbone, dict[str, Any]]:
    """Return the trained parts of a folder, its backbone, and how pictures are given to it.

    Args:
        saved: what the folder holds.
        name: of the model, for messages.

    Raises:
        SaysoError: if the language model is not the one it was trained with, or a weight does not fit.
    """
    try:
        options = saved.options
        shape = FlamingoShape(**{**options["shape"], "layers": tuple(options["shape"]["layers"])})
        added = bool(options["added_markers"])
        asked, digest = str(options["language_model"]), str(options["language_sha256"])
    except (KeyError, TypeError) as error:
        raise SaysoError(f"the model {name} lacks an option: {error}; copy it or train it again") from error
    language = load_language_model(asked, added_markers=added)
    if language.sha256 != digest:
        raise SaysoError(
            f"the language model {asked} is not the one that {name} was trained with (SHA-256"
            f" {language.sha256[:12]}..., expected {digest[:12]}...); put that one in its place"
        )
    weights = {key: weight for key, weight in saved.weights.items() if not key.startswith(MARKERS)}
    rows = {key.removeprefix(MARKERS): saved.weights[key] for key in saved.weights.keys() - weights.keys()}
    language.set_marker_rows(rows)
    net = FlamingoNet(shape, language)
    load_exactly(net, weights, name)
    return net, load_backbone(str(options["backbone"])), dict(saved.transform or {})


def load_exactly(module: nn.Module, weights: Mapping[str, Tensor], name: str) -> None:
    """Give a module its weights: all of them, no others, of its shapes.

    Args:
        module: that takes them.
        weights: name -> weight.
        name: of the model, for messages.

    Raises:
        SaysoError: if a name is missing or foreign, or a shape differs; the first one is named.
    """
    own = module.state_dict()
    missing, foreign = sorted(own.keys() - weights.keys()), sorted(weights.keys() - own.keys())
    if missing:
        raise SaysoError(f"the model {name} lacks {len(missing)} of its weights, such as {missing[0]}")
    if foreign:
        raise SaysoError(
            f"the model {name} has {len(foreign)} weights that are not known, such as {foreign[0]}"
        )
    for key, weight in weights.items():
        if weight.shape != own[key].shape:
            raise SaysoError(
                f"the weight {key} of {name} has the shape {tuple(weight.shape)}, where"
                f" {tuple(own[key].shape)} is needed: another language model or backbone"
            )
    module.load_state_dict(dict(weights))
