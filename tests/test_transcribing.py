"""Transcribing a library: only what is missing, nothing foreign, and after a kill nothing lost or twice."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import pytest

import sayso
from command import sayso as command
from sayso.cli.exit_codes import SOME_FAILED, UNAVAILABLE
from sayso.core.errors import SaysoError
from sayso.engine.ray_extract import Done
from sayso.speech.listeners import Listeners
from sayso.speech.sound_shards import hear_shard
from sayso.text import find_subtitles, read_subtitles
from speech.sounds import forget_stub, stub_model, use_stub, write_sound
from waiting import PATIENCE_S


@pytest.fixture
def model(tmp_path, monkeypatch):
    use_stub(monkeypatch)
    yield str(stub_model(tmp_path / "model"))
    forget_stub()


@pytest.fixture
def library(tmp_path):
    root = tmp_path / "library"
    write_sound(root / "talk.wav", "110011")
    write_sound(root / "below" / "hum.wav", "000")
    return root


def run(library, model, **options):
    return sayso.transcribe([library], model=model, processes=1, **options)


def files(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.name not in (".sayso-written", ".sayso-listened")
    }


def test_captions_say_that_a_machine_made_them_and_how(library, model):
    report = run(library, model)
    captions = library / "talk.en.auto.vtt"
    assert (report.files, report.written, report.without_speech) == (2, [str(captions)], 1)
    assert report.seconds == pytest.approx(4.5)
    assert find_subtitles(library / "talk.wav") == captions
    said = [(caption.span.start, caption.span.end, caption.text) for caption in read_subtitles(captions)]
    assert said == [(0.0, 0.9, "w0 w1"), (2.0, 2.9, "w4 w5")]
    note = captions.read_text().split("\n\n")[1]
    assert "machine-made" in note
    assert f"sha256 of its weights {sha256(model)}" in note
    assert '"vad_filter": true' in note
    kept = json.loads((library / "talk.words.json").read_text())
    assert [(word["text"], word["start_s"]) for word in kept["words"]] == [
        ("w0", 0.0), ("w1", 0.5), ("w4", 2.0), ("w5", 2.5),
    ]  # fmt: skip
    assert kept["model_sha256"] == sha256(model)


def sha256(model: str) -> str:
    return hashlib.sha256(Path(model, "model.bin").read_bytes()).hexdigest()


def test_nothing_is_written_where_nobody_speaks(library, model):
    run(library, model)
    assert set(files(library / "below")) == {"hum.wav"}


def test_what_was_listened_to_is_not_again_until_it_changes(library, model):
    run(library, model)
    before = files(library)
    again = run(library, model)
    assert (again.kept, again.written, again.seconds) == (2, [], 0.0)
    os.utime(library / "talk.wav", (1, 1))  # copied or touched: the content decides
    os.utime(library / "below" / "hum.wav", (1, 1))
    assert run(library, model).kept == 2
    assert files(library) == before
    write_sound(library / "talk.wav", "0110")
    changed = run(library, model)
    assert (len(changed.written), changed.kept) == (1, 1)
    assert read_subtitles(library / "talk.en.auto.vtt")[0].text == "w1 w2"
    write_sound(library / "talk.wav", "00000")
    silent = run(library, model)
    assert (silent.written, silent.without_speech) == ([], 1)
    assert find_subtitles(library / "talk.wav") is None
    assert run(library, model, again=True).without_speech == 2


def test_captions_of_people_are_left_alone_and_come_first(library, model):
    run(library, model)
    own = library / "talk.en.auto.vtt"
    own.write_text(own.read_text().replace("w0 w1", "what I meant"))
    edited = run(library, model, again=True)
    assert (edited.captioned, edited.written) == (1, [])
    assert "what I meant" in own.read_text()
    own.unlink()
    theirs = library / "talk.srt"
    theirs.write_text("1\n00:00:00,000 --> 00:00:01,000\nhello\n")
    assert run(library, model, again=True).captioned == 1
    assert not own.exists()


def test_a_foreign_file_in_the_way_is_said_before_anything_is_heard(library, model):
    (library / "talk.words.json").write_text("mine")
    report = run(library, model)
    assert [(Path(one.path).name, one.stage) for one in report.failures] == [("talk.wav", "write")]
    assert (library / "talk.words.json").read_text() == "mine"
    assert not (library / "talk.en.auto.vtt").exists()


def test_files_of_one_stem_have_captions_of_their_own(library, model):
    write_sound(library / "talk.flac.wav", "1")
    shutil.copy(library / "below" / "hum.wav", library / "both.wav")
    write_sound(library / "both.wav", "0011")
    with av.open(str(library / "both.mp4"), "w") as out:
        stream = out.add_stream("libx264", rate=5)
        stream.width = stream.height = 32
        for _ in range(5):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8))))
        out.mux(stream.encode())
    report = run(library, model)
    assert report.without_sound == 1
    assert find_subtitles(library / "both.wav") == library / "both.wav.en.auto.vtt"
    assert find_subtitles(library / "both.mp4") is None


@pytest.mark.parametrize("engine", ["here", "ray"])
def test_a_file_that_is_named_in_several_ways_is_heard_and_reported_once(
    library, model, engine, tmp_path, monkeypatch
):
    def in_this_process(shards, begin, **_):
        with Listeners(begin.model, 1) as listeners:
            for shard in shards:
                yield Done(shard, list(hear_shard(shard, begin.model, listeners)))

    monkeypatch.setattr("sayso.engine.ray_extract.run_on_ray", in_this_process)
    (tmp_path / "link").symlink_to(library)
    listed = tmp_path / "list.jsonl"
    names = ["library/../library/talk.wav", "/" + str(library / "talk.wav"), "link/talk.wav"]
    listed.write_text("".join(json.dumps({"path": name}) + "\n" for name in names))
    ways = [listed, tmp_path / "link" / "talk.wav", library, tmp_path / "link"]
    report = sayso.transcribe(ways, model=model, processes=1, engine=engine)
    assert (report.files, len(report.written), report.without_speech) == (2, 1, 1)
    assert report.seconds == pytest.approx(4.5) and not report.failures
    assert sayso.transcribe(ways, model=model, processes=1, engine=engine).kept == 2


def test_it_is_an_error_if_nothing_could_be_heard(library, model):
    (library / "broken.mp4").write_bytes(b"\x00\x00\x00\x18ftypmp42" + bytes(200))
    alone = command("transcribe", library / "broken.mp4", "--model", model, "--progress", "off")
    assert (alone.returncode, alone.stdout) == (1, "1 file: 0 captioned\n") and "broken.mp4" in alone.stderr
    nowhere = command("transcribe", library / "nowhere.mp4", "--model", model, "--progress", "off")
    assert nowhere.returncode == 1 and "nowhere.mp4 cannot be read" in nowhere.stderr
    silent = command("transcribe", library / "below", library / "broken.mp4", "--model", model)
    assert silent.returncode == SOME_FAILED, "that nobody speaks is a result"


def test_a_process_that_dies_ends_its_file_alone(library, model):
    write_sound(library / "deadly.wav", "1", each_s=0.1)
    (library / "broken.mp4").write_bytes(b"\x00\x00\x00\x18ftypmp42" + bytes(200))
    result = command("transcribe", library, "--model", model, "--processes", 2, "--json")
    told = json.loads(result.stdout)
    assert result.returncode == SOME_FAILED
    assert {Path(one["path"]).name: one["stage"] for one in told["failures"]} == {
        "broken.mp4": "read",
        "deadly.wav": "listen",
    }
    assert "ended (-9)" in result.stderr
    assert [Path(one).name for one in told["written"]] == ["talk.en.auto.vtt"]
    assert told["without_speech"] == 1


def test_what_is_not_there_is_said_in_a_sentence(library, model, monkeypatch):
    with pytest.raises(SaysoError, match=r"no speech model: it has no model\.bin"):
        run(library, str(library))
    with pytest.raises(SaysoError, match="'xx' is no language"):
        run(library, model, language="xx")
    with monkeypatch.context() as without:  # undone before the fixture forgets the stub, which it brings back
        without.setitem(sys.modules, "faster_whisper", None)
        result = command("transcribe", library, "--model", model)
    assert result.returncode == UNAVAILABLE
    assert "[speech]'" in result.stderr


def test_progress_counts_seconds_of_sound(library, model):
    told: list[tuple[float, float | None]] = []

    class Told:
        def update(self, done, total=None, note="", amount=None):
            told.append((done, total))

    run(library, model, progress=Told())
    assert [total for _, total in told] == [pytest.approx(4.5)] * len(told)
    assert told[-1][0] == pytest.approx(4.5)
    assert sorted(done for done, _ in told) == [done for done, _ in told]
    assert len(told) > 5


@pytest.mark.parametrize("kills", [1, pytest.param(20, marks=pytest.mark.slow)])
def test_after_kills_nothing_is_lost_and_nothing_twice(tmp_path, model, kills):
    rng = random.Random(kills)
    library = tmp_path / "library"
    for k in range(6 + 4 * kills):
        write_sound(library / f"{k % 3}" / f"{k}.wav", f"{k + 5:b}" if k % 5 else "000")
    undisturbed = tmp_path / "undisturbed"
    shutil.copytree(library, undisturbed)  # with the dates
    sayso.transcribe([undisturbed], model=model, processes=1)
    finished: dict[Path, int] = {}
    for killed in range(kills + 1):
        run = start(library, model)
        if killed == kills:
            assert run.wait(PATIENCE_S) == 0
            break
        done = listened_to(library)
        while listened_to(library) == done and run.poll() is None:
            time.sleep(0.01)
        time.sleep(rng.uniform(0, 0.4))
        workers = children(run.pid)
        run.send_signal(signal.SIGKILL)
        run.wait()
        gone(workers)
        now = {path: path.stat().st_ino for path in library.rglob("*.vtt")}
        assert finished.items() <= now.items()  # none is lost, none written again
        finished = now
    assert finished.items() <= {path: path.stat().st_ino for path in library.rglob("*.vtt")}.items()
    assert files(library) == files(undisturbed)
    assert noted(library) == noted(undisturbed)


def listened_to(root: Path) -> int:
    return len([*root.rglob("*.vtt")]) + len(noted(root))


def start(library: Path, model: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "sayso", "transcribe", str(library), "--model", model, "--processes", "2"],
        env={**os.environ, "STUB_SECONDS": "0.4"},
        stdout=subprocess.DEVNULL,
    )


def children(pid: int) -> list[int]:
    try:
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def gone(pids: list[int]) -> None:
    """Wait until processes have ended by themselves."""
    until = time.monotonic() + PATIENCE_S
    while any(_runs(pid) for pid in pids):
        assert time.monotonic() < until, "a process that listens outlives its run"
        time.sleep(0.05)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def noted(root: Path) -> set[str]:
    lines = [line for path in root.rglob(".sayso-listened") for line in path.read_text().split("\n")[:-1]]
    return {json.loads(line)["file"] for line in lines}
