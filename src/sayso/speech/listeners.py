"""Several processes that listen, each to a file of its own: N of one thread are N times as fast."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from sayso.core.errors import SaysoError
from sayso.speech.recognizer import Heard
from sayso.speech.speech_model import SpeechModel
from sayso.text.captions.heard_words import HeardWord

_PIECE = 1 << 16


@dataclass(frozen=True, slots=True)
class Reached:
    """A second of a file that was reached."""

    path: str
    second: float


@dataclass(frozen=True, slots=True)
class Listened:
    """A file that was listened to: what is said in it, or why that cannot be told."""

    path: str
    heard: Heard | None
    error: str = ""


@dataclass(eq=False)
class Listeners:
    """Processes that listen, and wait for more files until the block ends.

    Args:
        model: which.
        processes: how many files are heard at the same time.
        language: of what is said; None to detect it.
        device: cpu or cuda.
    """

    model: SpeechModel
    processes: int
    language: str | None = None
    device: str = "cpu"
    _crew: set[_Process] = field(default_factory=set)
    _selector: selectors.DefaultSelector = field(default_factory=selectors.DefaultSelector)

    def __enter__(self) -> Self:
        """Start none before there is a file."""
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._crew:
            process.end()
        self._crew.clear()
        self._selector.close()

    def listen(self, paths: Iterable[str]) -> Iterator[Reached | Listened]:
        """Listen to files side by side; each gives one ``Listened``, in the order in which they are done.

        A process that dies ends the file that it listened to, and another takes its place.

        Args:
            paths: the files.

        Raises:
            SaysoError: if the model cannot be loaded.
        """
        waiting = deque(paths)
        while waiting or any(process.path for process in self._crew):
            for process in self._crew:
                if waiting and process.is_idle():
                    process.take(waiting.popleft())
            while waiting and len(self._crew) < self.processes:
                self._crew.add(_Process(self._begin(), waiting.popleft(), self._selector))
            for key, _ in self._selector.select():
                yield from self._heard_from(key.data, waiting)

    def _begin(self) -> dict[str, Any]:
        told = {"folder": str(self.model.folder), "language": self.language, "device": self.device}
        return {**asdict(self.model), **told}

    def _heard_from(self, process: _Process, waiting: deque[str]) -> Iterator[Reached | Listened]:
        """Yield what a process says; give it the next file, or let it wait."""
        for said in process.read():
            if "at" in said:
                yield Reached(process.path, said["at"])
            elif "ready" not in said:
                process.take(waiting.popleft() if waiting else "")
                yield _listened(said, before=process.before)
        if process.ended:
            self._crew.discard(process)
            process.end()
            if process.path:
                if not process.ready:
                    raise SaysoError(
                        "the speech model cannot be loaded; what stands above says why, "
                        "or give another --model"
                    )
                why = f"the process that listened to it ended ({process.code}); it may need more memory"
                yield Listened(process.path, None, f"{process.path}: {why}")


def _listened(said: dict[str, Any], *, before: str) -> Listened:
    if "failed" in said:
        return Listened(
            before, None, said["failed"] if before in said["failed"] else f"{before}: {said['failed']}"
        )
    heard = said["heard"]
    words = tuple(HeardWord(**word) for word in heard.pop("words"))
    return Listened(before, Heard(words=words, **heard))


@dataclass(eq=False)
class _Process:
    """A process that listens, and the file that it is at; '' where it has none."""

    begin: dict[str, Any]
    path: str
    selector: selectors.BaseSelector
    before: str = ""
    ready: bool = False
    ended: bool = False
    code: int | None = None
    _rest: bytes = field(default=b"")

    def __post_init__(self) -> None:
        paths = os.pathsep.join(os.path.abspath(path) for path in sys.path if path)  # noqa: PTH100
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sayso.speech.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": paths},
            bufsize=0,
        )
        assert self.process.stdout is not None  # noqa: S101  a pipe was asked for
        self.selector.register(self.process.stdout, selectors.EVENT_READ, self)
        self._say(self.begin)
        self._say(self.path)

    def take(self, path: str) -> None:
        """Go on with another file; '' to wait for one."""
        self.before, self.path = self.path, path
        if path:
            self._say(path)

    def is_idle(self) -> bool:
        """Tell whether it waits for a file; one that died meanwhile does not."""
        return not self.path and self.process.poll() is None

    def read(self) -> list[dict[str, Any]]:
        """Return the answers that are there."""
        assert self.process.stdout is not None  # noqa: S101  a pipe was asked for
        piece = self.process.stdout.read(_PIECE)
        self.ended = not piece
        *lines, self._rest = (self._rest + (piece or b"")).split(b"\n")
        answers = [json.loads(line) for line in lines]
        self.ready = self.ready or any("ready" in answer for answer in answers)
        return answers

    def end(self) -> None:
        """Stop it, and wait until it is gone."""
        if self.process.stdout is not None and not self.process.stdout.closed:
            self.selector.unregister(self.process.stdout)
        self.process.kill() if not self.ended else None
        self.code = self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None and not pipe.closed:
                pipe.close()

    def _say(self, what: object) -> None:
        try:
            assert self.process.stdin is not None  # noqa: S101  a pipe was asked for
            self.process.stdin.write(json.dumps(what).encode() + b"\n")
        except BrokenPipeError:
            pass  # that it died is seen when it is read from
