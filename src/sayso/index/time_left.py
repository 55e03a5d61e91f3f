"""In how much time a run will be done, and whether that can be told yet.

Pictures and videos take time at rates of their own, and which is which shows only where their mixture
changes. So what a picture costs, in seconds of video, is a number w that is not known. Of each value that it
may have is asked how steady the work was, over equal stretches of time b:

    p(w) ~ prior(w) exp(-sum_b (log rate_b(w) - mean)^2 / (2 spread^2)),    work(w) = seconds + w pictures.

How fast it goes is what was done in the later half of the time. Beside that stands what the longest video
needs by itself at its speed so far: the truth where it keeps its core busy and others idle, too much where it
had to share them. The time is told once all that is likely agrees; of the last file, once it was alone for
a while.

Work comes in batches: what came at once counts when the next comes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

GROWTH, LEAST_S = 1.02, 0.1
"""How much later each sample of the work is taken, at least."""

STRETCHES, SPREAD = 8, 0.2
TELLING, FEWEST = 0.05, 4
"""How much of the work, and how many batches of each kind that goes on, are done before anything is told."""

AGREE = 0.25
"""How far apart, as a share of the whole time, what is likely may be when it is told."""

LONELY, SEEN, MOST = 0.1, 0.02, 8
"""Shares of the time after which the last file's, and any video's, own speed is known; how many share it."""

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
        under_way: seconds that are done, and left, of each video that was begun.
    """

    seconds: float
    pictures: float
    seconds_left: float
    pictures_left: float
    files_left: int
    longest_s: float = 0.0
    under_way: Mapping[str, tuple[float, float]] = field(default_factory=dict)


