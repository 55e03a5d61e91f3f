"""Listening on a Ray cluster leaves what listening here leaves, whoever is killed."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import sayso
from sayso.cli.exit_codes import SOME_FAILED
from speech.sounds import forget_stub, stub_model, use_stub, write_sound
from test_transcribing import children, files, gone, noted

pytest.importorskip("ray")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="processes are found in /proc"),
]
LIMIT_S = 600  # Ray starts in about 10 s, on a busy machine in a minute
COUNT = 12


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        use_stub(patch)
        yield str(stub_model(tmp_path_factory.mktemp("speech") / "model"))
        forget_stub()


@pytest.fixture(scope="module")
def made(model, tmp_path_factory) -> tuple[Path, Path]:
    """A library, and the same as a run here leaves it."""
    library, here = tmp_path_factory.mktemp("made") / "library", tmp_path_factory.mktemp("here") / "library"
    for k in range(COUNT):
        write_sound(library / f"{k % 3}" / f"{k}.wav", f"{k + 5:b}" if k % 5 else "000")
    write_sound(library / "deadly.wav", "1", each_s=0.1)
    shutil.copytree(library, here)
    sayso.transcribe([here], model=model, processes=1)
    return library, here


@pytest.fixture
def library(made, tmp_path) -> Path:
    shutil.copytree(made[0], tmp_path / "library")
    return tmp_path / "library"


@contextlib.contextmanager
def driver(library: Path, model: str) -> Iterator[subprocess.Popen[str]]:
    named = [sys.executable, "-m", "sayso", "transcribe", str(library), "--model", model, "--json"]
    process = subprocess.Popen(
        [*named, "--engine", "ray", "--processes", "2"],
        env={**os.environ, "STUB_SECONDS": "0.4", "RAY_USAGE_STATS_ENABLED": "0"},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def finished(process: subprocess.Popen[str]) -> dict:
    out, _ = process.communicate(timeout=LIMIT_S)
    assert process.returncode == SOME_FAILED, out  # of the deadly one
    return json.loads(out)


def below(pid: int) -> list[int]:
    found = children(pid)
    return [*found, *(one for child in found for one in below(child))]


def listeners(process: subprocess.Popen[str]) -> list[int]:
    """The processes of the run that listen."""
    named = {pid: Path(f"/proc/{pid}/cmdline") for pid in below(process.pid)}
    found = []
    for pid, path in named.items():
        with contextlib.suppress(OSError):
            if b"sayso.speech.worker" in path.read_bytes():
                found.append(pid)
    return found


def until(true: Callable[[], object]) -> None:
    give_up = time.monotonic() + LIMIT_S
    while not true():
        assert time.monotonic() < give_up
        time.sleep(0.02)


def captions(root: Path) -> dict[Path, int]:
    return {path: path.stat().st_ino for path in root.rglob("*.vtt")}


def same(library: Path, made: tuple[Path, Path]) -> None:
    assert files(library) == files(made[1])
    assert noted(library) == noted(made[1])


def test_the_same_files_byte_for_byte_though_an_actor_and_a_decoder_die(library, made, model):
    with driver(library, model) as process:
        until(lambda: captions(library))
        before = captions(library)
        until(lambda: listeners(process))
        listener = listeners(process)[0]
        actor = int(Path(f"/proc/{listener}/stat").read_text().rpartition(")")[2].split()[1])
        os.kill(actor, signal.SIGKILL)
        told = finished(process)
    gone([listener])
    assert [Path(one["path"]).name for one in told["failures"]] == ["deadly.wav"]
    assert (len(told["written"]), told["without_speech"]) == (9, 3)
    assert all(Path(path).is_file() and path.startswith(str(library)) for path in told["written"])
    assert before.items() <= captions(library).items()
    same(library, made)


def test_after_the_driver_was_killed_the_same_command_goes_on(library, made, model):
    with driver(library, model) as process:
        until(lambda: captions(library))
        listening = listeners(process)
        process.send_signal(signal.SIGKILL)
        process.wait()
    gone(listening)
    before = captions(library)
    with driver(library, model) as process:
        told = finished(process)
    assert told["kept"] + len(told["written"]) + told["without_speech"] == COUNT
    assert told["kept"] >= len(before) > 0
    assert before.items() <= captions(library).items()
    same(library, made)
