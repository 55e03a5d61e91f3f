"""Speech: word error, times, text out of nothing; speed next to a bare faster-whisper loop in the same run.

    python benchmarks/speech.py [--steps taxonomy.csv --sets 10] [--minutes 1] [--pairs 8] [--json FILE]
    python benchmarks/speech.py --ways processes --minutes 8 --pairs 5     # two to one, by the clock

Sentences are spoken by espeak-ng, one after the other with pauses, so the true start of each is known. By
default they are some made here; ``--steps`` takes a table with a column ``step`` (COIN's taxonomy), of which
each sentence names two: 40 a set, every set another shuffle. Intervals are 95 %, by bootstrap over sentences.

``bare`` is a loop over the same files that loads the model once and calls ``WhisperModel.transcribe`` with
the same settings; ours are the processes of ``sayso transcribe``, once they have the model. Both take turns,
and ratios are of the two of a turn, the median with its interval by bootstrap over turns. By the clock on
the wall that needs a quiet machine; CPU seconds are those to read on a busy one, where two processes to one
is how much faster they are with a core each.
"""

from __future__ import annotations

import argparse
import csv
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from results import Report, json_option

from sayso.speech.listeners import Listened, Listeners
from sayso.speech.recognizer import SETTINGS, Heard, Recognizer, compute_type
from sayso.speech.speech_model import SpeechModel, find_speech_model

Clock = Callable[[], float]
PAUSE_S, NOTHING_S, RATE, NEAR_S, SENTENCES = 1.0, 60, 22_050, 0.4, 40
VERBS = (
    "pour the water into",
    "carefully clean",
    "cut the paper around",
    "open the lid of",
    "put the screw on",
)
THINGS = (
    *("the pot", "the window", "the bottle", "the wooden table"),
    *("the bicycle wheel", "the coffee machine", "the box", "the lamp"),
)


@dataclass(frozen=True)
class Spoken:
    """Sentences in a file of sound, and the second at which each begins."""

    path: Path
    sentences: tuple[str, ...]
    starts: tuple[float, ...]
    seconds: float


def speak(sentences: Sequence[str], path: Path) -> Spoken:
    """Speak sentences into a WAV file, silence between them."""
    parts, starts, at = [], [], 0
    with tempfile.TemporaryDirectory() as folder:
        for sentence in sentences:
            voiced = Path(folder, "one.wav")
            subprocess.run(["espeak-ng", "-s", "150", "-w", str(voiced), sentence], check=True)
            with wave.open(str(voiced)) as file:
                sound = np.frombuffer(file.readframes(file.getnframes()), np.int16)
            loud = np.flatnonzero(np.abs(sound.astype(np.int32)) > 200)
            pause = np.zeros(int(PAUSE_S * RATE), np.int16)
            starts.append((at + len(pause) + int(loud[0])) / RATE)
            parts += [pause, sound]
            at += len(pause) + len(sound)
    write_wav(path, np.concatenate(parts), RATE)
    return Spoken(path, tuple(sentences), tuple(starts), at / RATE)


def write_wav(path: Path, sound: NDArray[np.int16], rate: int) -> None:
    """Write (n,) int16 as a WAV file of one channel."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(sound.tobytes())


def words(text: str) -> list[str]:
    """Return the words of a text in small letters, without marks."""
    return re.findall(r"[a-z0-9']+", text.lower())


def edits_by_word(true: Sequence[str], heard: Sequence[str]) -> NDArray[np.int_]:
    """Return how many changes fall on each true word, one left out or put in among them; (n + 1,).

    The sum is Levenshtein's distance; what was put in counts for the word after it, at the end for the last.
    """
    cost = np.zeros((len(true) + 1, len(heard) + 1), np.int64)
    cost[:, 0], cost[0] = np.arange(len(true) + 1), np.arange(len(heard) + 1)
    for i, word in enumerate(true, 1):
        for j, other in enumerate(heard, 1):
            cost[i, j] = min(cost[i - 1, j] + 1, cost[i, j - 1] + 1, cost[i - 1, j - 1] + (word != other))
    found, i, j = np.zeros(len(true) + 1, np.int64), len(true), len(heard)
    while i or j:
        if i and j and cost[i, j] == cost[i - 1, j - 1] + (true[i - 1] != heard[j - 1]):
            i, j = i - 1, j - 1
            found[i] += true[i] != heard[j]
        elif i and cost[i, j] == cost[i - 1, j] + 1:
            i -= 1
            found[i] += 1
        else:
            j -= 1
            found[i] += 1
    return found


@dataclass(frozen=True)
class Quality:
    """A row a sentence.

    Args:
        words: how many it has, (N,).
        wrong: how many changes fall on them, (N,).
        off: how far its true start is from the nearest word's, seconds, (N,).
    """

    words: NDArray[np.int_]
    wrong: NDArray[np.int_]
    off: NDArray[np.float64]

    def cells(self) -> tuple[str, ...]:
        """Return word error and the starts, with intervals."""
        error = interval(len(self.words), lambda k: self.wrong[k].sum() / self.words[k].sum())
        near = interval(len(self.words), lambda k: float((self.off[k] <= NEAR_S).mean()))
        within = f"{np.median(self.off):.2f} / {np.quantile(self.off, 0.9):.2f}"
        return f"{len(self.words)}", f"{self.words.sum()}", error, near, within


def interval(count: int, of: Callable[[Any], float]) -> str:
    """Return a measure of all of some things with its 95 % interval by bootstrap over them."""
    rng = np.random.default_rng(0)
    drawn = [of(rng.integers(0, count, count)) for _ in range(4000)]
    low, high = np.quantile(drawn, (0.025, 0.975))
    return f"{of(np.arange(count)):.3f} ({low:.3f} to {high:.3f})"


def quality(spoken: Spoken, heard: Heard) -> Quality:
    """Return word error, and how far the true starts are from the nearest word's."""
    sentences = [words(sentence) for sentence in spoken.sentences]
    true = [word for sentence in sentences for word in sentence]
    wrong = edits_by_word(true, words(" ".join(word.text for word in heard.words)))
    wrong[-2] += wrong[-1]
    lengths = np.array([len(sentence) for sentence in sentences])
    found = np.array([word.start for word in heard.words])
    off = np.array([np.abs(found - start).min() for start in spoken.starts])
    return Quality(lengths, np.add.reduceat(wrong[:-1], np.cumsum(lengths) - lengths), off)


