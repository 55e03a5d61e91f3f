"""What every model that can be saved has in common: a folder, a copy on the hub, an identity, a check."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Self

from sayso.core.errors import SaysoError
from sayso.hub.model_folder import Framework, ModelFolder, Reference, check_reference

NO_VERIFY = "SAYSO_NO_VERIFY"


class Pretrained(ABC):
    """A model with a model folder.

    A class says how its state goes into a folder (``to_folder``), how it comes out again
    (``from_folder``), and what it makes of inputs that anybody can build (``reference_outputs``).

    Attributes:
        kind: its name in ``sayso.hub.kinds.KINDS``.
        framework: what its weights are.
        name: what ``sayso.load`` takes to get it again.
    """

    kind: ClassVar[str]
    framework: ClassVar[Framework] = "torch"
    name: str

    @abstractmethod
    def to_folder(self) -> ModelFolder:
        """Return all that the folder holds but the reference outputs."""

    @classmethod
    @abstractmethod
    def from_folder(cls, saved: ModelFolder, *, name: str, device: str) -> Self:
        """Return the model of a folder.

        Args:
            saved: what the folder holds.
            name: what the model is to be called.
            device: ``auto``, ``cpu``, ``cuda``, ...

        Raises:
            SaysoError: if its parts do not fit each other.
        """

    @abstractmethod
    def reference_outputs(self) -> Reference:
        """Return what the model makes of known inputs, numbers in a list (N,) each, in float32."""

    @classmethod
    def from_pretrained(
        cls, folder: Path | str, *, name: str = "", device: str = "auto", verify: bool = True
    ) -> Self:
        """Load what ``save_pretrained`` wrote; of a run's folder the best step, or else the last.

        Args:
            folder: the model's, or a run's.
            name: what to call it; the folder, unless given.
            device: ``auto``, ``cpu``, ``cuda``, ...
            verify: whether it must give its reference outputs.

        Raises:
            SaysoError: if the folder holds another kind of model, is damaged, or the model does not give
                its reference outputs.
            MissingExtra: if a package that it needs is not installed.
        """
        saved = ModelFolder.read(folder, framework=cls.framework)
        if saved.kind != cls.kind:
            raise SaysoError(f"{folder} holds {in_words(saved.kind)}, where {in_words(cls.kind)} is needed")
        model = cls.from_folder(saved, name=name or str(folder), device=device)
        if verify and verifying():
            check_reference(model.reference_outputs(), saved.reference, model.name)
        return model

    def save_pretrained(self, folder: Path | str) -> None:
        """Write a model folder, which ``sayso.load`` takes.

        Raises:
            SaysoError: if something other than an empty folder is there already.
        """
        self._whole().write(folder)

    def push_to_hub(self, repository: str, *, private: bool = False) -> str:
        """Save the model to the model hub; return its address there.

        Raises:
            SaysoError: if the hub refuses.
        """
        return self._whole().push_to_hub(repository, private=private)

    @cached_property
    def sha256(self) -> str:
        """Identity of everything that decides the outputs: weights, options, vocabulary, transform."""
        return self.to_folder().sha256

    def _whole(self) -> ModelFolder:
        return replace(self.to_folder(), reference=self.reference_outputs())


def verifying() -> bool:
    """Tell whether reference outputs are checked: unless SAYSO_NO_VERIFY (``sayso --no-verify``) is set."""
    return os.environ.get(NO_VERIFY, "").strip().lower() not in {"1", "true", "yes", "on"}


def in_words(kind: str) -> str:
    """Return a kind in words, with its article: ``a step classifier``, ``an encoder``."""
    words = kind.replace("_", " ")
    return f"an {words}" if words[:1] in "aeiou" else f"a {words}"
