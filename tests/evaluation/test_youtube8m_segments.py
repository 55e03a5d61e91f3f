"""Rankings of rated windows: planted classes are found in either half."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sayso.core.errors import SaysoError
from sayso.evaluation.evaluator import Count, EvaluationOptions
from sayso.evaluation.youtube8m_segments import YOUTUBE8M_SEGMENTS
from tfrecords import record, write_records


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """Sixty videos of three windows; class 5 is seen in rgb where it is said to be, class 9 is nowhere."""
    rng = np.random.default_rng(0)
    records = []
    for k in range(60):
        rgb = rng.integers(100, 150, (15, 1024), dtype=np.uint8)
        ratings = []
        for start in (0, 5, 10):
            there = rng.random() < 0.4
            rgb[start : start + 5, :32] = 240 if there else 20
            ratings.append((start, 5, float(there)))
            ratings.append((start, 6, float(rng.random() < 0.5)))
        ratings.append((0, 9, 0.0))
        ratings.append((300, 5, 1.0))  # past the end of the features
        records.append(record(f"v{k:02}", ratings, rgb, rng.integers(0, 9, (15, 128), dtype=np.uint8)))
    write_records(tmp_path / "validate00.tfrecord", *records)
    return tmp_path


def test_what_is_seen_is_ranked_first_and_what_is_nowhere_does_not_count(release: Path) -> None:
    result = YOUTUBE8M_SEGMENTS(None, release)
    assert result.counts == {"videos": Count(60, 60)}
    assert set(result.rows) == {"seed 0, half 1", "seed 0, half 2", "mean"}
    assert sum(result.rows[f"seed 0, half {k}"]["windows"] for k in (1, 2)) == 180
    for half in (1, 2):
        row = result.rows[f"seed 0, half {half}"]
        assert row["classes"] == 2
        assert 0.7 < row["mAP"] < 0.9  # 1 for what is seen, the share of positives for what is not
        assert row["mAP_random"] < 0.62
    assert YOUTUBE8M_SEGMENTS(None, release) == result


def test_features_of_a_folder(release: Path, tmp_path: Path) -> None:
    folder = tmp_path / "features"
    folder.mkdir()
    for k in range(59):
        np.save(folder / f"v{k:02}.npy", np.random.default_rng(k).normal(size=(15, 4)))
    (folder / "v00.npy").write_bytes(b"no array")
    result = YOUTUBE8M_SEGMENTS(None, release, EvaluationOptions(features=folder, seeds=(1, 2)))
    assert result.counts == {"videos": Count(58, 60)}
    assert result.missing == ("v59",)
    assert "v00.npy" in result.unreadable[0]
    assert abs(result.rows["mean"]["mAP"] - result.rows["mean"]["mAP_random"]) < 0.15
    (release / "validate00.tfrecord").write_bytes(b"")
    with pytest.raises(SaysoError, match="no rated window of"):
        YOUTUBE8M_SEGMENTS(None, release)
