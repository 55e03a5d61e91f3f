"""What a saved Flamingo or LLaVA holds: the parts that were trained; of the frozen ones, name and digest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import torch

from sayso.core.errors import SaysoError
from sayso.encoders.backbones import load_backbone
from sayso.generators.language import load_language_model
from sayso.hub.model_folder import ModelFolder

if TYPE_CHECKING:
    from torch import Tensor, nn

    from sayso.encoders.backbones import Backbone
    from sayso.generators.language import LanguageModel
    from sayso.generators.trained_parts import TrainedParts

MARKERS = "markers."  # before the embeddings of marks that were added to a language model


def folder_of(
    kind: str, net: TrainedParts, backbone: str, seeing: Mapping[str, Any], card: str
) -> ModelFolder:
    """Return all that a folder holds.

    Args:
        kind: of model.
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
    weights: dict[str, Any] = {name: weight.detach() for name, weight in net.named_parameters()}
    if language.added_markers:
        weights |= {f"{MARKERS}{name}": rows for name, rows in language.marker_rows().items()}
    return ModelFolder(kind, options, weights, transform=dict(seeing), card=card)


def parts_of(
    saved: ModelFolder, name: str, net_class: type[TrainedParts], shape_class: type[Any]
) -> tuple[TrainedParts, Backbone, dict[str, Any]]:
    """Return the trained parts of a folder, its backbone, and how pictures are given to it.

    Args:
        saved: what the folder holds.
        name: of the model, for messages.
        net_class: of the trained parts; made of a shape and a language model.
        shape_class: of the shape, a dataclass.

    Raises:
        SaysoError: if the language model is not the one it was trained with, or a weight does not fit.
    """
    try:
        numbers = {
            key: tuple(one) if isinstance(one, list) else one for key, one in saved.options["shape"].items()
        }
        shape, tower = shape_class(**numbers), str(saved.options["backbone"])
        frozen = {key: saved.options[key] for key in ("language_model", "language_sha256", "added_markers")}
    except (KeyError, TypeError, AttributeError) as error:
        raise SaysoError(f"the model {name} lacks an option: {error}; copy it or train it again") from error
    language = _same_language_model(**frozen, name=name)
    weights = {key: weight for key, weight in saved.weights.items() if not key.startswith(MARKERS)}
    rows = {key.removeprefix(MARKERS): saved.weights[key] for key in saved.weights.keys() - weights.keys()}
    language.set_marker_rows(rows)
    net = net_class(shape, language)
    load_exactly(net, weights, name)
    return net, load_backbone(tower), dict(saved.transform or {})


def _same_language_model(
    *, language_model: str, language_sha256: str, added_markers: bool, name: str
) -> LanguageModel:
    """Load the language model that the model ``name`` was trained with.

    Raises:
        SaysoError: if it is another one.
    """
    language = load_language_model(language_model, added_markers=added_markers)
    if language.sha256 != language_sha256:
        raise SaysoError(
            f"the language model {language_model} is not the one that {name} was trained with (SHA-256"
            f" {language.sha256[:12]}..., expected {language_sha256[:12]}...); put that one in its place"
        )
    return language


def load_exactly(module: nn.Module, weights: Mapping[str, Tensor], name: str) -> None:
    """Give a module its weights: all of them, no others, of its shapes.

    Args:
        module: that takes them.
        weights: name -> weight, each of the shape (...) of the parameter of that name.
        name: of the model, for messages.

    Raises:
        SaysoError: if a name is missing or foreign, or a shape differs; the first one is named.
    """
    own = dict(module.named_parameters())
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
    with torch.no_grad():
        for key, weight in weights.items():
            own[key].copy_(weight)
