"""What is trained beside a language model so that it sees, and what it then sees."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol

from torch import nn

if TYPE_CHECKING:
    from sayso.generators.language import LanguageModel


class Seen(Protocol):
    """What the pictures of some prompts are to a language model."""

    def by(self, language: LanguageModel) -> AbstractContextManager[None]:
        """Let a language model see them, until the block ends."""


class TrainedParts(nn.Module):
    """What is trained so that a language model sees.

    The language model is held, not owned: it is in no state dict and in no copy, unless it is trained too.

    Args:
        shape: a dataclass; its ``places`` are the visual tokens of a picture, 0 if any number will do.
        language: the language model.
        owns_language: whether it is trained too.
    """

    def __init__(self, shape: Any, language: LanguageModel, *, owns_language: bool = False) -> None:
        super().__init__()
        self.shape, self._language = shape, language
        self.language_model = language.model.requires_grad_(True) if owns_language else None

    @property
    def language(self) -> LanguageModel:
        """The language model, with the weights of this copy if it is trained."""
        return (
            self._language if self.language_model is None else self._language.with_model(self.language_model)
        )
