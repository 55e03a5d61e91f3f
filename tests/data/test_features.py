"""Features in the place of frames: pooled as published, from files and from Lance tables."""

from __future__ import annotations

import lancedb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayso.core.errors import MediaError, SaysoError
from sayso.data import FeatureClips, LanceFeatures, Loader, NpyFeatures, open_features
from sayso.data.corpus import CorpusBuilder
from sayso.data.features import pool_span

D = 4


def drawn(rows, seed=0):
    return np.random.default_rng(seed).standard_normal((rows, D)).astype(np.float32)


@pytest.fixture
def videos(tmp_path):
    """Features of three videos in .npy files, and their captions; one video has none."""
    builder = CorpusBuilder()
    (tmp_path / "part").mkdir()
    for i, name in enumerate(("a", "b", "c", "none")):
        builder.add(name, f"{name}.mp4", [(0.0, 3.9, f"{name} 0"), (4.0, 7.5, f"{name} 1")])
        if name != "none":
            np.save(tmp_path / "part" / f"{name}.npy", drawn(12, i))
    return builder.finish(), tmp_path


def plainly(features, rate, start, end):
    """Pool second by second, as the public code does."""
    strongest = [-np.inf] * features.shape[1]
    for row in range(int(start * rate), int(end * rate) + 1):
        if row < len(features):
            strongest = [max(old, float(new)) for old, new in zip(strongest, features[row], strict=True)]
    length = sum(value**2 for value in strongest) ** 0.5
    return [value / length for value in strongest]


@settings(deadline=None)
@given(rate=st.sampled_from([1.0, 1.5, 25 / 16]), start=st.floats(0, 9.9), length=st.floats(0, 30))
def test_pooling_equals_the_plain_loop(rate, start, length):
    features = drawn(20)
    found = pool_span(features, rate, start, start + length)
    assert found.dtype == np.float32
    assert found.tolist() == pytest.approx(plainly(features, rate, start, start + length), rel=1e-5)


def test_pooling_at_the_edges():
    features = drawn(5)
    assert pool_span(features, 1, 0, float("inf")).tolist() == pytest.approx(
        plainly(features, 1, 0, 9), rel=1e-5
    )
    assert pool_span(np.zeros((5, D), np.float16), 1, 0, 2).tolist() == [0] * D
    assert pool_span(features, 1, 5.9, 7.0).tolist() == pytest.approx(plainly(features, 1, 4, 4), rel=1e-5)
    with pytest.raises(MediaError, match=r"end at 5\.0 s, before 6\.0 s"):
        pool_span(features, 1, 6.0, 7.0)


def test_two_kinds_of_features_stand_side_by_side(videos):
    corpus, folder = videos
    dataset = FeatureClips(corpus, [NpyFeatures(folder, 1.0), NpyFeatures(folder, 1.5)], per_video=None)
    for item in range(6):
        (example,) = dataset.sample(item, np.random.default_rng(0))
        span = corpus.caption(item).span
        features = np.load(folder / "part" / f"{corpus.ids[corpus.video_of(item)]}.npy")
        expected = [plainly(features, rate, span.start, span.end) for rate in (1.0, 1.5)]
        assert example["features"].tolist() == pytest.approx(np.concatenate(expected).tolist(), rel=1e-5)
        assert example["texts"] == (corpus.texts[item],)


def test_a_loader_of_features_replaces_what_has_none(videos):
    corpus, folder = videos
    loader = Loader(FeatureClips(corpus, [open_features(folder)]), 2, workers=2, epochs=4)
    for batch in loader:
        assert batch["features"].shape == (2, D)
        assert batch["features"].dtype == np.float32
    assert [failure.error for failure in loader.failures] == [f"{folder} holds no features of none"]


@pytest.mark.parametrize("kind", [pa.float32(), pa.float16()])
def test_a_lance_table_gives_what_files_give(videos, tmp_path, kind):
    _, folder = videos
    schema = pa.schema([("id", pa.string()), ("features", pa.list_(pa.list_(kind, D)))])
    rows = [
        {
            "id": name,
            "features": list(np.load(folder / "part" / f"{name}.npy").astype(kind.to_pandas_dtype())),
        }
        for name in ("c", "a", "b")
    ]
    db = lancedb.connect(tmp_path / "store")
    db.create_table("resnet", data=pa.Table.from_pylist(rows, schema))
    table = open_features(tmp_path / "store" / "resnet.lance", 1.5)
    files = NpyFeatures(folder, 1.5)
    assert isinstance(table, LanceFeatures)
    for name in ("a", "b", "c"):
        assert np.array_equal(table.read(name), files.read(name).astype(kind.to_pandas_dtype()))
    with pytest.raises(MediaError, match="no features of none"):
        table.read("none")
    with pytest.raises(SaysoError, match=r"no column 'vectors'; it has \['id', 'features'\]"):
        LanceFeatures(tmp_path / "store" / "resnet.lance", 1.0, column="vectors")
    with pytest.raises(SaysoError, match="no table of features"):
        open_features(tmp_path / "store" / "other.lance")


def test_a_lance_table_of_single_vectors_is_told(tmp_path):
    db = lancedb.connect(tmp_path)
    db.create_table("flat", [{"id": "a", "features": [1.0, 2.0]}])
    with pytest.raises(MediaError, match="expected a list of vectors of one length"):
        open_features(tmp_path / "flat.lance").read("a")


def test_counts_are_features_too(tmp_path):
    np.save(tmp_path / "a.npy", np.full((3, 2), 7, np.int32))
    rows = NpyFeatures(tmp_path, 1.0).read("a")
    assert rows.dtype == np.float32 and (rows == 7).all()


@pytest.mark.parametrize("wrong", [np.zeros(3), np.zeros((3, 2), bool), b"no array"])
def test_a_file_that_holds_no_features_is_told(tmp_path, wrong):
    if isinstance(wrong, bytes):
        (tmp_path / "a.npy").write_bytes(wrong)
    else:
        np.save(tmp_path / "a.npy", wrong)
    with pytest.raises(MediaError, match=r"a\.npy"):
        NpyFeatures(tmp_path, 1.0).read("a")


def test_a_folder_without_features_and_a_wrong_rate_are_told(tmp_path):
    with pytest.raises(SaysoError, match="holds no features"):
        open_features(tmp_path)
    with pytest.raises(SaysoError, match="positive number of rows a second; got 0"):
        open_features(tmp_path, 0)
