"""In how much time a run will be done, and whether that can be told yet.

Pictures and videos take time at rates of their own, and which is which shows only where their mixture
changes. So what a picture costs, in seconds of video, is a number w that is not known. Of each value that it
may have is asked how steady the work was, over equal stretches of time b:

    p(w) ~ prior(w) exp(-sum_b (log rate_b(w) - mean)^2 / (2 spread^2)),    work(w) = seconds + w pictures.

How fast it goes is what was done in the later half of the time. Beside that stands what the longest video
needs by itself at its speed so far: the truth where it keeps its core busy and others idle, too much where it
had to share them. The time is told once all that is likely agrees.

When one kind runs out, or but one file is left, what goes on has changed: then only what is done since
counts, once that is enough. What a film does beside pictures says little of what it does without them.

Work comes in batches, the clips and pictures of each one after the other: a batch counts, from when it had
come, once the next comes. To count a part of one loses the time of all of it. And what was decoded while the
first batch was slow comes in a rush: work is taken to go no faster than decoding does.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

LEAST_S, MOST_SAMPLES = 0.1, 512
"""How much later a batch comes than the last, at least; then every second sample is forgotten."""

STRETCHES, SPREAD = 8, 0.2
TELLING, FEWEST = 0.05, 5
"""How much of the work, and how many batches of each kind that goes on, are done before anything is told."""

AGREE = 0.25
"""How far apart, as a share of the whole time, what is likely may be when it is told."""

GAPS, CHANGED, SURE = 2, 0.05, 0.1
"""How many batches and what share of the time show how it goes since it changed; what agrees before."""

RAMP = 0.5
"""How long work is seen to flow, as a share of the time before the first batch: what waited comes first."""

SEEN, MOST = 0.02, 8
"""The share of the time after which a video's own speed is known, and how many share it."""

Floats = NDArray[np.float64]
COSTS: Floats = np.geomspace(0.02, 20, 31)
"""What a picture may cost, in seconds of video."""

_LOG_PRIOR: Floats = -0.5 * (np.log(COSTS / 0.5) / 1.5) ** 2


@dataclass(frozen=True, slots=True)
class Standing:
    """What is done, and what is left.

    Args:
        seconds: of video that are done.
        pictures: that are done.
        seconds_left: of video.
        pictures_left: how many.
        files_left: how many, those under way too.
        longest_s: of the videos that were not begun.
        under_way: seconds that are decoded, and left to be, of each video that was begun.
        ahead_s: seconds of video that are decoded and not done yet.
        ahead: pictures that are decoded and not done yet.
    """

    seconds: float
    pictures: float
    seconds_left: float
    pictures_left: float
    files_left: int
    longest_s: float = 0.0
    under_way: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    ahead_s: float = 0.0
    ahead: int = 0