def nothings(folder: Path) -> dict[str, Path]:
    """Write a minute each of silence, noise, a tone, and a hum with clicks."""
    t = np.arange(NOTHING_S * 16_000) / 16_000
    rng = np.random.default_rng(0)
    clicks = (rng.random(len(t)) < 1e-4) * 0.5
    sounds = {
        "silence": 0 * t,
        "noise": 0.1 * rng.standard_normal(len(t)),
        "tone": 0.3 * np.sin(2 * np.pi * 440 * t),
        "hum": 0.2 * np.sin(2 * np.pi * 50 * t) + 0.1 * np.sin(2 * np.pi * 100 * t) + clicks,
    }
    for name, sound in sounds.items():
        write_wav(folder / f"{name}.wav", (np.clip(sound, -1, 1) * 32_767).astype(np.int16), 16_000)
    return {name: folder / f"{name}.wav" for name in sounds}


def bare(paths: Sequence[Path], model: SpeechModel, clock: Clock = time.perf_counter) -> float:
    """Return the seconds of a plain loop over the files, without loading."""
    from faster_whisper import WhisperModel

    whisper = WhisperModel(str(model.folder), device="cpu", compute_type=compute_type("cpu"), cpu_threads=1)
    began = clock()
    for path in paths:
        segments, _ = whisper.transcribe(str(path), **SETTINGS)
        for _ in segments:
            pass
    return clock() - began


def alone(paths: Sequence[Path], recognizer: Recognizer) -> float:
    """Return the CPU seconds in which one of our processes hears the files."""
    began = time.process_time()
    for path in paths:
        recognizer.listen(path)
    return time.process_time() - began


def ours(paths: Sequence[Path], model: SpeechModel, processes: int) -> float:
    """Return the seconds of our processes over the files.

    Each process first hears a file of its own, so that starting and loading are over when the clock starts.
    """
    files = [str(path) for path in paths]
    with Listeners(model, processes) as listeners:
        for _ in listeners.listen(files[:processes]):
            pass
        began = time.perf_counter()
        for said in listeners.listen(files):
            if isinstance(said, Listened):
                assert said.heard is not None, said.error
        return time.perf_counter() - began


def cpu_of(paths: Sequence[Path], model: SpeechModel, processes: int) -> float:
    """Return the CPU seconds of our processes together, without starting and loading."""
    return _cpu(paths, model, processes) - _cpu([], model, processes)


