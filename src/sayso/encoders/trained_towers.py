"""Towers that learn from pixels and tokens here, and are an encoder of the hub afterwards.

What cuts pictures and texts, ``preprocessing``, lies in a folder in transformers' form from the first
step on; a checkpoint is a copy of it with the weights, and ``AutoModel`` loads it like any other model.
"""

from __future__ import annotations

import copy
import hashlib
import json
import logging
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from sayso.core.device import resolve_device
from sayso.core.errors import SaysoError
from sayso.core.io import atomic_folder, write_atomic
from sayso.core.lazy import need
from sayso.encoders.hub import HubEncoder
from sayso.hub.download import copy_files, hub_folder
from sayso.hub.hub_folder import load_dual_encoder, load_preprocessing, quiet_transformers
from sayso.hub.kinds import HUB_ENCODER
from sayso.hub.model_card import model_card
from sayso.hub.model_folder import CARD, REFERENCE, resolve_step
from sayso.models.clip import (
    NETWORKS,
    ContrastiveTowers,
    Family,
    dual_towers,
    pixel_statistics,
)
from sayso.text.language.bpe import TextTokenizer, clip_bpe, learned_bpe, load_tokenizer, save_tokenizer

if TYPE_CHECKING:
    from tokenizers import Tokenizer

log = logging.getLogger(__name__)
PREPROCESSING, PICTURES = "preprocessing", "preprocessor_config.json"
_CUTTERS = (
    "*token*",
    "vocab*",
    "merges.txt",
    "*processor_config.json",
    "*.model",
)  # of a model to start from


@dataclass(frozen=True, slots=True)
class TowerOptions:
    """Which towers are built, and what they read.

    Args:
        family: ``clip`` or ``siglip``.
        network: a key of ``NETWORKS``.
        size: side of a picture, pixels.
        context: most tokens of a text.
        activation: of CLIP's layers.
        tokenizer: ``learned`` or ``clip``.
        vocabulary: the file of CLIP's vocabulary; empty: of an installed package.
        vocabulary_size: tokens of a learned one, at most.
        patch_dropout: share of patches that are not seen while learning.
        locked: whether the picture tower stays as it is.
    """

    family: Family
    network: str
    size: int
    context: int
    activation: str
    tokenizer: str
    vocabulary: str
    vocabulary_size: int
    patch_dropout: float
    locked: bool


@dataclass(frozen=True)
class PixelTowers:
    """Towers that learn, and what feeds them.

    Args:
        model: from pixels (B, S, S, 3) uint8 and tokens (B, L) to unit vectors.
        tokenizer: of texts.
        size: side of the pictures, pixels.
        preprocessing: the folder of tokeniser and picture processor.
    """

    model: ContrastiveTowers
    tokenizer: TextTokenizer
    size: int
    preprocessing: Path

    def encoder(self, model: nn.Module, log_scale: float, bias: float | None, card: str) -> TrainedTowers:
        """Return a copy of a model as an encoder on the CPU.

        Args:
            model: with the weights to take.
            log_scale: the temperature that goes with them.
            bias: of the sigmoid.
            card: how it was trained.
        """
        towers: Any = copy.deepcopy(model.towers).cpu()
        with torch.no_grad():
            towers.logit_scale.fill_(log_scale)
            if bias is not None and hasattr(towers, "logit_bias"):
                towers.logit_bias.fill_(bias)
        return TrainedTowers(towers, self.preprocessing, card)


class TrainedTowers(HubEncoder):
    """An encoder whose weights are in memory; saved, it is a folder of transformers' form.

    Args:
        model: ``CLIPModel`` or ``SiglipModel``.
        preprocessing: the folder of tokeniser and picture processor.
        card: how it was trained.
    """

    def __init__(self, model: Any, preprocessing: Path, card: str) -> None:
        self.folder, self.name, self.card = preprocessing, "clip", card
        self.device = resolve_device("cpu")
        projection = getattr(model, "text_projection", None) or model.text_model.head
        self.dim = int(projection.weight.shape[0])
        self._use(model.eval(), *load_preprocessing(preprocessing))

    @cached_property
    def sha256(self) -> str:
        """Identity of the weights and of what cuts pictures and texts."""
        digest = hashlib.sha256()
        for name, weight in sorted(self._model.state_dict().items()):
            digest.update(name.encode() + weight.detach().cpu().contiguous().numpy().tobytes())
        for path in sorted(self.folder.iterdir()):
            digest.update(path.read_bytes())
        return digest.hexdigest()

    def save_pretrained(self, folder: Path | str) -> None:
        """Write a model folder of transformers' form, with reference outputs and a card.

        Raises:
            SaysoError: if something other than an empty folder is there already, or it cannot be written.
        """
        from safetensors import SafetensorError

        with atomic_folder(Path(folder).expanduser()) as new, quiet_transformers():
            copy_files(self.folder, new)
            try:
                self._model.save_pretrained(new)
            except SafetensorError as error:  # a full disk, which is no OSError here
                raise SaysoError(f"{folder} cannot be written: {error}; give another place") from error
            (new / REFERENCE).write_text(json.dumps(self.reference_outputs()) + "\n", encoding="utf-8")
            side = self.clip.size
            facts = {"Embeddings": f"{self.dim} numbers", "Inputs": f"{side} x {side}"}
            (new / CARD).write_text(model_card(HUB_ENCODER, self.card, facts, {}), encoding="utf-8")


