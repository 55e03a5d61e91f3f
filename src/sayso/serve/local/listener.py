"""Listening on a socket of this user's alone: one listener a name, as the lock beside the socket sees to."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sayso.core.panic import panics_as_errors
from sayso.serve.local.lines import (
    AT_WORK_S,
    MAX_REQUEST,
    PATIENCE_S,
    Elsewhere,
    SilentError,
    receive,
    same_user,
    send,
)
from sayso.version import __version__

log = logging.getLogger(__name__)
LOOK_S = 1.0
"""How often a listener looks whether it is to end, seconds."""

NEW_S = 60.0
"""What listeners that were killed left is removed when it is so old, seconds."""

Answers = Callable[[dict[str, Any]], dict[str, Any]]


class Listener:
    """Answers on a socket until it is told to stop; used in a ``with`` block.

    Args:
        path: of the socket.
        answer: answers a request to search.
        about: more of what is told of it.
        idle_s: end after so long without a request, seconds; None: never.
    """

    def __init__(
        self, path: Path, answer: Answers, about: Callable[[], dict[str, Any]], idle_s: float | None = None
    ) -> None:
        self.path, self.answer, self.about, self.idle_s = path, answer, about, idle_s
        self.began, self.last, self.busy = time.time(), time.monotonic(), 0
        self.stopping = False
        self._turn = threading.Lock()
        self._lock: int | None = None
        self._socket: socket.socket | None = None
        self._inode = 0

    def __enter__(self) -> Self:
        """Begin to listen.

        Raises:
            OSError: if somebody listens here already, or that cannot be done.
        """
        sweep(self.path.parent)
        self._lock = take_lock(lock_of(self.path))
        try:
            self.path.unlink(missing_ok=True)
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self._socket = listener
            listener.bind(os.fspath(self.path))
            self.path.chmod(0o600)
            self._inode = self.path.lstat().st_ino
            listener.listen(64)
            listener.settimeout(LOOK_S)
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping = True
        self._close()

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        if self._lock is not None:
            with contextlib.suppress(OSError):
                self.path.unlink(missing_ok=True)
                lock_of(self.path).unlink(missing_ok=True)
            os.close(self._lock)

    def run(self) -> None:
        """Answer until told to stop, idle for long, or no longer to be found."""
        while not self.stopping and self._is_found() and not self._is_idle():
            try:
                connection, _ = self._listening.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    @property
    def _listening(self) -> socket.socket:
        if self._socket is None:
            raise RuntimeError("a listener is used in a with block")
        return self._socket

    def _is_found(self) -> bool:
        try:
            return self.path.lstat().st_ino == self._inode
        except OSError:
            return False

    def _is_idle(self) -> bool:
        return self.idle_s is not None and not self.busy and time.monotonic() - self.last > self.idle_s

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(PATIENCE_S)
            with contextlib.suppress(OSError, SilentError):
                if same_user(connection):
                    connection.sendall(b"\n")
                    self._respond(connection, receive(connection, most=MAX_REQUEST))

    @contextlib.contextmanager
    def _counted(self) -> Iterator[None]:
        with self._turn:
            self.busy += 1
        try:
            yield
        finally:
            with self._turn:
                self.busy -= 1
                self.last = time.monotonic()

    def _respond(self, connection: socket.socket, request: dict[str, Any]) -> None:
        if request.get("do") == "about":
            send(connection, self._told())
        elif request.get("do") == "stop" and self.idle_s is not None:
            self.stopping = True
            send(connection, {"stopping": True})
        elif request.get("do") == "search":
            with self._counted():
                send(connection, self._answered(connection, request))

    def _told(self) -> dict[str, Any]:
        idle = time.monotonic() - self.last
        return {
            "pid": os.getpid(),
            "version": __version__,
            "began": self.began,
            "ends_in_s": None if self.idle_s is None else max(0.0, self.idle_s - idle),
            **self.about(),
        }

    def _answered(self, connection: socket.socket, request: dict[str, Any]) -> dict[str, Any]:
        """Answer in this thread, while another tells that it is at work."""
        done = threading.Event()

        def tell() -> None:
            with contextlib.suppress(OSError):
                while not done.wait(AT_WORK_S):
                    connection.sendall(b"\n")

        teller = threading.Thread(target=tell, daemon=True)
        teller.start()
        try:
            with panics_as_errors():
                return self.answer(request)
        except Elsewhere:
            return {"elsewhere": ""}
        except Exception as error:
            log.debug("search failed", exc_info=True)
            return {"elsewhere": str(error)}
        finally:
            done.set()
            teller.join()


def sweep(folder: Path) -> None:
    """Remove what listeners that were killed left in a folder."""
    for lock in folder.glob("*.lock"):
        with contextlib.suppress(OSError):
            if time.time() - lock.stat().st_mtime < NEW_S:
                continue  # whoever made it may be about to lock it
            held = take_lock(lock)
            lock.with_suffix(".sock").unlink(missing_ok=True)
            lock.unlink(missing_ok=True)
            os.close(held)


def lock_of(path: Path) -> Path:
    """Return the file whose lock the listener at a path holds."""
    return path.with_suffix(".lock")


def take_lock(path: Path) -> int:
    """Return the open file of a lock that this process holds until it ends or closes it.

    Raises:
        OSError: if another process holds it, or it cannot be made.
    """
    import fcntl

    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise
        with contextlib.suppress(FileNotFoundError):
            if os.fstat(descriptor).st_ino == path.stat().st_ino:
                return descriptor
        os.close(descriptor)  # whoever held it took it away meanwhile
