"""Batches keep the order and shrink when memory runs out; clips are the mean of frames."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sayso.core.errors import SaysoError
from sayso.encoders.batching import as_texts, in_batches, pool_clips, unit_norm


def numbers(batch):
    return np.array([[item, -item] for item in batch], np.float32)


@given(st.integers(0, 30), st.integers(1, 12), st.integers(1, 12))
def test_batches_equal_one_by_one_whatever_fits(count, size, room):
    sizes = []

    def encode(batch):
        sizes.append(len(batch))
        if len(batch) > room:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return numbers(batch)

    items = list(range(count))
    result = in_batches(encode, items, size, 2)
    assert result.shape == (count, 2)
    assert result.dtype == np.float32
    np.testing.assert_array_equal(result, numbers(items).reshape(-1, 2))
    assert max(sizes, default=0) <= size


@pytest.mark.parametrize(
    "error",
    [MemoryError(), RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: 9 bytes")],
)
def test_memory_for_not_even_one_is_told(error):
    def encode(batch):
        raise error

    with pytest.raises(SaysoError, match=r"even one picture or text.*--device cpu"):
        in_batches(encode, [1, 2, 3], 2, 2)


def test_other_errors_are_not_swallowed():
    def encode(batch):
        raise RuntimeError("shapes differ")

    with pytest.raises(RuntimeError, match="shapes differ"):
        in_batches(encode, [1], 2, 2)


def test_one_text_is_not_a_list_of_letters():
    assert as_texts(("a", "b")) == ["a", "b"]
    for wrong in ("a cat", [1], ["a", None]):
        with pytest.raises(SaysoError, match="texts must be a list of str; got"):
            as_texts(wrong)


@given(hnp.arrays(np.float32, (4, 3), elements=st.floats(-100, 100, width=32)))
def test_unit_is_of_norm_one_or_zero(x):
    norm = np.linalg.norm(unit_norm(x), axis=1)
    expected = np.linalg.norm(x.astype(np.float64), axis=1) > 1e-9
    np.testing.assert_allclose(norm[expected], 1, atol=1e-5)
    assert np.isfinite(norm).all()


@given(st.integers(0, 3), st.integers(1, 4))
def test_clips_equal_a_plain_loop(B, T):
    rng = np.random.default_rng(B * 10 + T)
    frames = rng.integers(0, 256, (B, T, 5, 6, 3), dtype=np.uint8)

    def encode(images):
        return unit_norm(
            np.array([image.reshape(-1, 3).mean(0) for image in images], np.float32).reshape(-1, 3)
        )

    expected = []
    for clip in frames:
        mean = sum(
            frame.reshape(-1, 3).mean(0) / np.linalg.norm(frame.reshape(-1, 3).mean(0)) for frame in clip
        )
        expected.append(mean / np.linalg.norm(mean))
    np.testing.assert_allclose(pool_clips(encode, frames), np.array(expected).reshape(B, 3), atol=1e-6)


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [
        ((2, 4, 4, 3), np.uint8),
        ((1, 0, 4, 4, 3), np.uint8),
        ((1, 1, 4, 4, 4), np.uint8),
        ((1, 1, 4, 4, 3), float),
    ],
)
def test_what_is_no_clip_is_told(shape, dtype):
    with pytest.raises(SaysoError, match=r"\(B, T, H, W, 3\) uint8 with T >= 1; got \("):
        pool_clips(lambda images: np.empty((0, 2), np.float32), np.zeros(shape, dtype))
