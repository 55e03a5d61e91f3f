"""Flamingo learns from examples in the toy world: the benchmark's own run, one seed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "few_shot_toy.py"


@pytest.mark.slow
def test_four_examples_teach_two_invented_names(tmp_path):
    command = [sys.executable, BENCHMARK, tmp_path, "--seeds", "1", "--first", "5"]
    subprocess.run(command, check=True, timeout=1800, capture_output=True)
    rows = json.loads((tmp_path / "seed5.json").read_text())
    assert rows["4 shots"]["low"] > rows["0 shots"]["high"]
    assert rows["4 shots"]["accuracy"] >= rows["0 shots"]["accuracy"] + 0.25
    assert rows["shuffled"]["low"] <= 0.5 <= rows["shuffled"]["high"]


@pytest.mark.slow
def test_an_interrupted_seed_is_no_result_and_the_same_command_goes_on(tmp_path):
    command = [sys.executable, str(BENCHMARK), str(tmp_path), "--seeds", "1", "--language-steps", "1"]
    process = subprocess.Popen(
        [*command, "--steps", "1000000"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    until = time.monotonic() + 600
    while not (tmp_path / "seed0" / "run" / "log.jsonl").exists():
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=600)[1]
    assert process.returncode == 130
    assert "Traceback" not in said
    assert said.splitlines()[-1].startswith("interrupted at step ")
    assert not (tmp_path / "seed0.json").exists()
    step = int(json.loads((tmp_path / "seed0" / "run" / "latest" / "data.json").read_text())["step"])
    subprocess.run([*command, "--steps", str(step + 1), "--episodes", "2"], check=True, timeout=600)
    assert (tmp_path / "seed0.json").exists()
