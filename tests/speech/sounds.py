"""Files of sound for the stub and for espeak-ng."""

from __future__ import annotations

import shutil
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np

STUB = Path(__file__).parent / "stub"
RATE = 16_000


def write_sound(path: Path, loud: str, each_s: float = 0.5) -> Path:
    """Write a WAV file whose stretches are loud or not: ``10`` is a loud one and a silent one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    t = np.arange(int(each_s * RATE)) / RATE
    tone = (12_000 * np.sin(2 * np.pi * 440 * t)).astype(np.int16)
    write_samples(path, np.concatenate([tone * int(sign) for sign in loud]))
    return path


def write_samples(path: Path, samples: np.ndarray, rate: int = RATE) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.astype(np.int16).tobytes())


def stub_model(folder: Path) -> Path:
    """Make a folder that counts as a speech model."""
    folder.mkdir(parents=True)
    (folder / "model.bin").write_bytes(b"weights")
    return folder


def use_stub(monkeypatch) -> None:
    """Let this process, and those that it starts, find the stub in the place of faster-whisper."""
    for name in list(sys.modules):
        if name.partition(".")[0] in ("faster_whisper", "ctranslate2"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(str(STUB))
    monkeypatch.setenv("PYTHONPATH", f"{STUB}:{':'.join(path for path in sys.path if path)}")


def forget_stub() -> None:
    for name in list(sys.modules):
        if name.partition(".")[0] in ("faster_whisper", "ctranslate2"):
            del sys.modules[name]


def speak(text: str, path: Path) -> Path:
    """Speak by espeak-ng."""
    program = shutil.which("espeak-ng")
    assert program
    subprocess.run([program, "-s", "150", "-w", str(path), text], check=True)
    return path


def read_samples(path: Path) -> tuple[np.ndarray, int]:
    """Read a WAV file of one channel: (n,) int16, and its rate."""
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), np.int16), file.getframerate()
