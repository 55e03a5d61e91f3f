"""What a corpus costs: the arithmetic against figures worked out by hand, the measures against an index."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

import toy
from sayso import estimating
from sayso.cli.main import app
from sayso.core.errors import MediaError, UsageError
from sayso.estimating import Estimate, Rates, estimate_corpus, measure_rates
from sayso.index.adding import Adding, add_paths
from sayso.index.store import Store


def test_howto100m_on_paper():
    """Worked out by hand: 134,472 h of which a core reads 41.35 an hour; 136 M clips of 1,024 bytes."""
    rates = Rates("x", "x", 512, 60, 1 / 41.35, 1e6 / 8, 8500, 500, 65536, 1.26e-4, 80, 6.2e-8)
    costs = Estimate(1_221_000, 134_472, 136_000_000, rates).costs()
    assert costs["read_core_hours"] == pytest.approx(3252, abs=1)
    assert costs["vector_bytes"] == pytest.approx(139.3e9, rel=1e-3)
    assert costs["thumb_bytes"] == pytest.approx(1.156e12, rel=1e-3)
    assert costs["row_bytes"] == pytest.approx(68e9, rel=1e-3)
    assert costs["code_bytes"] == pytest.approx(10.9e9, rel=2e-3)
    # 4.76 for the codes; 136 M and 50 times 1.06 M vectors, each compared with 16,594 more centroids than 8
    assert costs["index_core_hours"] == pytest.approx(4.76 + 38.87 + 15.18, rel=1e-3)
    assert costs["partitions"] == 16_602 and costs["training_vectors"] == 16_602 * 64
    assert costs["training_bytes"] == pytest.approx(2.18e9, rel=2e-3)
    assert costs["fetch_days"] == pytest.approx(42.4, abs=0.05)
    assert costs["video_bytes"] == pytest.approx(60.5e12, rel=1e-3)
    assert costs["index_bytes"] == sum(costs[f"{name}_bytes"] for name in ("vector", "thumb", "row", "code"))


def test_what_is_measured_is_what_an_index_holds(tmp_path, monkeypatch):
    monkeypatch.setattr(estimating, "PROBE_CLIPS", 1000)
    video = toy.make_video(tmp_path / "v.mp4", ["red", "green", "blue"], fps=4)
    rates = measure_rates(toy.ColourEncoder(), video)
    store = Store(tmp_path / "x.index")
    add_paths(store, [str(video)], toy.ColourEncoder, Adding())
    clips = store.clips.to_arrow().to_pylist()
    assert rates.probe_s == max(row["end_s"] for row in clips)
    assert rates.thumb_bytes == pytest.approx(sum(len(row["thumb"]) for row in clips) / len(clips))
    assert rates.video_bytes == pytest.approx(video.stat().st_size / rates.probe_s)
    assert rates.read_core_s > 0 and rates.vector_core_s > 0 and rates.row_bytes > 0
    assert (rates.dim, rates.indexed) == (toy.ColourEncoder().dim, 1000)


def test_what_cannot_be_measured_is_said(tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video")
    with pytest.raises(MediaError, match=r"broken\.mp4"):
        measure_rates(toy.ColourEncoder(), broken)
    for videos, hours, clips in ((0, 1, None), (1, 0, None), (1, float("nan"), None), (1, 1, 0)):
        with pytest.raises(UsageError):
            estimate_corpus(videos, hours, toy.ColourEncoder(), clips=clips)


def test_no_model_is_loaded_for_what_makes_no_sense(tmp_path, monkeypatch):
    def never(*_, **__):
        raise AssertionError("the model was loaded")

    monkeypatch.setattr("sayso.encoders.load_encoder", never)
    asked = ["corpus", "estimate", "--videos", "1", "--progress", "off"]
    for wrong in (
        ["--hours", "0"],
        ["--hours", "nan"],
        ["--hours", "1", "--sample", str(tmp_path / "no.mp4")],
    ):
        with pytest.raises((UsageError, MediaError)):
            CliRunner().invoke(app, [*asked, *wrong], catch_exceptions=False)
    with pytest.raises(AssertionError, match="loaded"):
        CliRunner().invoke(app, [*asked, "--hours", "1"], catch_exceptions=False)


def test_the_command(monkeypatch):
    rates = Rates("v.mp4", "toy", 8, 60, 0.02, 1e5, 8500, 500, 65536, 1e-4, 3, 6e-8)
    monkeypatch.setattr("sayso.encoders.load_encoder", lambda *_, **__: None)
    monkeypatch.setattr(estimating, "measure_rates", lambda *_: rates)
    asked = ["corpus", "estimate", "--videos", "100", "--hours", "10", "--progress", "off"]
    told = json.loads(CliRunner().invoke(app, [*asked, "--json"]).stdout)
    assert told["clips"] == 9000 and told["measured"]["dim"] == 8 and told["read_core_hours"] == 0.2
    shown = CliRunner().invoke(app, asked).stdout
    assert (
        "60 s of v.mp4" in shown and "0.2 core-hours" in shown and "50.0 hours of video a core-hour" in shown
    )
    few = CliRunner().invoke(app, ["corpus", "estimate", "--videos", "1", "--hours", "0.1"]).stdout
    assert "under 0.1 days" in few and "under 0.1 core-hours" in few and " 0.0 " not in few
