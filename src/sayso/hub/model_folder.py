"""The model folder: the one format of everything that is saved.

    config.json          the format's number, which kind of model it is, its options
    model.safetensors    the weights
    transform.json       how inputs are cut and sampled, where the model has a say in that
    vocabulary.json      its words in the order of their vectors, where it has words
    reference.json       what the model makes of inputs that anybody can build, checked when it is loaded
    README.md            the model card

A folder appears whole or not at all, and nothing pickled is ever read.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sayso.core.errors import SaysoError, UsageError, nothing_at
from sayso.core.io import atomic_folder
from sayso.core.lazy import need
from sayso.hub.model_card import model_card

FORMAT = 1
CONFIG, WEIGHTS, REFERENCE = "config.json", "model.safetensors", "reference.json"
TRANSFORM, VOCABULARY, CARD = "transform.json", "vocabulary.json", "README.md"
STEPS = ("best", "latest", "model")  # of a run's folder; the last where a system writes other files beside
TOLERANCE = 1e-2  # of reference outputs: the length of the difference over that of the saved vector

Framework = Literal["torch", "numpy"]
Reference = Mapping[str, Any]


@dataclass(frozen=True)
class ModelFolder:
    """All that a model folder holds.

    Args:
        kind: which class loads it, by the name in ``sayso.hub.kinds.KINDS``.
        options: what JSON can hold of its configuration.
        weights: torch tensors or numpy arrays, by name.
        transform: how inputs are cut and sampled; None: nothing is.
        vocabulary: the word of number 1 first; None: it has no words.
        reference: for each known input the output, numbers in a list (N,).
        card: where the model comes from, Markdown for the model card.
    """

    kind: str
    options: Mapping[str, Any]
    weights: Mapping[str, Any]
    transform: Mapping[str, Any] | None = None
    vocabulary: Sequence[str] | None = None
    reference: Reference = field(default_factory=dict)
    card: str = ""

    @cached_property
    def sha256(self) -> str:
        """Identity of everything that decides the outputs: kind, options, words, transform and weights."""
        plain = [FORMAT, self.kind, self.options, self.vocabulary, self.transform]
        digest = hashlib.sha256(json.dumps(plain, sort_keys=True, default=dict).encode())
        for name, weight in sorted(self.weights.items()):
            dtype = str(weight.dtype).removeprefix("torch.")
            digest.update(f"{name} {dtype} {tuple(weight.shape)}\n".encode())
            digest.update(_bytes(weight))
        return digest.hexdigest()

    @classmethod
    def read(cls, folder: Path | str, *, framework: Framework = "torch") -> ModelFolder:
        """Read a model folder, or the best step of a run; see ``resolve_step``.

        Args:
            folder: that ``write`` made.
            framework: what the weights become: ``torch`` tensors on the CPU, or ``numpy`` arrays.

        Raises:
            MissingExtra: if safetensors is not installed.
            SaysoError: if a file is missing or damaged, or of a later format.
            UsageError: if it is an index.
        """
        path = resolve_step(folder)
        if not path.is_dir():
            raise SaysoError(nothing_at(folder, "name a model folder, or a run"))
        refuse_index(path, str(folder))
        if not (path / CONFIG).is_file():
            raise SaysoError(f"{folder} holds no model that sayso saved: there is no {CONFIG} in it")
        files = _safetensors(framework)
        from safetensors import SafetensorError

        try:
            config = _json(path / CONFIG)
            if config["sayso"] != FORMAT:
                raise SaysoError(
                    f"the model {folder} has format {config['sayso']}, this sayso reads {FORMAT}; update"
                )
            return cls(
                str(config["kind"]),
                dict(config["options"]),
                files.load_file(path / WEIGHTS),
                _json(path / TRANSFORM) if config.get("transform") else None,
                list(_json(path / VOCABULARY)) if config.get("vocabulary") else None,
                dict(_json(path / REFERENCE)),
                str(config.get("card", "")),
            )
        except (OSError, ValueError, TypeError, KeyError, AttributeError, SafetensorError) as error:
            raise SaysoError(
                f"the model {folder} cannot be read: {error}; copy it, convert it or train it again"
            ) from error

    def write(self, folder: Path | str) -> None:
        """Write a model folder.

        Raises:
            MissingExtra: if safetensors is not installed.
            SaysoError: if something other than an empty folder is there already, or it cannot be written.
        """
        arrays = all(isinstance(weight, np.ndarray) for weight in self.weights.values())
        files = _safetensors("numpy" if arrays else "torch")
        from safetensors import SafetensorError

        with atomic_folder(Path(folder).expanduser()) as new:
            config = {
                "sayso": FORMAT,
                "kind": self.kind,
                "options": dict(self.options),
                "transform": self.transform is not None,
                "vocabulary": self.vocabulary is not None,
                "card": self.card,
            }
            parts: dict[str, Any] = {
                CONFIG: config,
                TRANSFORM: self.transform,
                VOCABULARY: None if self.vocabulary is None else list(self.vocabulary),
                REFERENCE: dict(self.reference),
            }
            for name, content in parts.items():
                if content is not None:
                    indent = None if name in {VOCABULARY, REFERENCE} else 1
                    text = json.dumps(content, ensure_ascii=False, indent=indent, default=dict)
                    (new / name).write_text(text + "\n", encoding="utf-8")
            (new / CARD).write_text(
                model_card(self.kind, self.card, self._facts(), self.options), encoding="utf-8"
            )
            weights = {name: _contiguous(weight) for name, weight in self.weights.items()}
            try:
                files.save_file(weights, new / WEIGHTS)
            except SafetensorError as error:  # a full disk, which is no OSError here
                raise SaysoError(f"{folder} cannot be written: {error}; give another place") from error

    def push_to_hub(self, repository: str, *, private: bool = False) -> str:
        """Write the model to the model hub, as the person who is logged in there; return its address.

        Raises:
            MissingExtra: if huggingface_hub or safetensors is not installed.
            SaysoError: if the hub refuses.
        """
        with tempfile.TemporaryDirectory() as waiting:
            self.write(Path(waiting, "model"))
            return push_folder(Path(waiting, "model"), repository, private=private)

    def _facts(self) -> dict[str, str]:
        """Return what the card says in a line each."""
        facts = {"Weights": f"{sum(int(np.prod(w.shape)) for w in self.weights.values()):,}"}
        if self.vocabulary is not None:
            facts["Vocabulary"] = f"{len(self.vocabulary):,} words"
        if self.transform is not None:
            facts["Inputs"] = ", ".join(f"{name} {value}" for name, value in self.transform.items())
        return facts


def resolve_step(folder: Path | str) -> Path:
    """Return the model folder that is meant: of a run the best step, or the last where none was measured."""
    path = Path(folder).expanduser()
    steps = (path / name for name in STEPS)
    return next((step.resolve() for step in steps if (step / CONFIG).is_file()), path)


def refuse_index(folder: Path, name: str) -> None:
    """Refuse a folder that is an index.

    Raises:
        UsageError: if it is one.
    """
    if any(folder.glob("*.lance")):
        raise UsageError(f"{name} is an index, and a model is wanted; see: sayso models")


def own_kind(folder: Path | str) -> str | None:
    """Return the kind of a folder that sayso wrote; None if it is another library's, or none."""
    try:
        config = _json(resolve_step(folder) / CONFIG)
        return str(config["kind"]) if "sayso" in config else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


