"""HowTo100M from narrated videos, or from features alone, to a model that indexes and searches."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch

import command
import sayso
import toy
from sayso.core.config import with_flags
from sayso.core.errors import SaysoError
from sayso.core.progress import Silent
from sayso.data import Loader, read_corpus
from sayso.engine.features import extract_features
from sayso.engine.tensor_batch import TensorBatch
from sayso.losses import max_margin
from sayso.media import probe, read_clip, stream_frames
from sayso.systems.howto100m import SYSTEM, Recipe
from sayso.text.language.stop_words import howto100m_stop_words
from sayso.toyworld import write_corpus

SMALL = [
    "dim=16",
    "word_dim=12",
    "batch_size=8",
    "per_video=2",
    "steps=4",
    "warmup=1",
    "save_every=2",
    "workers=0",
]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return write_corpus(tmp_path_factory.mktemp("toy") / "world", videos=8, test_clips=4, size=32)


def test_features_are_what_the_encoder_sees_each_second(world, tmp_path):
    corpus, encoder = read_corpus(world / "train"), toy.ColourEncoder()
    videos = {name: corpus.name(k) for k, name in enumerate(corpus.ids)}
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"nothing")
    failures = extract_features({**videos, "broken": str(broken)}, encoder, tmp_path / "f")
    assert [failure.path for failure in failures] == [str(broken)]
    assert not (tmp_path / "f" / "broken.npy").exists()
    name = corpus.ids[3]
    rows = np.load(tmp_path / "f" / f"{name}.npy")
    size = encoder.clip.size
    frames = [
        frame for _, frame in stream_frames(videos[name], fps=encoder.clip.fps, size=size, crop="squash")
    ]
    assert len(rows) == pytest.approx(len(frames) / encoder.clip.fps, abs=1)
    before = (tmp_path / "f" / f"{name}.npy").stat().st_mtime_ns
    extract_features(videos, encoder, tmp_path / "f")
    assert (tmp_path / "f" / f"{name}.npy").stat().st_mtime_ns == before, "nothing is read twice"
    with pytest.raises(SaysoError, match=r"holds features of .* at 1 a second; give another folder"):
        extract_features(videos, encoder, tmp_path / "f", rate=2)


def test_features_may_see_more_than_their_own_second(world, tmp_path):
    corpus, encoder = read_corpus(world / "train"), toy.ColourEncoder()
    name, path = corpus.ids[0], corpus.name(0)
    assert extract_features({name: path}, encoder, tmp_path / "f", window_s=3.0) == []
    rows = np.load(tmp_path / "f" / f"{name}.npy")
    duration = probe(path).duration
    assert len(rows) == math.ceil(duration)
    last = duration - 3
    for second, start in ((0, 0.0), (7, 6.0), (len(rows) - 1, last)):
        frames = read_clip(
            path, start, start + 3, frames=round(3 * encoder.clip.fps), size=encoder.clip.size, crop="center"
        )
        np.testing.assert_allclose(rows[second], encoder.encode_video(frames.frames[None])[0], atol=0.02)


def test_given_features_need_no_videos(world, tmp_path):
    corpus = read_corpus(world / "train")
    rng = np.random.default_rng(0)
    for folder, width, rate in (("2d", 6, 1.0), ("3d", 4, 1.5)):
        (tmp_path / folder).mkdir()
        for name in corpus.ids:
            np.save(tmp_path / folder / f"{name}.npy", rng.random((int(60 * rate), width), np.float32))
    flags = [f'features=["{tmp_path}/2d", "{tmp_path}/3d"]', "feature_rates=[1, 1.5]", "intra=0.25"]
    recipe = with_flags(Recipe(), [*SMALL, *flags])
    method = SYSTEM.build(recipe, corpus, tmp_path, Silent())
    batch = next(iter(Loader(method.dataset, 8, collate=method.collate, workers=0)))
    tensors = TensorBatch(batch, torch.device("cpu"))
    features = tensors["features"]
    assert (features.shape, tensors["words"].shape) == ((8, 10), (8, 20))
    torch.testing.assert_close(features[:, :6].norm(dim=1), torch.ones(8))
    video, text = method.embed(method.model, tensors)
    expected = max_margin(video, text, tensors["video"], margin=0.1, intra=0.25)
    torch.testing.assert_close(method.loss((video, text), tensors), expected)
    contrast = SYSTEM.build(with_flags(recipe, ["loss=info_nce"]), corpus, tmp_path, Silent())
    scores = video @ text.T / 0.07
    rows, columns = scores.log_softmax(1).diagonal(), scores.log_softmax(0).diagonal()
    torch.testing.assert_close(contrast.loss((video, text), tensors), -(rows + columns).mean() / 2)
    assert [name for name, _ in contrast.criterion.named_parameters()] == ["log_scale"]
    dropped = SYSTEM.build(with_flags(recipe, ["stop_words=dropped"]), corpus, tmp_path, Silent())
    assert not howto100m_stop_words() & set(dropped.tokenizer.words)
    assert howto100m_stop_words() & set(method.tokenizer.words)
    encoder = method.export(method.model)
    np.testing.assert_allclose(encoder.encode_features(batch["features"]), video.detach(), atol=1e-5)
    with pytest.raises(SaysoError, match="takes features of clips, not pixels"):
        encoder.encode_video(np.zeros((1, 2, 8, 8, 3), np.uint8))
    with pytest.raises(SaysoError, match="2 features and 1 feature_rates"):
        SYSTEM.build(with_flags(recipe, ["feature_rates=[1.0]"]), corpus, tmp_path, Silent())


def test_videos_of_one_name_are_not_mixed_up(world, tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        for ending in ("mp4", "vtt"):
            source = next((world / "train").glob(f"*.{ending}"))
            (tmp_path / folder / f"x.{ending}").write_bytes(source.read_bytes())
    with pytest.raises(SaysoError, match="have one name, and features go by names"):
        SYSTEM.build(with_flags(Recipe(), SMALL), read_corpus(tmp_path), tmp_path / "run", Silent())


@pytest.mark.slow
def test_from_a_folder_of_videos_to_search(world, tmp_path):
    run, index = tmp_path / "run", tmp_path / "my.index"
    flags = [part for flag in SMALL for part in ("--set", flag)]
    train = ["train", "howto100m", world / "train", "--out", run, *flags]
    done = command.sayso(*train, "--test", world / "test" / "manifest.csv", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["step"] == 4
    encoder = sayso.load(str(run))
    assert (encoder.dim, encoder.clip.frames, encoder.clip.fps) == (16, 4, 1.0)
    assert command.sayso("index", index, world / "test", "--model", run).returncode == 0
    found = command.sayso("search", index, "push the ball", "--json")
    assert found.returncode == 0, found.stderr
    assert json.loads(found.stdout.splitlines()[0])["path"].endswith(".mp4")