class _Samples:
    """What was done each time that a batch had come: of each kind, and of each video that was under way."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.done: list[tuple[float, float, float, float]] = []
        self.under_way: list[dict[str, float]] = []
        self.batches = [0, 0]  # of videos, of pictures

    def add(self, at_s: float, now: Standing) -> None:
        """Add what was done at a second."""
        before, done = self.done[-1][:2] if self.done else (0.0, 0.0), (now.seconds, now.pictures)
        self.batches = [n + (new > old) for n, new, old in zip(self.batches, done, before, strict=True)]
        if len(self.times) == MOST_SAMPLES:
            del self.times[1::2], self.done[1::2], self.under_way[1::2]
        self.times.append(at_s)
        self.done.append((*done, now.seconds + now.ahead_s, now.pictures + now.ahead))
        self.under_way.append({path: done for path, (done, _) in now.under_way.items()})

    def at(self, times: Floats | float) -> Floats:
        """Return the seconds of video and the pictures that were done, and those decoded (4, ...)."""
        return np.array([np.interp(times, self.times, of_kind) for of_kind in zip(*self.done, strict=True)])

    def since(self, at_s: float) -> tuple[float, dict[str, float]]:
        """Return the first sample that is not older, and what was done then of each video."""
        k = min(bisect_left(self.times, at_s), len(self.times) - 1)
        return self.times[k], self.under_way[k]


class TimeLeft:
    """Tells in how many seconds a run will be done, by what it did so far."""

    def __init__(self) -> None:
        self._samples = _Samples()
        self._begun: dict[str, tuple[float, float]] = {}  # the first sample of each video under way
        self._goes_on: tuple[bool, ...] = ()
        self._changed, self._gaps = 0.0, GAPS  # when what goes on changed, and how many batches came since
        self._speed = 0.0  # of one video, lately
        self._chances = np.exp(_LOG_PRIOR) / np.exp(_LOG_PRIOR).sum()
        self._last: Standing | None = None
        self._came = self._looked = 0.0
        self._ends_s: float | None = None

    def seconds(self, at_s: float) -> float | None:
        """Return in how many seconds it will be done, at a second of the run; None: that cannot be told."""
        return None if self._ends_s is None else max(0.0, self._ends_s - at_s)

    def note(self, at_s: float, now: Standing) -> None:
        """Note how things stand at a second of the run."""
        last, came = self._last, self._came
        self._last, self._came = now, at_s
        if now.files_left == 0:
            self._ends_s = at_s
        elif last is None or not (last.seconds or last.pictures):
            return
        elif at_s > came + LEAST_S or at_s > self._looked + 10 * LEAST_S:
            self._looked = at_s
            self._take(came, last)
            left_s = self._left(came, last)
            self._ends_s = None if left_s is None else came + left_s

    def _take(self, at_s: float, now: Standing) -> None:
        """Take a sample; see whether what goes on has changed."""
        goes_on = (*_goes_on(now), now.files_left > 1)
        changed = goes_on != self._goes_on
        self._samples.add(at_s, now)
        if changed and self._goes_on:
            self._changed, self._gaps = at_s, 0
        elif at_s > self._changed:
            self._gaps += 1
        self._goes_on = goes_on
        self._begun = {path: self._begun.get(path, (at_s, done)) for path, (done, _) in now.under_way.items()}
        self._chances = self._weigh(at_s)

    def _weigh(self, at_s: float) -> Floats:
        """Return how likely each cost of a picture is."""
        first_s = self._samples.times[0]  # what stood still before says nothing
        bounds = np.linspace(first_s, at_s, STRETCHES + 1)
        videos, pictures, _, _ = np.diff(self._samples.at(bounds))
        rates = videos + COSTS[:, None] * pictures
        logs = np.log(np.maximum(rates / np.maximum(rates.mean(1, keepdims=True), 1e-9), 0.05))
        off = ((logs - logs.mean(1, keepdims=True)) ** 2).sum(1)
        fewest = min((batches for batches in self._samples.batches if batches), default=1)
        rough = STRETCHES / max(fewest - 1, 1) if fewest > 1 else 0.0
        found = _LOG_PRIOR - off / (2 * (SPREAD**2 + rough**2))
        likely = np.exp(found - found.max())
        return np.asarray(likely / likely.sum())

    def _is_clear(self, now: Standing, works: Floats, lefts: Floats) -> bool:
        """Tell whether enough is done of each kind that goes on."""
        counts = zip(_goes_on(now), self._samples.batches, strict=True)
        few = (goes_on and 0 < batches < FEWEST for goes_on, batches in counts)
        return not any(few) and self._chances @ (works / (works + lefts)) >= TELLING

    def _left(self, at_s: float, now: Standing) -> float | None:
        """Return in how many seconds it will be done; None while that cannot be told."""
        works, lefts = now.seconds + COSTS * now.pictures, now.seconds_left + COSTS * now.pictures_left
        if not self._is_clear(now, works, lefts):
            return None
        first_s = self._samples.times[0]
        if at_s - first_s < RAMP * first_s:
            return None
        middle = (first_s + at_s) / 2
        is_known = self._gaps >= GAPS and at_s - self._changed > CHANGED * at_s
        since = max(middle, self._changed) if is_known else middle
        halves = np.diff(self._samples.at(np.linspace(since, at_s, 3)))
        ahead = now.ahead_s + COSTS * now.ahead
        needs_s = _needs_s(halves.sum(1), at_s - since, lefts, ahead)
        if needs_s is None:
            return None
        low, high = self._quantile(needs_s, 0.05), self._quantile(needs_s, 0.95)
        high = max(high, self._alone_s(at_s, since, now, needs_s / lefts))
        ways = [_needs_s(half, (at_s - since) / 2, lefts, ahead) for half in halves.T]
        agree = [low, high, *(self._quantile(way, 0.5) if way is not None else np.inf for way in ways)]
        bound = AGREE if is_known else SURE
        return (low + high) / 2 if max(agree) - min(agree) <= bound * (at_s + high) else None

    def _alone_s(self, at_s: float, since: float, now: Standing, cost_s: Floats) -> float:
        """Return how long the video takes that takes longest, at the speed of its decoding."""
        speeds = self._speeds(at_s, since, now)
        begun = float(np.diff(self._samples.at(np.array([since, at_s])))[2, 0])
        speed = self._speed or begun / (at_s - since) / MOST
        if not speed:
            return 0.0
        alone = [left_s / speeds.get(path, speed) for path, (_, left_s) in now.under_way.items()]
        if now.longest_s:
            lefts = now.seconds_left + COSTS * now.pictures_left - now.longest_s
            alone.append(self._quantile(lefts * cost_s, 0.95) + now.longest_s / speed)
        return max(alone, default=0.0)

    def _speeds(self, at_s: float, since: float, now: Standing) -> dict[str, float]:
        """Return how fast each video goes that has been under way for long enough; keep the highest."""
        sampled, before = self._samples.since(since)
        speeds = {}
        for path, (done, _) in now.under_way.items():
            begin, was = (sampled, before[path]) if path in before else self._begun[path]
            if at_s - begin > SEEN * at_s and done > was:
                speeds[path] = (done - was) / (at_s - begin)
        self._speed = max(speeds.values(), default=self._speed)
        return speeds

    def _quantile(self, values: Floats, share: float) -> float:
        order = np.argsort(values)
        found = min(int(np.searchsorted(np.cumsum(self._chances[order]), share)), len(values) - 1)
        return float(values[order][found])


def _goes_on(now: Standing) -> tuple[bool, bool]:
    """Tell whether videos, and pictures, are left; sums of lengths are not exact."""
    return round(now.seconds_left, 3) > 0, now.pictures_left > 0


def _needs_s(done: Floats, in_s: float, lefts: Floats, ahead: Floats) -> Floats | None:
    """Return how long the work takes that is left, for each cost of a picture; None if none was done.

    Args:
        done: seconds of video and pictures that were done, and those that were decoded (4,).
        in_s: in so many seconds.
        lefts: the work that is left (N,), seconds of video.
        ahead: what of it is decoded (N,).
    """
    works, reads = done[[0, 2], None] + COSTS * done[[1, 3], None]
    if works.min() <= 0:
        return None
    # where nothing was decoded it waits for room, and is no bound
    decoding = np.where(reads > 0, (lefts - ahead) / np.maximum(reads, 1e-9), 0.0)
    return np.asarray(np.maximum(lefts / works, decoding) * in_s)
