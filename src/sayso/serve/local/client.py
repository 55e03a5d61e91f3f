"""Asking whoever has the index and its model at hand. Nothing heavy is imported here."""

from __future__ import annotations

import base64
import contextlib
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sayso.serve.local.lines import SilentError, ask
from sayso.serve.local.place import allowed, idle_minutes, private_folder, socket_name

if TYPE_CHECKING:
    from sayso.index import Hit, Index


def absolute(address: str) -> str:
    """Return the address of an index as any process of this machine would write it."""
    return address if "://" in address else str(Path(address).expanduser().resolve())


class WarmIndex:
    """An index that is searched by a process that has it at hand, or else by this one.

    Args:
        address: of the index.
        device: where the model runs.
        daemon: whether another process may be asked, and one be left behind.
        pictures: whether thumbnails of what is found are wanted too.
    """

    def __init__(
        self, address: str, *, device: str = "auto", daemon: bool = True, pictures: bool = False
    ) -> None:
        self.address, self.device, self.pictures = address, device, pictures
        self.daemon = daemon and allowed()
        self._opened: Index | None = None
        self._thumbs: dict[str, bytes] = {}
        self._said: set[tuple[str, str]] = set()
        self._names: tuple[str, ...] = ()
        if self.daemon:  # named now: loading a model may change the environment
            with contextlib.suppress(OSError, RuntimeError):  # no folder to begin from, or no home
                self._names = (socket_name(absolute(address), device), socket_name())

    @property
    def here(self) -> Index:
        """The index in this process, opened when first needed.

        Raises:
            SaysoError: if there is none.
        """
        if self._opened is None:
            from sayso.index import Index

            self._opened = Index.open(self.address, create=False, device=self.device)
        return self._opened

    def search(self, query: str, **options: Any) -> list[Hit]:
        """Return what ``Index.search`` does.

        Args:
            query: words.
            options: of ``Index.search``, as JSON can hold them.
        """
        answer = self._asked(query, options) if self._names and self._opened is None else None
        if answer is None:
            return self.here.search(query, **options)
        from sayso.index.hit import Hit

        self._log(answer["log"])
        self._thumbs |= {id_: base64.b64decode(data) for id_, data in answer["thumbs"].items()}
        return [Hit.from_dict(row) for row in answer["hits"]]

    def thumbnail(self, clip_id: str) -> bytes:
        """Return the JPEG of a clip's middle frame.

        Raises:
            KeyError: if there is no such clip.
        """
        return self._thumbs[clip_id] if clip_id in self._thumbs else self.here.thumbnail(clip_id)

    def leave_daemon(self) -> None:
        """Leave a process behind that has the index at hand, if this one had to open it."""
        if self._names and self._opened is not None and idle_minutes() > 0:
            from sayso.serve.local.start import start_daemon

            start_daemon(self._names[-1], absolute(self.address), self.device)

    def _asked(self, query: str, options: dict[str, Any]) -> dict[str, Any] | None:
        """Return the answer of the first that gives one."""
        try:
            address, folder = absolute(self.address), os.getcwd()  # noqa: PTH109
        except OSError:  # the folder it runs in is gone
            return None
        request = {
            "do": "search",
            "index": address,
            "device": self.device,
            "folder": folder,
            "query": query,
            "options": options,
            "pictures": self.pictures,
        }
        for path in self._listeners():
            with contextlib.suppress(SilentError):
                answer = ask(path, request)
                if "hits" in answer:
                    return answer
        return None

    def _listeners(self) -> Iterator[Path]:
        folder = private_folder()
        for name in self._names if folder else ():
            if folder is not None and (folder / name).exists():
                yield folder / name

    def _log(self, said: list[list[Any]]) -> None:
        """Log here what was logged there, each thing once."""
        for name, level, message in said:
            if (name, message) not in self._said:
                self._said.add((name, message))
                logging.getLogger(name).log(level, "%s", message)