def check_reference(found: Reference, saved: Reference, name: str) -> None:
    """Compare what a model makes of known inputs with what it made when it was saved.

    Args:
        found: for each known input the output, numbers (N,).
        saved: the same of ``reference.json``.
        name: of the model, for the message.

    Raises:
        SaysoError: if an output differs by more than arithmetic of another device would.
    """
    for part, numbers in found.items():
        if not isinstance(numbers, list):
            continue
        now, then = np.asarray(numbers, float), _floats(saved.get(part))
        alike = now.shape == then.shape and np.linalg.norm(now - then) <= TOLERANCE * np.linalg.norm(then)
        if not alike:
            raise SaysoError(
                f"the model {name} does not give its reference outputs ({part} of {REFERENCE}): its files"
                " were changed; copy, convert or train it again, or skip the check with --no-verify"
            )


def push_folder(folder: Path, repository: str, *, private: bool = False) -> str:
    """Upload a folder to the model hub; return its address.

    Args:
        folder: a model folder.
        repository: such as ``me/my-model``; made if it is not there.
        private: whether a new one is.

    Raises:
        MissingExtra: if huggingface_hub is not installed.
        SaysoError: if the hub refuses.
    """
    hub = need("huggingface_hub", "hub")
    try:
        api = hub.HfApi()
        api.create_repo(repository, private=private, exist_ok=True)
        return str(api.upload_folder(repo_id=repository, folder_path=str(folder)))
    except (OSError, ValueError) as error:  # what the hub's client raises derives from these
        raise SaysoError(f"{repository} cannot be written on the model hub: {error}") from error


def _safetensors(framework: Framework) -> ModuleType:
    return need(f"safetensors.{framework}", "train" if framework == "torch" else "offline")


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _floats(values: Any) -> NDArray[np.float64]:
    """Return numbers as an array; of anything else, one that is like no other."""
    try:
        return np.asarray(values if values is not None else [], float)
    except (TypeError, ValueError):
        return np.empty((0, 0))


def _contiguous(weight: Any) -> Any:
    if isinstance(weight, np.ndarray):
        return np.ascontiguousarray(weight)
    return weight.detach().cpu().contiguous()


def _bytes(weight: Any) -> bytes:
    if isinstance(weight, np.ndarray):
        return np.ascontiguousarray(weight).tobytes()
    import torch

    flat = weight.detach().cpu().contiguous().reshape(-1).view(torch.uint8)  # bfloat16 has no numpy type
    return bytes(flat.numpy().tobytes())
