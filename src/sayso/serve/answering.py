"""The model that answers questions, and the questions that wait for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any, Self, cast

from sayso.generators.base import Decoding
from sayso.generators.prompt import Prompt
from sayso.serve.budget import busy

if TYPE_CHECKING:
    from sayso.generators import Generator

WAITING = 4  # questions that may wait for the model
DECODING = Decoding(max_new_tokens=200)


class Answering:
    """One model in memory, loaded with the first question, and the questions that wait for it.

    Args:
        model: a name that ``load_generator`` takes, or a model.
        device: where a model of that name runs.
    """

    def __init__(self, model: str | Generator = "auto", device: str = "auto") -> None:
        self._model, self._device = model, device
        self._loading, self._turn = threading.Lock(), threading.Lock()
        self._places = threading.BoundedSemaphore(1 + WAITING)

    @property
    def model(self) -> Generator:
        """The model.

        Raises:
            Unavailable: if it is not at hand.
            SaysoError: if it answers no questions.
        """
        with self._loading:
            if isinstance(self._model, str):
                from sayso.generators import load_generator

                self._model = load_generator(self._model, device=self._device)
            return self._model

    def answer(self, prompt: Prompt) -> AnswerStream:
        """Return an answer, whose first words are made.

        Raises:
            HTTPException: 503 if too many questions wait.
            SaysoError: if the model cannot take the prompt.
        """
        model = self.model
        if not self._places.acquire(blocking=False):
            raise busy(503, "other questions are waiting for the model")
        self._turn.acquire()
        try:
            return AnswerStream(model.stream(prompt, DECODING), self._end_turn)
        except BaseException:
            self._end_turn()
            raise

    def _end_turn(self) -> None:
        self._turn.release()
        self._places.release()


class AnswerStream:
    """An answer's pieces as UTF-8, the first made at once, so that what is wrong shows before any is sent.

    Args:
        pieces: of the answer.
        end: called once, when the last piece was made or nobody wants it any more.
    """

    def __init__(self, pieces: Iterator[str], end: Callable[[], None]) -> None:
        self._pieces, self._lock = pieces, threading.Lock()
        self._end: Callable[[], None] | None = end
        self._first: str | None = next((piece for piece in pieces if piece), None)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        if self._first is not None:
            first, self._first = self._first, None
            return first.encode()
        return next(piece for piece in self._pieces if piece).encode()

    def close(self) -> None:
        """Stop the model."""
        with self._lock:
            end, self._end = self._end, None
        if end is not None:
            with closing(cast("Any", self._pieces)):
                pass
            end()
