"""Words as they are made: a model that generates in a thread, and an iterator that stops it when closed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any


def stream_pieces(
    tokenizer: Any, run: Callable[[Any, Any], object], stop: tuple[str, ...] = ()
) -> Iterator[str]:
    """Yield the pieces of an answer as they are made.

    Args:
        tokenizer: of the model.
        run: calls ``generate`` with a streamer and stopping criteria.
        stop: the answer ends before any of these.

    Raises:
        BaseException: what the model raised.
    """
    from transformers import StoppingCriteria, StoppingCriteriaList, TextIteratorStreamer

    closed, errors = threading.Event(), []

    class Closed(StoppingCriteria):  # type: ignore[misc]  # transformers is untyped
        def __call__(self, input_ids: Any, scores: Any, **kwargs: Any) -> Any:  # noqa: ARG002
            import torch

            return torch.full((len(input_ids),), closed.is_set(), device=input_ids.device)

    streamer = TextIteratorStreamer(tokenizer, skip_prompt=True, skip_special_tokens=True)

    def work() -> None:
        try:
            run(streamer, StoppingCriteriaList([Closed()]))
        except BaseException as error:  # noqa: BLE001  raised again by who reads
            errors.append(error)
            streamer.end()

    thread = threading.Thread(target=work, name="generate", daemon=True)
    thread.start()
    try:
        yield from _until(streamer, stop)
        if errors:
            raise errors[0]
    finally:
        closed.set()
        thread.join()


def _until(pieces: Iterator[str], stop: tuple[str, ...]) -> Iterator[str]:
    """Yield pieces up to the first of ``stop``, which may lie across several; no blank at the beginning."""
    told, longest = "", max(map(len, stop), default=1) - 1
    given = 0
    for piece in pieces:
        told = (told + piece).lstrip() if not given else told + piece
        ends = [told.find(end) for end in stop if end in told]
        if ends:
            if min(ends) > given:
                yield told[given : min(ends)]
            return
        safe = len(told) - longest
        if safe > given:
            yield told[given:safe]
            given = safe
    if len(told) > given:
        yield told[given:]
