"""Files of sound in an index: found by what is said, never by looks, and shown as how loud they are."""

from __future__ import annotations

import io
import json
import shutil
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import toy
from command import sayso as command
from sayso import Index
from sayso.core.types import Caption, Span
from sayso.index.sound import like_nothing
from sayso.text import write_srt
from speech.sounds import forget_stub, stub_model, use_stub, write_sound


class WideColourEncoder(toy.ColourEncoder):
    """The same colours in 64 dimensions, where two directions drawn by chance are never near."""

    name = "wide"
    sha256 = "3d" * 32
    dim = 64

    def encode_text(self, texts) -> np.ndarray:
        return _padded(super().encode_text(texts))

    def encode_images(self, images) -> np.ndarray:
        return _padded(super().encode_images(images))

    def encode_video(self, frames: np.ndarray) -> np.ndarray:
        return _padded(super().encode_video(frames))


def _padded(vectors: np.ndarray) -> np.ndarray:
    return np.pad(vectors, ((0, 0), (0, WideColourEncoder.dim - vectors.shape[1])))


def say(path: Path, *texts: str) -> None:
    captions = [Caption(Span(k, k + 1), text) for k, text in enumerate(texts)]
    path.with_suffix(".srt").write_text(write_srt(captions))


@pytest.fixture
def talk(media: Path) -> Path:
    path = write_sound(media / "talk.wav", "1100")
    say(path, "the kettle boils", "then we wait")
    write_sound(media / "hum.wav", "00")
    return path


@pytest.fixture
def index(tmp_path: Path, media: Path, talk: Path) -> Index:
    index = Index.open(tmp_path / "toy.index", WideColourEncoder())
    report = index.add(media)
    assert (report.failures, report.skipped) == ([], 1)  # of hum.wav nobody knows what is said
    return index


def test_sound_is_found_by_what_is_said(index, talk):
    first = index.search("kettle", text_weight=1)[0]
    assert (first.path, first.kind, first.start_s, first.text) == (
        str(talk),
        "sound",
        0.0,
        "the kettle boils",
    )
    assert index.search("red", text_weight=0)[0].kind == "video"
    assert [hit.text for hit in index.moments(first.media_id)] == ["the kettle boils", "then we wait"]
    media = index.media(first.media_id)
    assert (media.kind, media.duration_s, media.audio_codec) == (
        "sound",
        pytest.approx(2.0, abs=0.06),
        "pcm_s16le",
    )


def test_the_thumbnail_shows_how_loud_it_is(index):
    loud, silent = index.moments(index.search("kettle", text_weight=1)[0].media_id)
    pictures = [
        np.asarray(Image.open(io.BytesIO(index.thumbnail(hit.id))).convert("L")) for hit in (loud, silent)
    ]
    assert (pictures[0] > 100).mean() > 4 * (pictures[1] > 100).mean()


def test_new_captions_of_sound_are_new_moments(index, media, talk):
    assert index.add(media).unchanged == index.add(media).files
    say(talk, "a bell", "rings", "twice")
    report = index.add(media)
    assert (report.replaced, report.clips) == (1, 3)
    assert index.search("bell", text_weight=1)[0].path == str(talk)
    assert not index.search("kettle", text_weight=1)


def test_sound_that_was_named_and_has_no_captions_is_said(index, media):
    (failure,) = index.add(media / "hum.wav").failures
    assert failure.error.endswith("nothing finds it; add --listen, or run sayso transcribe")


def test_like_nothing():
    vectors = [like_nothing(f"{k}", 512) for k in range(20)]
    assert all(abs(float(one @ other)) < 0.25 for one, other in combinations(vectors, 2))
    assert np.linalg.norm(vectors[0]) == pytest.approx(1)
    assert (like_nothing("0", 512) == vectors[0]).all()


def test_listen_writes_captions_first(tmp_path, media, monkeypatch):
    use_stub(monkeypatch)
    model = stub_model(tmp_path / "model")
    monkeypatch.setattr("sayso.speech.speech_model._packaged", lambda: model)
    monkeypatch.setattr("sayso.encoders.load_encoder", lambda *_, **__: WideColourEncoder())
    write_sound(media / "talk.wav", "0110")
    shutil.copy(media / "talk.wav", media / "sub" / "again.wav")
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{media}\n"))
    result = command("index", tmp_path / "toy.index", "-", "--listen", "--json")
    forget_stub()
    told = json.loads(result.stdout)
    assert (result.returncode, told["added"], told["skipped"]) == (0, 6, 0), result.stderr
    assert (len(told["listened"]["written"]), told["listened"]["without_sound"]) == (2, 2)
    found = Index.open(tmp_path / "toy.index", WideColourEncoder()).search("w1", text_weight=1)
    assert {hit.path for hit in found} == {str(media / "talk.wav"), str(media / "sub" / "again.wav")}


def test_where_all_is_sound_only_words_find(tmp_path):
    talk = write_sound(tmp_path / "talk.wav", "1" * 12)
    say(talk, *(f"the {name} boils" for name in ("kettle", "pan", "milk", "soup", "tea", "jam")))
    index = Index.open(tmp_path / "sound.index", WideColourEncoder())
    index.add(talk)
    for query in ("red", "green", "blue", "red + blue"):
        assert index.search(query) == []
        assert [hit.text for hit in index.search(f"kettle {query}")] == ["the kettle boils"]
    assert index.search("red", text_weight=0) == []
    assert [hit.visual for hit in index.search("kettle")] == [None]
