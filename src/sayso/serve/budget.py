"""What the server may spend at once; who comes when it is spent is told when to come again.

A gate lets so many in, some more wait in a line, and the next is answered 429; who waits too long, 503. Both
carry Retry-After. So a flood makes answers late or refused, never the server large. One person's requests
wait patiently, while a model is loaded; those of a crowd do not.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, HTTPException, Request

CORES = os.cpu_count() or 1
AGAIN_S = 2
"""What Retry-After says."""
CROWD = 4


def busy(status: int, sentence: str) -> HTTPException:
    """Return the answer to a request that the budget does not allow now.

    Args:
        status: 429, as too many were sent at once, or 503, as it waited in vain.
        sentence: what is busy.
    """
    return HTTPException(status, f"{sentence}; try again in a moment", {"retry-after": str(AGAIN_S)})


class Gate:
    """Lets some threads in at once, and some wait.

    Args:
        what: is done behind it, as a sentence says it: "searches".
        at_once: how many are let in.
        waiting: how many may wait.
        patience_s: how long one waits, seconds.
        crowded_s: the same where ``CROWD`` or more wait already; None: no shorter.
    """

    def __init__(
        self,
        what: str,
        at_once: int,
        waiting: int,
        patience_s: float = 30.0,
        crowded_s: float | None = None,
    ) -> None:
        self.what, self.places, self.patience_s = what, at_once + waiting, patience_s
        self.crowd, self.crowded_s = at_once + CROWD, patience_s if crowded_s is None else crowded_s
        self._free = threading.Semaphore(at_once)
        self._turn, self._here = threading.Lock(), 0

    def enter(self) -> None:
        """Go in, or wait for it; ``leave`` must follow.

        Raises:
            HTTPException: 429 if too many wait, 503 if it took too long.
        """
        with self._turn:
            if self._here >= self.places:
                raise busy(429, f"too many {self.what} wait")
            patience_s = self.crowded_s if self._here >= self.crowd else self.patience_s
            self._here += 1
        if not self._free.acquire(timeout=patience_s):
            self._go()
            raise busy(503, f"other {self.what} took all the time")

    def leave(self) -> None:
        """Let the next one in."""
        self._free.release()
        self._go()

    def _go(self) -> None:
        with self._turn:
            self._here -= 1

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Be inside until the block ends.

        Raises:
            HTTPException: 429 if too many wait, 503 if it took too long.
        """
        self.enter()
        try:
            yield
        finally:
            self.leave()


@dataclass(frozen=True, slots=True)
class Budget:
    """What one server may spend.

    Args:
        searches: of the index, and what else asks it questions.
        thumbs: pictures of clips, most of which are kept.
        decodes: of whole pictures and frames.
        streams: that are made while they are watched, from the first byte to the last.
        cuts: of clips.
        upload_pixels: of a picture that is uploaded, width times height.
    """

    searches: Gate = field(default_factory=lambda: Gate("searches", max(2, CORES), 16, crowded_s=0.5))
    thumbs: Gate = field(default_factory=lambda: Gate("pictures", 4, 60))
    decodes: Gate = field(default_factory=lambda: Gate("pictures", 2, 8))
    streams: Gate = field(default_factory=lambda: Gate("streams", 8, 4, 5.0))
    cuts: Gate = field(default_factory=lambda: Gate("cuts", max(1, CORES // 2), 4, 60.0))
    upload_pixels: int = 32_000_000

    @property
    def places(self) -> int:
        """How many threads may be at its gates."""
        return sum(
            gate.places for gate in (self.searches, self.thumbs, self.decodes, self.streams, self.cuts)
        )


def budget_of(request: Request) -> Budget:
    """Return what this server may spend."""
    budget: Budget = request.app.state.budget
    return budget


Spent = Annotated[Budget, Depends(budget_of)]
