"""The daemon: keeps LanceDB and models loaded, answers searches of any index, and ends when idle."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
from functools import cached_property, partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from sayso.core.leaving import run_and_leave
from sayso.serve.local.listener import Listener

if TYPE_CHECKING:
    from sayso.serve.local.answering import SearchAnswers


def main(path: str, minutes: str, address: str, device: str) -> None:
    """Run it, and end the process; at once over if there is one already.

    Args:
        path: of the socket.
        minutes: how long it waits for the next search.
        address: of the index for which it makes itself ready.
        device: where the model of that index runs.
    """
    run_and_leave(partial(_serve, Path(path), 60 * float(minutes), address, device))


def _serve(path: Path, idle_s: float, address: str, device: str) -> None:
    os.chdir("/")
    logging.getLogger("sayso").setLevel(logging.INFO)
    logging.getLogger("sayso").addHandler(logging.NullHandler())
    keeper = _Keeper()
    listener = Listener(path, keeper.answer, keeper.about, idle_s)

    def stop(_signal: int, _frame: FrameType | None) -> None:
        listener.stopping = True

    signal.signal(signal.SIGTERM, stop)
    with contextlib.suppress(OSError), listener:
        threading.Thread(target=keeper.warm_up, args=(address, device), daemon=True).start()
        listener.run()


class _Keeper:
    """What it keeps. It listens before the heavy imports, so that whoever asks early waits for them."""

    def __init__(self) -> None:
        self._turn = threading.Lock()

    @cached_property
    def _answers(self) -> SearchAnswers:
        from sayso.serve.local.answering import KeptModels, SearchAnswers

        return SearchAnswers(KeptModels(), moves=True)

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        with self._turn:
            answers = self._answers
        return answers(request)

    def about(self) -> dict[str, Any]:
        made = self.__dict__.get("_answers")
        return {"indexes": dict(made.searched) if made else {}}

    def warm_up(self, address: str, device: str) -> None:
        """Search once, so that all is loaded."""
        request: dict[str, Any] = {"index": address, "device": device, "folder": "/", "pictures": False}
        with contextlib.suppress(Exception), self._turn:
            self._answers({**request, "query": "warm up", "options": {"limit": 1}})
            self._answers.searched.clear()
