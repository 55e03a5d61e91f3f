"""Records of YouTube-8M's segments: read as written, and damage listed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sayso.core.errors import SaysoError
from sayso.data.datasets.tfrecord import parse_sequence_example, read_records
from sayso.data.datasets.youtube8m import Rating, dequantise, read_rated_videos
from tfrecords import record, write_records


def made(
    rng: np.random.Generator, id_: str, ratings: list[tuple[int, int, float]], seconds: int = 9
) -> bytes:
    rgb = rng.integers(0, 256, (seconds, 1024), dtype=np.uint8)
    return record(id_, ratings, rgb, rng.integers(0, 256, (seconds, 128), dtype=np.uint8))


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rgb = rng.integers(0, 256, (9, 1024), dtype=np.uint8)
    audio = rng.integers(0, 256, (9, 128), dtype=np.uint8)
    written = record("ab01", [(0, 7, 1.0), (5, 7, 0.0), (5, 900, 1.0)], rgb, audio)
    path = write_records(tmp_path / "validate00.tfrecord", written, made(rng, "none", []))
    (first, second) = read_records(path)
    example = parse_sequence_example(first)
    assert example.context["labels"] == [3, -1, 2**40]
    assert example.context["segment_scores"] == [1.0, 0.0, 1.0]
    assert parse_sequence_example(second).context["id"] == [b"none"]
    problems: list[str] = []
    (video,) = read_rated_videos(tmp_path, problems)
    assert (video.id, problems) == ("ab01", [])
    assert video.ratings == (Rating(0, 7, True), Rating(5, 7, False), Rating(5, 900, True))
    numbers = np.concatenate([rgb, audio], 1).astype(np.float64)
    np.testing.assert_allclose(video.features, numbers * 4 / 255 + 4 / 512 - 2, atol=1e-6)
    assert dequantise(b"\x00\xff").tolist() == pytest.approx([-2 + 1 / 128, 2 + 1 / 128])


def test_damage_is_listed_and_what_came_before_is_kept(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    records = [made(rng, f"v{k}", [(0, 1, 1.0)]) for k in range(3)]
    whole = write_records(tmp_path / "a.tfrecord", *records).read_bytes()
    for at in rng.integers(0, len(whole), 40):
        (tmp_path / "a.tfrecord").write_bytes(
            whole[:at] if at % 2 else whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
        )
        problems: list[str] = []
        ids = [video.id for video in read_rated_videos(tmp_path, problems)]
        intact = int(at) // (len(records[0]) + 16)
        assert ids == [f"v{k}" for k in range(intact)]
        assert len(problems) == (0 if at % 2 and at == intact * (len(records[0]) + 16) else 1)
    write_records(tmp_path / "a.tfrecord", b"\x0b\x0b", records[0], b"")
    problems = []
    assert [video.id for video in read_rated_videos(tmp_path, problems)] == ["v0"]
    assert len(problems) == 2
    assert "record 1: no video of segments" in problems[0]


def test_no_records(tmp_path: Path) -> None:
    with pytest.raises(SaysoError, match=r"holds no \.tfrecord files"):
        next(read_rated_videos(tmp_path, []))
