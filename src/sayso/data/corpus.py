"""A corpus: videos with captions, small in memory and read at random.

Nothing is kept as an object a caption: captions are columns (starts, ends, packed
texts), those of one video side by side and in order of time. A corpus that was
saved opens at once and stays on disk; only what is asked for is read.
``sayso.data.read_corpus`` makes one from what people have.
"""

from __future__ import annotations

import json
import os
import tempfile
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from sayso.core.arrays import read_array
from sayso.core.errors import MediaError, SaysoError
from sayso.core.io import atomic_folder
from sayso.core.types import Caption, Span
from sayso.data.manifest import Failure
from sayso.data.packed_strings import PackedStrings, StringPacker

RawCaption = tuple[float, float, str]  # start and end in seconds and text, as a file has them, unchecked
MARK = "corpus.json"
_SCHEMA = 1
_COPIED = 1 << 20


class Missing(NamedTuple):
    """A video that is listed but cannot be learned from, and why, in a few words."""

    video: str
    why: str


class Corpus:
    """Videos v = 0 .. V-1 and their captions c = 0 .. N-1, numbered through all videos.

    Args:
        ids: names of the videos, V; features are found by them.
        paths: their files, V.
        first: (V + 1,) int64: video v has the captions ``first[v]`` to ``first[v + 1] - 1``.
        spans: (N, 2) float64, start and end in seconds, by start within a video. An end of
            infinity is the end of the video.
        texts: N captions.
        parts: (V, 2) int64: where the video lies inside its file, first byte and size; (0, -1) is all of it.
        missing: the videos that are listed but not there, or have no captions.
        dropped: number of captions left out because they say nothing or their times are impossible.
        failures: what is there but broken: videos' captions, entries, shards; also among ``missing``.
    """

    def __init__(
        self,
        ids: PackedStrings,
        paths: PackedStrings,
        first: NDArray[np.int64],
        spans: NDArray[np.float64],
        texts: PackedStrings,
        parts: NDArray[np.int64],
        missing: Sequence[Missing] = (),
        dropped: int = 0,
        failures: Sequence[Failure] = (),
    ) -> None:
        self.ids, self.paths, self.first = ids, paths, first
        self.spans, self.texts, self.parts = spans, texts, parts
        self.missing, self.dropped, self.failures = list(missing), dropped, tuple(failures)

    def __len__(self) -> int:
        """Return V, the number of videos."""
        return len(self.paths)

    @property
    def captions(self) -> int:
        """N, the number of captions of all videos."""
        return len(self.texts)

    def captions_of(self, video: int) -> range:
        """Return the numbers of a video's captions, in order of time."""
        return range(int(self.first[video]), int(self.first[video + 1]))

    def video_of(self, caption: int) -> int:
        """Return the video to which a caption belongs."""
        return int(np.searchsorted(self.first, caption, side="right")) - 1

    def caption(self, caption: int) -> Caption:
        """Return a caption with its span."""
        start, end = self.spans[caption]
        return Caption(Span(float(start), float(end)), self.texts[caption])

    @contextmanager
    def file(self, video: int) -> Iterator[str]:
        """Give a file that holds this video alone, for as long as the ``with`` block lasts.

        A video inside a tar shard is copied to a temporary file, as FFmpeg needs to seek in it.

        Raises:
            SaysoError: if the shard cannot be read.
        """
        offset, size = (int(number) for number in self.parts[video])
        if size < 0:
            yield self.paths[video]
            return
        with tempfile.NamedTemporaryFile(prefix="sayso-") as copy:
            _copy_part(self.paths[video], offset, size, copy)
            copy.flush()
            try:
                yield copy.name
            except MediaError as error:
                raise MediaError(str(error).replace(copy.name, self.name(video))) from error

    def name(self, video: int) -> str:
        """Return what to call a video in messages: its file, or the shard and its name in it."""
        path = self.paths[video]
        return path if self.parts[video][1] < 0 else f"{path}: {self.ids[video]}"

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write the corpus to a new folder, from which ``read_corpus`` opens it at once.

        Raises:
            SaysoError: if there is something of that name already.
        """
        target = Path(folder)
        if target.exists():
            raise SaysoError(f"{target} is there already; save the corpus under a new name")
        with atomic_folder(target) as new:
            for name, column in self._columns().items():
                np.save(new / f"{name}.npy", column)
            failures = [[one.path, one.stage, one.error] for one in self.failures]
            head = {"schema": _SCHEMA, "dropped": self.dropped, "missing": self.missing, "failures": failures}
            (new / MARK).write_text(json.dumps(head), encoding="utf-8")
        return target

    @classmethod
    def open(cls, folder: str | os.PathLike[str]) -> Self:
        """Open a corpus that was saved; its columns stay on disk.

        Raises:
            SaysoError: if it is none, or another version's.
        """
        here = Path(folder)
        try:
            head = json.loads((here / MARK).read_text(encoding="utf-8"))
            if head["schema"] != _SCHEMA:
                raise SaysoError(f"the corpus {here} was saved by another version of sayso; save it anew")
            found = {p.stem: read_array(p, "the column", mapped=True) for p in here.glob("*.npy")}
            missing = [Missing(*entry) for entry in head["missing"]]
            return cls(
                PackedStrings(found["ids"], found["ids_data"]),
                PackedStrings(found["paths"], found["paths_data"]),
                found["first"],
                found["spans"],
                PackedStrings(found["texts"], found["texts_data"]),
                found["parts"],
                missing,
                head["dropped"],
                [Failure(*entry) for entry in head.get("failures", ())],
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SaysoError(f"{here} is no corpus that can be opened ({error}); save it anew") from error

    def _columns(self) -> dict[str, NDArray[np.generic]]:
        packed = {"ids": self.ids, "paths": self.paths, "texts": self.texts}
        columns: dict[str, NDArray[np.generic]] = {name: strings.bounds for name, strings in packed.items()}
        columns |= {f"{name}_data": strings.data for name, strings in packed.items()}
        return columns | {"first": self.first, "spans": self.spans, "parts": self.parts}


class CorpusBuilder:
    """Collects videos and their captions into the columns of a corpus."""

    def __init__(self) -> None:
        self.missing: list[Missing] = []
        self.failures: list[Failure] = []
        self.dropped = 0
        self._ids, self._paths, self._texts = StringPacker(), StringPacker(), StringPacker()
        self._spans, self._first, self._parts = array("d"), array("q", [0]), array("q")

    def add(
        self,
        video: str,
        path: str,
        captions: Iterable[RawCaption],
        part: tuple[int, int] = (0, -1),
    ) -> None:
        """Add a video with its captions (start, end, text); without any it counts as missing.

        Args:
            video: its id.
            path: of its file, or of the archive that holds it.
            captions: start and end in seconds, and the text.
            part: offset and size of the video in an archive, bytes; (0, -1): a file of its own.
        """
        sound = sorted(self._sound(captions))
        if not sound:
            self.miss(video, "has no captions")
            return
        for start, end, text in sound:
            self._spans.extend((start, end))
            self._texts.append(text)
        self._ids.append(video)
        self._paths.append(path)
        self._parts.extend(part)
        self._first.append(self._first[-1] + len(sound))

    @property
    def videos(self) -> int:
        """How many videos were added."""
        return len(self._first) - 1

    def miss(self, video: str, why: str) -> None:
        """Count a video that is not there, or has no captions."""
        self.missing.append(Missing(video, why))

    def fail(self, video: str, why: str) -> None:
        """Count a video, or a part of the data, that is there but broken."""
        self.miss(video, why)
        self.failures.append(Failure(video, "captions", why))

    def finish(self) -> Corpus:
        """Return the corpus; nothing can be added afterwards."""
        return Corpus(
            PackedStrings(*self._ids.arrays()),
            PackedStrings(*self._paths.arrays()),
            np.frombuffer(self._first, np.int64),
            np.frombuffer(self._spans, np.float64).reshape(-1, 2),
            PackedStrings(*self._texts.arrays()),
            np.frombuffer(self._parts, np.int64).reshape(-1, 2),
            self.missing,
            self.dropped,
            self.failures,
        )

    def _sound(self, captions: Iterable[RawCaption]) -> Iterator[RawCaption]:
        """Yield the captions that say something at a possible time; one that starts before 0 starts at 0."""
        for start, end, text in captions:
            words = " ".join(text.split())
            if words and start < float("inf") and max(start, 0.0) <= end:
                yield max(start, 0.0), end, words
            else:
                self.dropped += 1


def _copy_part(path: str, offset: int, size: int, copy: IO[bytes]) -> None:
    try:
        with Path(path).open("rb") as shard:
            shard.seek(offset)
            while size:
                chunk = shard.read(min(size, _COPIED))
                if not chunk:
                    raise SaysoError(f"the shard {path} is shorter than when it was listed; read it anew")
                copy.write(chunk)
                size -= len(chunk)
    except OSError as error:
        raise SaysoError(f"the shard {path} cannot be read: {error.strerror}") from error
