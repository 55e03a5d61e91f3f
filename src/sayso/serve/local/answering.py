"""Answering searches as the asking process would: the index is opened anew, only the model is kept."""

from __future__ import annotations

import base64
import contextlib
import logging
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sayso.index import Index
from sayso.index.query import parse_query
from sayso.index.store import Store
from sayso.serve.local.lines import Elsewhere

if TYPE_CHECKING:
    from sayso.encoders.interface import Encoder

KEPT_MODELS = 2
Said = list[tuple[str, int, str]]
"""What was logged: by whom, how loud, what."""


@dataclass(slots=True)
class SearchAnswers:
    """Answers requests to search; the model works for one of them at a time.

    Args:
        load: gives the model of a name on a device.
        moves: whether the process may change its folder, so that files are named as the asking process does.
        turn: held while the model is at work.
        moving: held while the process is in another folder.
        searched: the indexes that were.
    """

    load: Callable[[str, str], Encoder]
    moves: bool = False
    turn: threading.RLock = field(default_factory=threading.RLock)
    moving: threading.Lock = field(default_factory=threading.Lock)
    searched: dict[str, int] = field(default_factory=dict)

    def __call__(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to a request.

        Raises:
            Elsewhere: if the asking process has to search by itself.
            Exception: what searching raises; it then has to do that, too.
        """
        query, options, folder = request["query"], request["options"], request["folder"]
        named = options.get("like") is not None or _names_files(query, folder)
        if named and not self.moves:
            raise Elsewhere
        with logged() as said, self._there(folder) if named else contextlib.nullcontext():
            store, device = Store(request["index"]), request["device"]
            index = Index(store, device=device, load=lambda name: self.load(name, device))
            index.model_turn = self.turn
            hits = index.search(query, **{"files": named, **options})
            thumbs = [index.thumbnail(hit.id) for hit in hits] if request["pictures"] else []
        self.searched[store.address] = self.searched.get(store.address, 0) + 1
        pairs = zip(hits, thumbs, strict=bool(thumbs))
        return {
            "hits": [hit.to_dict() for hit in hits],
            "thumbs": {hit.id: base64.b64encode(thumb).decode() for hit, thumb in pairs},
            "log": said,
        }

    @contextlib.contextmanager
    def _there(self, folder: str) -> Iterator[None]:
        """Be in a folder; as the whole process is, one search at a time."""
        with self.moving, contextlib.chdir(folder):
            yield


def _names_files(query: str, folder: str) -> bool:
    """Tell whether a term of a query may name a file, from where it was asked."""
    for term in parse_query(query) if query.strip() else []:
        names = (term.text, term.text.rpartition("@")[0])
        if term.file or any(os.path.exists(f"{folder}/{name}") for name in names if name):  # noqa: PTH110
            return True
    return False


class _Listening(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.said: Said = []
        self.thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self.thread:
            self.said.append((record.name, record.levelno, record.getMessage()))


@contextlib.contextmanager
def logged() -> Iterator[Said]:
    """Give a list of what sayso logs in this thread, which grows until the block ends."""
    logger, handler = logging.getLogger("sayso"), _Listening()
    logger.addHandler(handler)
    try:
        yield handler.said
    finally:
        logger.removeHandler(handler)


class KeptModels:
    """Models that stay loaded while their files stay as they are; says each time what loading them said."""

    def __init__(self) -> None:
        self._kept: dict[tuple[Any, ...], tuple[Encoder, Said]] = {}

    def __call__(self, name: str, device: str) -> Encoder:
        """Return the model of a name on a device.

        Args:
            name: of the model.
            device: where it runs.

        Raises:
            SaysoError: if it cannot be loaded.
        """
        from sayso.encoders import load_encoder

        key = (name, device, *_stamps(name))
        kept = self._kept.pop(key, None)
        if kept is None:
            with logged() as said:
                kept = load_encoder(name, device=device), said
        else:
            for logger, level, message in kept[1]:
                logging.getLogger(logger).log(level, "%s", message)
        self._kept[key] = kept
        while len(self._kept) > KEPT_MODELS:
            del self._kept[next(iter(self._kept))]
        return kept[0]


def _stamps(name: str) -> Iterator[tuple[str, int, int]]:
    """Yield what changes with the files of a model: of its folder, or of the hub's cache."""
    from sayso.hub.cache import hub_cache

    folders = [Path(name).expanduser(), hub_cache() / f"models--{name.replace('/', '--')}" / "refs"]
    for folder in folders:
        for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
            with contextlib.suppress(OSError):
                status = path.stat()
                yield str(path), status.st_size, status.st_mtime_ns
