"""Files to listen to elsewhere, some at a time: what goes to a worker, what it does, and what comes back.

A worker writes captions beside each file itself, so all machines must see the files; nothing but names and
counts travels. What it finds done it leaves as it is, so a shard whose worker died is taken up where that
stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sayso.core.errors import SaysoError
from sayso.core.ownership import writing_as
from sayso.speech.beside import Beside
from sayso.speech.listeners import Listened, Listeners, Reached
from sayso.speech.speech_model import SpeechModel, find_speech_model

VERB = "transcribe"  # whose files these are
LONGEST_S, MOST_FILES, FEWEST = 3600.0, 256, 64
"""A shard is an hour of sound, or so many files; of little sound there are so many shards."""


@dataclass(frozen=True, slots=True)
class SoundShard:
    """Files that one worker listens to.

    Args:
        files: their paths, absolute.
        again: listen also to those that are done.
    """

    files: tuple[str, ...]
    again: bool = False


@dataclass(frozen=True, slots=True)
class FileHeard:
    """What became of a file.

    Args:
        path: of the file.
        seconds: of sound that were listened to.
        captions: that were written; None where nobody speaks.
        stage: at which it failed, '' if it did not.
        error: why.
    """

    path: str
    seconds: float = 0.0
    captions: Path | None = None
    stage: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class BeginListening:
    """What a worker starts with; it can be pickled.

    Args:
        model: as the driver found it; there it must be the same.
        language: of what is said; None to detect it.
        device: cpu or cuda.
    """

    model: SpeechModel
    language: str | None
    device: str

    def __call__(self) -> Callable[[SoundShard], list[FileHeard]]:
        """Return what hears a shard, in a process that lives as long as the worker.

        Raises:
            SaysoError: if the model is not there, or another one.
        """
        model = self._found()
        listeners = Listeners(model, 1, self.language, self.device)
        return lambda shard: list(hear_shard(shard, model, listeners))

    def _found(self) -> SpeechModel:
        there = self.model.folder
        found = find_speech_model(str(there) if there.is_dir() else self.model.name)
        if found.sha256 != self.model.sha256:
            raise SaysoError(
                f"a worker's speech model {self.model.name} differs from the driver's; give all the same"
            )
        return SpeechModel(self.model.name, found.folder, found.sha256)


def cut_shards(files: Mapping[str, float], *, again: bool = False) -> list[SoundShard]:
    """Cut files into shards, in their order.

    Args:
        files: paths, and the seconds that each lasts, as far as known.
        again: see ``SoundShard``.
    """
    longest_s = min(LONGEST_S, sum(files.values()) / FEWEST) or LONGEST_S
    shards: list[SoundShard] = []
    held: list[str] = []
    seconds = 0.0
    for path, lasts in files.items():
        held.append(path)
        seconds += lasts
        if seconds >= longest_s or len(held) >= MOST_FILES:
            shards.append(SoundShard(tuple(held), again))
            held, seconds = [], 0.0
    return [*shards, SoundShard(tuple(held), again)] if held else shards


def hear_shard(shard: SoundShard, model: SpeechModel, listeners: Listeners) -> Iterator[FileHeard]:
    """Listen to a shard's files and write beside each; yield what became of every one.

    Args:
        shard: the files.
        model: which.
        listeners: processes that have it.
    """
    with writing_as(VERB):
        waiting = []
        for path in shard.files:
            try:
                done = None if shard.again else Beside(Path(path)).written()
            except OSError as error:
                yield FileHeard(path, stage="read", error=f"{path}: {error.strerror or error}")
                continue
            if done is None:
                waiting.append(path)
            else:
                yield FileHeard(path, *done)
        for said in listeners.listen(waiting):
            if not isinstance(said, Reached):
                yield write_heard(said, model)


def write_heard(said: Listened, model: SpeechModel) -> FileHeard:
    """Write beside a file what was heard in it; return what became of it.

    Args:
        said: in the file.
        model: which heard it.
    """
    if said.heard is None:
        return FileHeard(said.path, stage="listen", error=said.error)
    beside = Beside(Path(said.path))
    try:
        spoken = beside.write(said.heard, model)
    except (SaysoError, OSError) as error:
        return FileHeard(said.path, said.heard.seconds, stage="write", error=str(error))
    return FileHeard(said.path, said.heard.seconds, beside.captions(said.heard.language) if spoken else None)
