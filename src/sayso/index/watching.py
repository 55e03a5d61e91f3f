"""Keeping an index up to date while files come and go.

What the operating system tells of the folders only says that one of them has to be looked through again; what
is new there is found as ``sayso index`` finds it. A file that is still being written waits: it is read once
its size and its date have been the same for a while. A process that is killed loses nothing: the next begins
by looking through everything.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from sayso.core.errors import IndexMismatch, MissingExtra, SaysoError
from sayso.index.adding import Adding, add_paths
from sayso.index.roots import Root, read_roots

if TYPE_CHECKING:
    from sayso.index.collection import Index
    from sayso.index.report import AddReport

SETTLE_S = 3.0
"""A file that did not change for so long is whole."""

LOOK_S = 1.0
"""How often files that wait, lists, and drives that may be mounted are looked at."""

_State = tuple[int, int]


@dataclass(slots=True)
class Settling:
    """Tells which files are still being written.

    Args:
        settle_s: how long size and date of a file must have been the same.
        now: gives the seconds since 1970.
    """

    settle_s: float = SETTLE_S
    now: Callable[[], float] = time.time
    _since: dict[str, tuple[_State, float]] = field(default_factory=dict)

    def is_held(self, path: str) -> bool:
        """Tell whether a file has to wait, and remember it if so."""
        state = _state_of(path)
        now = self.now()
        if state is None or 0 <= now - state[1] / 1e9 >= self.settle_s:
            self._since.pop(path, None)
            return False
        known = self._since.get(path)
        if known is None or known[0] != state:
            self._since[path] = (state, now)
            return True
        if now - known[1] >= self.settle_s:
            del self._since[path]
            return False
        return True

    def ready(self) -> set[str]:
        """Return the files that waited and need not wait any more."""
        return {path for path in list(self._since) if not self.is_held(path)}

    def __len__(self) -> int:
        """Return how many files wait."""
        return len(self._since)


def _state_of(path: str) -> _State | None:
    try:
        status = os.stat(path)  # noqa: PTH116
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


@dataclass(frozen=True, slots=True)
class Watch:
    """Watches what an index remembers.

    Args:
        index: is kept up to date.
        options: how files are added.
        said: is called with what was done, and how many files wait.
        stop: ends it.
        settling: tells which files are still being written.
    """

    index: Index
    options: Adding
    said: Callable[[AddReport, int], None]
    stop: threading.Event = field(default_factory=threading.Event)
    settling: Settling = field(default_factory=Settling)

    def run(self) -> None:
        """Bring everything up to date, and again whatever changes, until it is stopped.

        Raises:
            MissingExtra: if watchfiles is not installed.
            SaysoError: if the index remembers nothing, or the folders cannot be watched.
        """
        while not self.stop.is_set():
            roots = self._roots()
            took_s = self._bring_up([row.path for row in roots])
            for changed in self._changes(roots, took_s):
                if self._roots() != roots:
                    break  # one was named, or a drive came or went: begin anew
                self._bring_up(changed)

    def _roots(self) -> list[Root]:
        """Return what is remembered and there now."""
        rows = read_roots(self.index.store).wanted
        if not rows:
            raise SaysoError(f"the index {self.index.store.address} remembers no folders to watch")
        return [row for row in rows if row.is_there]

    def _bring_up(self, paths: Iterable[str]) -> float:
        """Look through what was named; return how long that took, seconds."""
        began = time.monotonic()
        how = replace(self.options, remember=False, is_held=self.settling.is_held)
        named = list(paths)
        try:
            report = add_paths(self.index.store, named, lambda: self.index.encoder, how)
        except IndexMismatch:  # it was given another model just now
            self.stop.wait(2 * LOOK_S)
            report = add_paths(self.index.store, named, lambda: self.index.encoder, how)
        self.said(report, len(self.settling))
        return time.monotonic() - began

    def _changes(self, roots: list[Root], took_s: float) -> Iterator[list[str]]:
        """Yield which roots have changed; no sooner after the last look than that took."""
        states = {row.path: _state_of(row.path) for row in roots if row.kind != "folder"}
        waiting = {row.path for row in roots}  # once more: what came before the system began to tell
        looked = checked = time.monotonic()
        check_s = 0.0
        for paths in self._events([row.path for row in roots if row.kind == "folder"]):
            waiting |= paths | self.settling.ready()
            began = time.monotonic()
            if began - checked >= 20 * check_s:
                now = {path: _state_of(path) for path in states}
                waiting |= {path for path in now if now[path] != states[path]}
                states, same = now, self._roots() == roots
                checked = time.monotonic()
                check_s = checked - began
                if not same:
                    yield []
            if waiting and time.monotonic() - looked >= took_s:
                owners = [row.path for row in roots if any(map(row.covers, waiting))]
                waiting, began = set(), time.monotonic()
                yield owners
                looked = time.monotonic()
                took_s = looked - began

    def _events(self, folders: list[str]) -> Iterator[set[str]]:
        """Yield what changed in the folders, at least once in ``LOOK_S``, until it is stopped."""
        if not folders:
            while not self.stop.wait(LOOK_S):
                yield set()
            return
        try:
            import watchfiles
        except ImportError as error:
            raise MissingExtra("watchfiles", "watch") from error
        own = self.index.store.address
        ended, told = _Ended(), SimpleQueue[set[str] | Exception]()

        def listen() -> None:
            try:
                for changes in watchfiles.watch(
                    *folders,
                    watch_filter=lambda _, path: _matters(path, folders, own),
                    stop_event=ended,
                    rust_timeout=0,
                ):
                    told.put({path for _, path in changes})
            except Exception as error:  # noqa: BLE001  the watch is deaf then, whatever it was
                told.put(error)

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        try:
            while thread.is_alive() and not ended.asked.wait(LOOK_S):
                pass
            while not self.stop.is_set():
                yield _next(told)
        finally:
            ended.over.set()
            thread.join()


@dataclass(frozen=True, slots=True)
class _Ended:
    """What watchfiles asks whether to stop: at each step, so that it listens once it has asked.

    Its own time-outs are not used: where the machine is busy they do not come (seen with 1.3), and a file
    that waits would wait for the next change.
    """

    asked: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)

    def is_set(self) -> bool:
        self.asked.set()
        return self.over.is_set()


def _next(told: SimpleQueue[set[str] | Exception]) -> set[str]:
    """Return what changed next; nothing if that is nothing for a while."""
    try:
        heard = told.get(timeout=LOOK_S)
    except Empty:
        return set()
    if isinstance(heard, Exception):
        raise SaysoError(f"the folders cannot be watched: {heard}; run sayso index now and then") from heard
    return heard


def _matters(path: str, folders: Iterable[str], own: str) -> bool:
    """Tell whether something that changed may be a file to index: not the index, and nothing hidden."""
    if path == own or path.startswith(os.path.join(own, "")):  # noqa: PTH118
        return False
    folder = next((one for one in folders if path.startswith(os.path.join(one, ""))), "")  # noqa: PTH118
    return f"{os.sep}." not in path[len(folder) :]
