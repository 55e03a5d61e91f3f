"""Micro-batches in real processes have the gradient of the whole graph: the benchmark's first part, small."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "big_batch.py"


@pytest.mark.slow
@pytest.mark.parametrize("processes", ["1", "2"])
def test_is_the_gradient_of_the_whole_graph_whatever_is_dropped(processes, tmp_path):
    out = tmp_path / "found.json"
    sizes = ["--pairs", "48", "--micro-batch", "7", "--processes", processes, "--updates", "--out", str(out)]
    subprocess.run([sys.executable, BENCHMARK, *sizes], check=True, timeout=600, capture_output=True)
    found = json.loads(out.read_text())["gradients"]
    assert [one["kind"] for one in found] == ["softmax", "sigmoid"]
    for one in found:
        assert one["largest"] < 1e-12
        assert one["log_scale"] < 1e-12
