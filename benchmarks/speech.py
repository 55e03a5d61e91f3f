"""Speech: word error, times, text out of nothing; speed next to a bare faster-whisper loop in the same run.

    python benchmarks/speech.py [--sentences FILE] [--minutes 4] [--rounds 3] [--model auto] [--out FILE]

Sentences are spoken by espeak-ng, one after the other with pauses, so the true start of each is known. By
default they are some made here; ``--sentences`` takes a text, one a line. ``bare`` is a loop over the same
files that loads the model once and calls ``WhisperModel.transcribe`` with the same settings; ours are the
processes of ``sayso transcribe``, once they have the model, whose loading is given beside. Every way takes
its turn in each round, and the best round counts. By the clock on the wall it needs a quiet machine; ``cpu``
are CPU seconds, in which a busy one matters less: ``two_to_one_cpu`` is how much faster two processes are
where each has a core of its own.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import shutil
import subprocess
import tempfile
import time
import wave
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sayso.evaluation.record import commit
from sayso.speech.listeners import Listened, Listeners, Reached
from sayso.speech.recognizer import SETTINGS, Heard, Recognizer, compute_type
from sayso.speech.speech_model import SpeechModel, find_speech_model

Clock = Callable[[], float]
PAUSE_S, NOTHING_S, RATE = 1.0, 60, 22_050
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


def edits(true: Sequence[str], heard: Sequence[str]) -> int:
    """Return how many words have to be changed, left out or put in (Levenshtein)."""
    row = list(range(len(heard) + 1))
    for i, word in enumerate(true, 1):
        before, row[0] = row[0], i
        for j, other in enumerate(heard, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (word != other))
    return row[-1]


def quality(spoken: Spoken, heard: Heard) -> dict[str, Any]:
    """Return word error, and how far the true starts are from the nearest word's."""
    true = words(" ".join(spoken.sentences))
    found = np.array([word.start for word in heard.words])
    off = np.array([np.abs(found - start).min() for start in spoken.starts])
    return {
        "sentences": len(spoken.sentences),
        "words": len(true),
        "word_error": round(edits(true, words(" ".join(word.text for word in heard.words))) / len(true), 4),
        "start_off_median_s": round(float(np.median(off)), 3),
        "start_off_90_s": round(float(np.quantile(off, 0.9)), 3),
        "starts_within_0.4_s": round(float((off <= 0.4).mean()), 3),
    }


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
    warm = [str(path) for path in paths[:processes]]
    rest = [str(path) for path in paths]
    done, began = 0, 0.0
    with Listeners(model, processes) as listeners:
        for said in listeners.listen([*warm, *rest]):
            if isinstance(said, Reached):
                continue
            assert isinstance(said, Listened)
            assert said.heard is not None, said.error
            done += 1
            if done == processes:
                began = time.perf_counter()
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


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sentences", type=Path)
    parser.add_argument("--minutes", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--model", default="auto")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    if shutil.which("espeak-ng") is None:
        parser.error("this needs the program espeak-ng")
    made = [f"{verb} {thing}." for verb in VERBS for thing in THINGS]
    said = options.sentences.read_text().splitlines() if options.sentences else made
    model = find_speech_model(options.model)
    with tempfile.TemporaryDirectory() as folder:
        result = measure(Path(folder), said, model, minutes=options.minutes, rounds=options.rounds)
    print(json.dumps(result, indent=1))
    if options.out:
        options.out.write_text(json.dumps({**result, "commit": commit()}, indent=1) + "\n")


def measure(
    folder: Path, said: Sequence[str], model: SpeechModel, *, minutes: float, rounds: int
) -> dict[str, Any]:
    """Return all that is measured.

    Args:
        folder: for files.
        said: sentences.
        model: which.
        minutes: of sound for the speed.
        rounds: how often each way takes its turn.
    """
    spoken = speak(said, folder / "spoken.wav")
    began = time.perf_counter()
    recognizer = Recognizer(model)
    loading = time.perf_counter() - began
    result = {
        "model": model.name,
        "loading_s": round(loading, 2),
        **quality(spoken, recognizer.listen(spoken.path)),
    }
    result["out_of_nothing"] = {
        name: " ".join(word.text for word in recognizer.listen(path).words)
        for name, path in nothings(folder).items()
    }
    each = speak(said[: max(1, len(said) // 4)], folder / "each.wav")
    count = max(2, 2 * round(minutes * 60 / each.seconds / 2))
    paths = [Path(shutil.copy(each.path, folder / f"{k}.wav")) for k in range(count)]
    ways: dict[str, Callable[[], float]] = {
        "bare": lambda: bare(paths, model),
        "ours_1": lambda: ours(paths, model, 1),
        "ours_2": lambda: ours(paths, model, 2),
    }
    ways |= {
        "ours_1_cpu": lambda: cpu_of(paths, model, 1),
        "ours_2_cpu": lambda: cpu_of(paths, model, 2),
        "bare_cpu": lambda: bare(paths, model, time.process_time),
        "ours_cpu": lambda: alone(paths, recognizer),
    }
    turns = [{name: way() for name, way in ways.items()} for _ in range(rounds)]
    times = {name: min(turn[name] for turn in turns) for name in ways}
    seconds = count * each.seconds
    result |= {f"{name}_x_real_time": round(seconds / took, 1) for name, took in times.items()}
    result["ours_to_bare_cpu"] = round(times["bare_cpu"] / times["ours_cpu"], 3)
    result["ours_to_bare"] = round(times["bare"] / times["ours_1"], 3)
    result["two_to_one_cpu"] = round(2 * times["ours_1_cpu"] / times["ours_2_cpu"], 3)
    result["two_to_one"] = round(times["ours_1"] / times["ours_2"], 3)
    return result


if __name__ == "__main__":
    main()
