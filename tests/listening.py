"""Somebody who answers searches, in a thread of the tests."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import toy
from sayso.serve.local.answering import SearchAnswers
from sayso.serve.local.listener import Listener
from sayso.serve.local.place import private_folder, socket_name


@contextlib.contextmanager
def listening(answer=None, *, name: str | None = None, idle_s: float | None = 3600) -> Iterator[Listener]:
    """Answer searches in a thread of the tests, as the daemon does but for its folder."""
    answer = answer or SearchAnswers(lambda _name, _device: toy.ColourEncoder())
    folder = private_folder(make=True)
    assert folder is not None
    listener = Listener(folder / (name or socket_name()), answer, dict, idle_s)
    with listener:
        thread = threading.Thread(target=listener.run, daemon=True)
        thread.start()
        try:
            yield listener
        finally:
            listener.stopping = True
            thread.join()
