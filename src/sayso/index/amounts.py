"""How much of the media that a run reads is done, and how much there is: lengths come from their headers.

The headers are read beside the decoding, by a thread of its own; the length of a video whose header was not
read yet is guessed from its size.
"""

from __future__ import annotations

import contextlib
import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Mapping
from heapq import heappop, heappush

from sayso.core.errors import SaysoError
from sayso.core.progress import Amount
from sayso.index.time_left import Standing, TimeLeft

PICTURE_S = 0.5
"""A picture takes about as long as so many seconds of video."""

SAMPLE_GROWTH = 1.02
"""How much later each sample of the work is taken."""


class Amounts:
    """Counts what is done of some files; may be used from several threads.

    Args:
        sizes: bytes of each file, by path.
        videos: those of them that take time.
        clock: gives the seconds.
    """

    def __init__(
        self, sizes: Mapping[str, int], videos: Collection[str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._sizes, self._videos = dict(sizes), set(videos)
        self._total_bytes, self._pictures = sum(sizes.values()), len(self._sizes) - len(self._videos)
        self._lengths: dict[str, float] = {}
        self._known_s = self._done_s = self._done_bytes = self._done_pictures = 0.0
        self._known_bytes, self._unknown_bytes = 0, sum(sizes[path] for path in self._videos)
        self._under_way: dict[str, float] = {}
        self._decoded, self._ahead = dict[str, float](), set[str]()  # of videos; pictures
        self._turn, self._stopped = threading.Lock(), threading.Event()
        self._clock, self._began = clock, clock()
        self._times, self._works = [0.0], [0.0]
        self._time_left, self._base = TimeLeft(), (0.0, 0.0)
        self._longest: list[tuple[float, str]] = []  # a heap; those that were begun go when they are met

    @contextlib.contextmanager
    def probing(self) -> Iterator[None]:
        """Read the headers of the videos meanwhile; the time is counted from here."""
        with self._turn:
            self._began = self._clock()
            self._time_left, self._base = TimeLeft(), (self._done_s, self._done_pictures)
        thread = threading.Thread(target=self._probe, name="probe", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stopped.set()
            thread.join()

    def _probe(self) -> None:
        from sayso.media import probe

        for path in sorted(self._videos):
            if self._stopped.is_set():
                return
            if path in self._lengths:
                continue
            try:
                length_s = probe(path).duration or 0.0
            except (SaysoError, OSError):
                length_s = 0.0
            with self._turn:
                if path in self._videos and path not in self._lengths:
                    self._learn(path, length_s)

    def _learn(self, path: str, length_s: float) -> None:
        if path not in self._lengths:
            self._known_bytes += self._sizes[path]
            self._unknown_bytes -= self._sizes[path]
        self._known_s += length_s - self._lengths.get(path, 0.0)
        self._lengths[path] = length_s
        heappush(self._longest, (-length_s, path))

    def reached(self, path: str, second: float) -> None:
        """Note how far into a video a run has come.

        Args:
            path: of the video.
            second: of its clock.
        """
        with self._turn:
            if path in self._videos:
                self._under_way[path] = max(second, self._under_way.get(path, 0.0))

    def decoded(self, path: str, second: float) -> None:
        """Note how far into a file its decoding has come, which is ahead of the rest of the work.

        Args:
            path: of the video or the picture.
            second: of its clock.
        """
        with self._turn:
            if path in self._videos:
                self._decoded[path] = second
            elif path in self._sizes:
                self._ahead.add(path)

    def finished(self, path: str, length_s: float | None) -> None:
        """Note that a file is done.

        Args:
            path: of the file.
            length_s: how long it turned out to be, seconds.
        """
        with self._turn:
            if path not in self._sizes:
                return
            self._done_bytes += self._sizes[path]
            if path in self._videos:
                self._learn(path, length_s or self._lengths.get(path, 0.0))
                self._done_s += self._lengths[path]
                self._under_way.pop(path, None)
                self._decoded.pop(path, None)
                self._videos.discard(path)
            else:
                self._done_pictures += 1
                self._ahead.discard(path)
            del self._sizes[path]

    def leave_out(self, path: str) -> None:
        """Note that a file need not be read after all."""
        with self._turn:
            size = self._sizes.pop(path, None)
            if size is None:
                return
            self._total_bytes -= size
            if path not in self._videos:
                self._pictures -= 1
            elif path in self._lengths:
                self._known_s -= self._lengths[path]
            else:
                self._unknown_bytes -= size
            self._videos.discard(path)

    def now(self) -> Amount:
        """Return what is done and what there is."""
        with self._turn:
            guessed = self._unknown_bytes * self._known_s / self._known_bytes if self._known_bytes else 0.0
            done_s, done_bytes = self._done_s, self._done_bytes
            for path, second in self._under_way.items():
                length_s = max(self._lengths.get(path, 0.0), second)
                done_s += second
                done_bytes += self._sizes[path] * second / length_s if length_s else 0.0
            total_s = max(self._known_s + guessed, done_s)
            work, at_s = done_s + PICTURE_S * self._done_pictures, self._clock() - self._began
            self._time_left.note(at_s, self._standing(done_s, total_s))
            return Amount(
                work=work,
                total_work=total_s + PICTURE_S * self._pictures,
                seconds=done_s,
                total_seconds=total_s,
                bytes=round(done_bytes),
                total_bytes=self._total_bytes,
                work_per_s=self._rate(at_s, work),
                eta_s=self._time_left.seconds(at_s),
            )

    def _standing(self, done_s: float, total_s: float) -> Standing:
        under_way = {
            path: (second, max(0.0, self._lengths.get(path, 0.0) - second))
            for path, second in {**self._under_way, **self._decoded}.items()
        }
        while self._longest and (self._longest[0][1] not in self._videos or self._longest[0][1] in under_way):
            heappop(self._longest)
        ahead_s = sum(second - self._under_way.get(path, 0.0) for path, second in self._decoded.items())
        return Standing(
            done_s - self._base[0],
            self._done_pictures - self._base[1],
            total_s - done_s,
            self._pictures - self._done_pictures,
            len(self._sizes),
            -self._longest[0][0] if self._longest else 0.0,
            under_way,
            max(0.0, min(ahead_s, total_s - done_s)),
            len(self._ahead),
        )

    def _rate(self, elapsed_s: float, work: float) -> float:
        """Return how much work a second was done lately: in the later half of the time since the first."""
        if work > 0 and self._works == [0.0]:
            self._times, self._works = [elapsed_s], [work]  # what stood still before says nothing
        if elapsed_s > SAMPLE_GROWTH * self._times[-1] + 0.1:
            self._times.append(elapsed_s)
            self._works.append(work)
        k = max(0, bisect_left(self._times, (self._times[0] + elapsed_s) / 2) - 1)
        return (work - self._works[k]) / max(elapsed_s - self._times[k], 1e-9)
