"""Stands for faster-whisper in tests of processes: every loud half second is a word, ``w`` and its number.

A file shorter than a quarter of a second kills the process. ``STUB_SECONDS`` are spent on each file.
"""

import os
import signal
import time
from types import SimpleNamespace

import numpy as np

RATE = 16_000


class WhisperModel:
    def __init__(self, folder, **options):
        assert options["cpu_threads"] == 1
        assert options["local_files_only"]

    def transcribe(self, sound, language=None, **settings):
        assert settings["vad_filter"]
        assert not settings["condition_on_previous_text"]
        if len(sound) < RATE / 4:
            os.kill(os.getpid(), signal.SIGKILL)
        return _segments(sound), SimpleNamespace(language=language or "en", language_probability=0.9)


def _segments(sound):
    half = RATE // 2
    for k in range(len(sound) // half):
        time.sleep(float(os.environ.get("STUB_SECONDS", "0")) * half / len(sound))
        loud = np.abs(sound[k * half : (k + 1) * half]).max() > 0.1
        start = np.float64(k / 2)
        word = SimpleNamespace(word=f" w{k}", start=start, end=start + 0.4, probability=np.float64(0.8))
        yield SimpleNamespace(
            words=[word] if loud else [],
            start=start,
            end=start + 0.5,
            no_speech_prob=0.0 if loud else 0.9,
            avg_logprob=-0.3 if loud else -1.5,
        )
