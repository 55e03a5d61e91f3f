"""Flamingo learns from examples in the toy world: the benchmark's own run, one seed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "few_shot_toy.py"


@pytest.mark.slow
def test_four_examples_teach_two_invented_names(tmp_path):
    subprocess.run(
        [sys.executable, BENCHMARK, tmp_path, "--seeds", "1"], check=True, timeout=1800, capture_output=True
    )
    rows = json.loads((tmp_path / "seed0.json").read_text())
    assert rows["4 shots"]["low"] > rows["0 shots"]["high"]
    assert rows["4 shots"]["accuracy"] >= rows["0 shots"]["accuracy"] + 0.25
    assert rows["shuffled"]["low"] <= 0.5 <= rows["shuffled"]["high"]
