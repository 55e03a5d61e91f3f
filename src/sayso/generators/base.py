"""What a generator is: pictures, clips and words go in, words come out, or the likelihood of given words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from sayso.core.errors import SaysoError

if TYPE_CHECKING:
    from sayso.generators.prompt import Prompt

LogLikelihood = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoding:
    """How words are chosen.

    Args:
        max_new_tokens: tokens of an answer, at most.
        beams: 1 takes the likeliest token each time, more is a beam search of that width.
        length_penalty: of the beam search: log-likelihoods are divided by the length to this power.
        stop: an answer ends before any of these.
    """

    max_new_tokens: int = 40
    beams: int = 1
    length_penalty: float = 0.0
    stop: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.max_new_tokens < 1 or self.beams < 1:
            raise SaysoError(
                f"max_new_tokens and beams must be 1 or more; got {self.max_new_tokens}, {self.beams}"
            )

    def cut(self, answer: str) -> str:
        """Return an answer up to the first of ``stop``, without blanks around it."""
        ends = [answer.find(end) for end in self.stop if end in answer]
        return answer[: min(ends, default=len(answer))].strip()


GREEDY = Decoding()


@runtime_checkable
class Generator(Protocol):
    """A model that answers in words. Its methods may be called from several threads at once."""

    @property
    def name(self) -> str:
        """What ``sayso.load`` takes to get this generator again."""

    @property
    def sha256(self) -> str:
        """Identity of everything that decides the answers: weights, vocabulary, preprocessing."""

    @property
    def made_by(self) -> str:
        """Who or what made it, in a sentence, to stand beside what it says."""

    def generate(self, prompts: Sequence[Prompt], decoding: Decoding = ...) -> list[str]:
        """Answer B prompts.

        Args:
            prompts: B of them, of any lengths and numbers of pictures.
            decoding: how words are chosen.

        Returns:
            B answers.
        """

    def stream(self, prompt: Prompt, decoding: Decoding = ...) -> Iterator[str]:
        """Yield the pieces of an answer as they are made; closing the iterator stops the model."""

    def log_likelihood(
        self,
        prompts: Sequence[Prompt],
        candidates: Sequence[str] | Sequence[Sequence[str]],
        *,
        per_token: bool = False,
    ) -> LogLikelihood:
        """Return log p(candidate | prompt), (B, C) float64, in nats.

        Args:
            prompts: B of them.
            candidates: C answers for all prompts, or for each prompt C of its own.
            per_token: divide by the candidate's number of tokens.
        """


def is_generator(model: object) -> bool:
    """Tell whether a model answers in words, without asking for its identity, which reads all weights."""
    return all(callable(getattr(model, name, None)) for name in ("generate", "stream", "log_likelihood"))


def longest_text(config: Any) -> int | None:
    """Return how many tokens a model of the transformers library reads at most; None if it does not say."""
    text = config.get_text_config()
    found = getattr(text, "max_position_embeddings", None) or getattr(text, "max_seq_len", None)
    return int(found) if found else None


def refuse_too_long(tokens: int, longest: int | None, name: str) -> None:
    """Refuse what a model cannot read whole.

    Args:
        tokens: of the longest prompt and its answer.
        longest: what ``longest_text`` returned.
        name: of the model.

    Raises:
        SaysoError: if there are too many.
    """
    if longest is not None and tokens > longest:
        raise SaysoError(
            f"prompt and answer take {tokens:,} tokens, of which {name} reads {longest:,} at most; give fewer"
            " examples, pictures or words"
        )


def candidates_of(candidates: Sequence[str] | Sequence[Sequence[str]], prompts: int) -> list[tuple[str, ...]]:
    """Return for each prompt its candidates.

    Args:
        candidates: C for all prompts, or C for each.
        prompts: B.

    Raises:
        SaysoError: if there are none, or not as many for each prompt.
    """
    if isinstance(candidates, str) or not candidates:
        raise SaysoError("candidates must be a list of answers, with one at least")
    if all(isinstance(one, str) for one in candidates):
        return [tuple(str(one) for one in candidates)] * prompts
    rows = [tuple(row) for row in candidates]
    if len(rows) != prompts or len({len(row) for row in rows}) > 1 or not rows[0]:
        raise SaysoError(
            f"{prompts} prompts need as many lists of candidates, of one length; got {len(rows)}"
        )
    return rows