def fresh_towers(options: TowerOptions, texts: Iterable[str], folder: Path) -> PixelTowers:
    """Return towers initialised from torch's seed, with their tokeniser.

    Args:
        options: which.
        texts: the corpus's captions, where the vocabulary is learned from them.
        folder: of the run; the tokeniser is kept there, and used again if it is there already.

    Raises:
        SaysoError: if an option makes no sense.
        Unavailable: if CLIP's vocabulary is not there.
        MissingExtra: if transformers is not installed.
    """
    if options.network not in NETWORKS:
        raise SaysoError(f"there is no network {options.network!r}; there are {', '.join(NETWORKS)}")
    if options.locked:
        raise SaysoError("a locked picture tower must know something: name a model with --init")
    cutters = folder / PREPROCESSING
    tokenizer = _tokenizer(options, texts, cutters)
    towers = dual_towers(
        options.family,
        NETWORKS[options.network],
        size=options.size,
        context=options.context,
        tokens=tokenizer.get_vocab_size(),
        activation=options.activation,
    )
    end = tokenizer.get_vocab_size() - 1
    fixed = options.family == "siglip"
    model = ContrastiveTowers(towers, *pixel_statistics(options.family), patch_dropout=options.patch_dropout)
    return PixelTowers(
        model, TextTokenizer(tokenizer, options.context, end, fixed=fixed), options.size, cutters
    )


def towers_of(name: str, folder: Path, *, patch_dropout: float = 0.0, locked: bool = False) -> PixelTowers:
    """Return the towers of a model that is there already, to go on with.

    Args:
        name: a folder of transformers' form, a run's, or a hub id.
        folder: of the run; tokeniser and picture processor are copied there.
        patch_dropout: share of patches that are not seen while learning.
        locked: whether the picture tower stays as it is.

    Raises:
        SaysoError: if there is no such model, or it is none of CLIP's or SigLIP's kind.
        Unavailable: if it is not on this machine and cannot be fetched.
    """
    path = Path(name).expanduser()
    source = resolve_step(path) if path.is_dir() else hub_folder(name)
    model, _, pictures = load_dual_encoder(source, resolve_device("cpu"))
    if model.config.model_type not in ("clip", "siglip"):
        raise SaysoError(
            f"--init takes a model of CLIP's or SigLIP's kind; {name} is a {model.config.model_type}"
        )
    cutters = folder / PREPROCESSING
    if not cutters.exists():
        with atomic_folder(cutters) as new:
            for file in {file for pattern in _CUTTERS for file in source.glob(pattern)}:
                shutil.copyfile(file, new / file.name)
    tokenizer, _ = load_preprocessing(cutters)
    backend = need("tokenizers", "hub").Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    backend.no_truncation(), backend.no_padding()
    fixed = model.config.model_type == "siglip"
    context = model.config.text_config.max_position_embeddings
    net = ContrastiveTowers(
        model,
        tuple(pictures.image_mean),
        tuple(pictures.image_std),
        patch_dropout=patch_dropout,
        locked=locked,
    )
    texts = TextTokenizer(backend, context, tokenizer.pad_token_id, fixed=fixed)
    return PixelTowers(net, texts, model.config.vision_config.image_size, cutters)


def _tokenizer(options: TowerOptions, texts: Iterable[str], folder: Path) -> Tokenizer:
    """Return the tokeniser of the run, made if it is not there."""
    if (folder / PICTURES).is_file():
        return load_tokenizer(folder)
    if options.tokenizer == "clip":
        made = clip_bpe(Path(options.vocabulary).expanduser() if options.vocabulary else None)
    else:
        made = learned_bpe(texts, options.vocabulary_size)
        log.info("learned a vocabulary of %s tokens", f"{made.get_vocab_size():,}")
    save_tokenizer(made, folder, options.context)
    write_atomic(folder / PICTURES, json.dumps(_picture_processor(options), indent=1) + "\n", guarded=False)
    return made


def _picture_processor(options: TowerOptions) -> dict[str, Any]:
    """Return what transformers calls the configuration of an image processor."""
    mean, std = pixel_statistics(options.family)
    square = {"height": options.size, "width": options.size}
    steps: Sequence[str] = ("do_resize", "do_rescale", "do_normalize", "do_convert_rgb")
    said: dict[str, Any] = dict.fromkeys(steps, True)
    said |= {"image_mean": mean, "image_std": std, "resample": 3, "rescale_factor": 1 / 255}
    if options.family == "siglip":
        return said | {"image_processor_type": "SiglipImageProcessor", "size": square}
    crop = {"do_center_crop": True, "crop_size": square, "size": {"shortest_edge": options.size}}
    return said | {"image_processor_type": "CLIPImageProcessor", **crop}