def _cpu(paths: Sequence[Path], model: SpeechModel, processes: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        nothing = [Path(folder, f"{k}.wav") for k in range(processes)]
        for path in nothing:
            write_wav(path, np.zeros(16_000, np.int16), 16_000)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        with Listeners(model, processes) as listeners:
            for _ in listeners.listen([str(path) for path in (*nothing, *paths)]):
                pass
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def spoken_sets(steps: Path | None, seeds: Iterable[int]) -> list[list[str]]:
    """Return the sentences of each set, whose shuffle has a seed."""
    if steps is None:
        return [[f"{verb} {thing}." for verb in VERBS for thing in THINGS]]
    with steps.open(newline="") as file:
        names = sorted({row["step"] for row in csv.DictReader(file)})
    found = []
    for seed in seeds:
        shuffled = [names[k] for k in np.random.default_rng(seed).permutation(len(names))[: 2 * SENTENCES]]
        found.append([f"{a}, and {b}." for a, b in zip(shuffled[::2], shuffled[1::2], strict=True)])
    return found


def measure_words(report: Report, folder: Path, sets: dict[int, list[str]], recognizer: Recognizer) -> None:
    """Print what is heard right, and what is heard in nothing."""
    titles = ("sentences", "words", "words wrong", f"starts within {NEAR_S} s", "median / 90 % within, s")
    report.table("heard right", ("set", *titles))
    every = []
    for number, said in sets.items():
        spoken = speak(said, folder / "spoken.wav")
        every.append(quality(spoken, recognizer.listen(spoken.path)))
        report.row(number, *every[-1].cells())
    if len(every) > 1:
        columns = (
            np.concatenate([getattr(one, name) for one in every]) for name in ("words", "wrong", "off")
        )
        report.row("all", *Quality(*columns).cells())
    report.table("heard in a minute of nothing", ("what", "words"))
    for name, path in nothings(folder).items():
        said_there = " ".join(word.text for word in recognizer.listen(path).words)
        report.row(name, said_there or "none")


PROCESSES = ("one process, wall", "two processes, wall")
RATIOS = {
    "ours to bare, CPU": ("bare, CPU", "ours, CPU"),
    "ours to bare, wall": ("bare, wall", "one process, wall"),
    "two processes to one, CPU": ("one process, CPU", "two processes, CPU a core"),
    "two processes to one, wall": PROCESSES,
}


@dataclass(frozen=True)
class Speed:
    """How speed is measured.

    Args:
        minutes: of sound for each way.
        pairs: how often each way takes its turn.
        ways: ``all``, or ``processes``: one and two of ours by the clock.
    """

    minutes: float
    pairs: int
    ways: str = "all"


def measure_speed(report: Report, folder: Path, said: Sequence[str], model: SpeechModel, how: Speed) -> None:
    """Print how fast ours is next to a bare loop, and two processes next to one.

    Args:
        report: where to.
        folder: for files.
        said: sentences of a file.
        model: which.
        how: which ways, how long.
    """
    each = speak(said[::4], folder / "each.wav")
    count = max(2, 2 * round(how.minutes * 60 / each.seconds / 2))
    paths = [Path(shutil.copy(each.path, folder / f"{k}.wav")) for k in range(count)]
    recognizer = Recognizer(model)
    ways: dict[str, Callable[[], float]] = {
        "bare, CPU": lambda: bare(paths, model, time.process_time),
        "ours, CPU": lambda: alone(paths, recognizer),
        "one process, CPU": lambda: cpu_of(paths, model, 1),
        "two processes, CPU a core": lambda: cpu_of(paths, model, 2) / 2,
        "bare, wall": lambda: bare(paths, model),
        "one process, wall": lambda: ours(paths, model, 1),
        "two processes, wall": lambda: ours(paths, model, 2),
    }
    if how.ways == "processes":
        ways = {name: way for name, way in ways.items() if name in PROCESSES}
    turns = []
    for turn in range(how.pairs):
        names = list(ways) if turn % 2 else list(ways)[::-1]
        took = {name: ways[name]() for name in names}
        turns.append([took[name] for name in ways])
        told = ", ".join(f"{name} {took[name]:.2f} s" for name in ways)
        print(f"turn {turn + 1} of {how.pairs}: {told}", file=sys.stderr)  # all that a run cut off leaves
    times = dict(zip(ways, np.array(turns).T, strict=True))
    report.table(f"{count * each.seconds:.0f} s of sound, {how.pairs} turns", ("way", "x real time, median"))
    for name, took_s in times.items():
        report.row(name, f"{count * each.seconds / np.median(took_s):.1f}")
    report.table("throughput", ("ratio of a turn", "median (95 %)", "turns, least to most"))
    for name, (slow, fast) in RATIOS.items():
        if slow in times and fast in times:
            values = times[slow] / times[fast]
            median = interval(len(values), lambda k, values=values: float(np.median(values[k])))  # type: ignore[misc]
            report.row(name, median, f"{values.min():.2f} to {values.max():.2f}")
            fastest = times[slow].min() / times[fast].min()
            report.row(f"{name}, the fastest of each", f"{fastest:.3f}", "least disturbed; no interval")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=Path, help="a CSV with a column step")
    parser.add_argument("--sets", type=int, default=10)
    parser.add_argument("--first", type=int, default=0, help="number of the first set")
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--pairs", type=int, default=8)
    parser.add_argument("--ways", choices=("all", "processes"), default="all", help="processes: speed alone")
    parser.add_argument("--model", default="auto")
    json_option(parser)
    options = parser.parse_args()
    if shutil.which("espeak-ng") is None:
        parser.error("this needs the program espeak-ng")
    report = Report("speech", options)
    model = find_speech_model(options.model)
    sets = spoken_sets(options.steps, range(options.first, options.first + options.sets))
    with tempfile.TemporaryDirectory() as folder:
        if options.ways == "all":
            measure_words(report, Path(folder), dict(enumerate(sets, options.first)), Recognizer(model))
        if options.pairs:
            how = Speed(options.minutes, options.pairs, options.ways)
            measure_speed(report, Path(folder), sets[0], model, how)
    report.close()


if __name__ == "__main__":
    main()
