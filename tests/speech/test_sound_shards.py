"""Shards of sound as a worker hears them, without a cluster: what travels pickles, what is done stays."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path

import pytest

import sayso
from sayso.core.errors import SaysoError
from sayso.speech.listeners import Listeners
from sayso.speech.sound_shards import (
    FEWEST,
    LONGEST_S,
    MOST_FILES,
    BeginListening,
    SoundShard,
    cut_shards,
    hear_shard,
)
from sayso.speech.speech_model import find_speech_model
from speech.sounds import forget_stub, stub_model, use_stub, write_sound


@pytest.fixture
def model(tmp_path, monkeypatch):
    use_stub(monkeypatch)
    yield stub_model(tmp_path / "model")
    forget_stub()


def written(root: Path) -> dict[str, bytes]:
    names = (".sayso-written", ".sayso-listened")
    return {path.name: path.read_bytes() for path in root.iterdir() if path.name not in names}


def travelled(what):
    return pickle.loads(pickle.dumps(what))


def test_a_worker_writes_what_a_run_here_writes_and_goes_on_where_one_died(tmp_path, model):
    here, there = tmp_path / "here", tmp_path / "there"
    for name, loud in (("a", "110"), ("b", "000"), ("c", "011"), ("d", "101")):
        write_sound(here / f"{name}.wav", loud)
    write_sound(here / "e-deadly.wav", "1", each_s=0.1)
    shutil.copytree(here, there)  # with the dates
    expected = sayso.transcribe([here], model=str(model), processes=1)
    files = tuple(sorted(str(path) for path in there.iterdir()))
    known = find_speech_model(str(model))
    with Listeners(known, 1) as listeners:
        first = list(hear_shard(travelled(SoundShard(files[:2])), known, listeners))
        kept = {path: path.stat().st_ino for path in there.glob("*.vtt")}
        shard = travelled(SoundShard((*files, str(there / "nowhere.wav"))))
        again = travelled(list(hear_shard(shard, known, listeners)))
    assert {path: path.stat().st_ino for path in kept} == kept  # what the first left is not written again
    assert written(there) == written(here)
    told = {Path(one.path).name: one for one in again}
    assert {told["a.wav"], told["b.wav"]} == set(first)
    assert sum(one.seconds for one in again) == pytest.approx(expected.seconds)
    captions = [one.captions.name for one in again if one.captions]
    assert sorted(captions) == sorted(Path(one).name for one in expected.written)
    assert (told["e-deadly.wav"].stage, told["nowhere.wav"].stage) == ("listen", "listen")
    assert not (told["d.wav"].error or told["b.wav"].error)


def test_a_process_that_died_while_it_waited_loses_no_file(tmp_path, model):
    paths = [str(write_sound(tmp_path / f"{name}.wav", "1")) for name in "ab"]
    with Listeners(find_speech_model(str(model)), 1) as listeners:
        list(listeners.listen(paths[:1]))
        (process,) = listeners._crew
        process.process.kill()
        process.process.wait()
        *_, said = listeners.listen(paths[1:])
    assert (said.path, said.error) == (paths[1], "")


def test_a_model_that_differs_is_refused(tmp_path, model):
    begin = travelled(BeginListening(find_speech_model(str(model)), None, "cpu"))
    (model / "model.bin").write_bytes(b"others")
    with pytest.raises(SaysoError, match="differs from the driver's"):
        begin()


@pytest.mark.parametrize(("count", "each_s"), [(1, 5.0), (30, 10.0), (700, 1.0), (700, 0.0), (900, 1800.0)])
def test_every_file_is_in_one_shard_and_none_is_too_long(count, each_s):
    files = {f"/{k}.wav": each_s for k in range(count)}
    shards = cut_shards(files)
    assert [path for shard in shards for path in shard.files] == list(files)
    assert all(len(shard.files) <= MOST_FILES for shard in shards)
    assert all(len(shard.files) * each_s < LONGEST_S + each_s for shard in shards)
    if each_s:
        assert len(shards) >= min(count, FEWEST // 2)
