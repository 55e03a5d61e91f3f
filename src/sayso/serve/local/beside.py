"""``sayso serve`` answers ``sayso search`` of its index too."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sayso.serve.local.lines import Elsewhere
from sayso.serve.local.listener import Listener
from sayso.serve.local.place import allowed, private_folder, socket_name

if TYPE_CHECKING:
    from sayso.encoders.interface import Encoder
    from sayso.serve.holdings import Holdings


@contextlib.contextmanager
def answering_locally(holdings: Holdings) -> Iterator[None]:
    """Answer searches of this user's processes, if that can be, until the block ends.

    Args:
        holdings: the index and its model.
    """
    folder = private_folder(make=True) if allowed() else None
    if folder is None:
        yield
        return
    from sayso.serve.local.answering import SearchAnswers

    index = holdings.index

    def load(name: str, device: str) -> Encoder:
        if (name, device) != (index.encoder.name, index.device):
            raise Elsewhere
        return index.encoder

    answers = SearchAnswers(load, turn=holdings.model_turn)

    def about() -> dict[str, Any]:
        return {"indexes": {index.store.address: answers.searched.get(index.store.address, 0)}}

    with contextlib.ExitStack() as listening:
        with contextlib.suppress(OSError):  # another server of this index answers
            name = socket_name(index.store.address, index.device)
            listener = listening.enter_context(Listener(folder / name, answers, about))
            threading.Thread(target=listener.run, name="local", daemon=True).start()
        yield