class _Steps:
    """What is done of one kind, just before each batch came: samples of all that were, and the last."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.values: list[float] = []
        self.batches, self._counted = 0, -LEAST_S

    def add(self, at_s: float, value: float) -> None:
        if at_s > self._counted + LEAST_S:
            self.batches, self._counted = self.batches + 1, at_s
        if len(self.times) > 1 and self.times[-1] <= GROWTH * self.times[-2] + LEAST_S:
            del self.times[-1], self.values[-1]
        self.times.append(at_s)
        self.values.append(value)

    def at(self, times: Floats | float) -> Floats:
        known = self.times or [0.0]
        return np.asarray(np.interp(times, known, self.values or [0.0]))

    def is_unclear(self, left: float) -> bool:
        """Tell whether it goes on and has hardly begun."""
        return left > 0 and 0 < self.batches < FEWEST

    @property
    def gap_s(self) -> float:
        return (self.times[-1] - self.times[0]) / (len(self.times) - 1) if len(self.times) > 1 else 0.0


class TimeLeft:
    """Tells in how many seconds a run will be done, by what it did so far."""

    def __init__(self) -> None:
        self._videos, self._pictures = _Steps(), _Steps()
        self._begun: dict[str, float] = {}
        self._held: list[tuple[float, dict[str, float]]] = []  # samples of what is done of each video
        self._lonely: tuple[float, float] | None = None  # when but one video was left, and what was done
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
        last, self._last = self._last, now
        if now.files_left == 0:
            self._ends_s = at_s
        elif last is not None:
            self._step(at_s, last, now)
            if at_s > self._came + LEAST_S or at_s > self._looked + 10 * LEAST_S:
                self._looked = at_s
                self._sample(at_s, last)
                left_s = self._left(at_s, last)
                self._ends_s = None if left_s is None else at_s + left_s
        self._came = at_s

    def _step(self, at_s: float, last: Standing, now: Standing) -> None:
        self._begun = {path: self._begun.get(path, at_s) for path in now.under_way}
        if now.seconds > last.seconds:
            self._videos.add(at_s, last.seconds)
            if last.files_left == 1 and self._lonely is None:
                self._lonely = at_s, last.seconds
        if now.pictures > last.pictures:
            self._pictures.add(at_s, last.pictures)

    def _sample(self, at_s: float, now: Standing) -> None:
        if not self._held or at_s > GROWTH * self._held[-1][0] + LEAST_S:
            self._held.append((at_s, {path: done for path, (done, _) in now.under_way.items()}))
            self._chances = self._weigh(at_s)

    def _first_s(self) -> float:
        """Return when the first batch came; what stood still before says nothing."""
        return min((steps.times[0] for steps in (self._videos, self._pictures) if steps.times), default=0.0)

    def _weigh(self, at_s: float) -> Floats:
        """Return how likely each cost of a picture is."""
        bounds = np.linspace(self._first_s(), at_s, STRETCHES + 1)
        rates = np.diff(self._videos.at(bounds)) + COSTS[:, None] * np.diff(self._pictures.at(bounds))
        logs = np.log(np.maximum(rates / np.maximum(rates.mean(1, keepdims=True), 1e-9), 0.05))
        off = ((logs - logs.mean(1, keepdims=True)) ** 2).sum(1)
        rough = max(self._videos.gap_s, self._pictures.gap_s) / max(bounds[1] - bounds[0], 1e-9)
        found = _LOG_PRIOR - off / (2 * (SPREAD**2 + rough**2))
        likely = np.exp(found - found.max())
        return np.asarray(likely / likely.sum())

    def _left(self, at_s: float, now: Standing) -> float | None:
        """Return in how many seconds it will be done; None while that cannot be told."""
        works, lefts = now.seconds + COSTS * now.pictures, now.seconds_left + COSTS * now.pictures_left
        middle = (self._first_s() + at_s) / 2
        rates = works - self._videos.at(middle) - COSTS * self._pictures.at(middle)
        few = self._videos.is_unclear(now.seconds_left) or self._pictures.is_unclear(now.pictures_left)
        if few or rates.min() <= 0 or self._chances @ (works / (works + lefts)) < TELLING:
            return None
        by_itself = self._by_itself(at_s, now)
        if by_itself is not None:
            return by_itself
        cost_s = (at_s - middle) / rates  # of a second of video
        low, high = self._quantile(lefts * cost_s, 0.05), self._quantile(lefts * cost_s, 0.95)
        speeds = self._speeds(at_s, middle, now)
        speed = self._speed or float(self._videos.at(at_s) - self._videos.at(middle)) / (at_s - middle) / MOST
        alone = [left_s / speeds.get(path, speed) for path, (_, left_s) in now.under_way.items() if speed > 0]
        if now.longest_s:
            others = self._quantile((lefts - now.longest_s) * cost_s, 0.95)
            alone.append(others + now.longest_s / max(speed, 1e-9))
        high = max([high, *alone])
        return (low + high) / 2 if high - low <= AGREE * (at_s + high) else None

    def _by_itself(self, at_s: float, now: Standing) -> float | None:
        """Return how long the last video takes, at its speed since it was alone; None if that is unknown."""
        if now.files_left != 1 or self._lonely is None:
            return None
        since, was = self._lonely
        if at_s - since <= LONELY * at_s or sum(time > since for time in self._videos.times) < 3:
            return None
        return now.seconds_left * (at_s - since) / max(now.seconds - was, 1e-9)

    def _speeds(self, at_s: float, middle: float, now: Standing) -> dict[str, float]:
        """Return how fast each video goes that has been under way for long enough; keep the highest."""
        since, before = next(((time, held) for time, held in self._held if time >= middle), (at_s, {}))
        speeds = {}
        for path, (done, _) in now.under_way.items():
            begin, was = (since, before[path]) if path in before else (self._begun.get(path, at_s), 0.0)
            if at_s - begin > SEEN * at_s and done > was:
                speeds[path] = (done - was) / (at_s - begin)
        self._speed = max(speeds.values(), default=self._speed)
        return speeds

    def _quantile(self, values: Floats, share: float) -> float:
        order = np.argsort(values)
        found = min(int(np.searchsorted(np.cumsum(self._chances[order]), share)), len(values) - 1)
        return float(values[order][found])
