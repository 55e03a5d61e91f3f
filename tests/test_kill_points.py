"""Kill points and full disks: some of each run here, 1,000 by ``benchmarks/torture.py``."""

from __future__ import annotations

import sys

import pytest

from kill_points import run_points
from kill_workloads import WORKLOADS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(sys, "addaudithook") or sys.platform != "linux", reason="it forks"),
]


@pytest.mark.parametrize("name", WORKLOADS)
def test_any_write_may_be_the_last(name):
    tried = run_points(name, count=16, step=5)
    assert [point for point in tried if point["wrong"]] == []
    assert len(tried) >= 7
    assert len({point["call"] for point in tried}) >= 4, "they are different calls"


@pytest.mark.parametrize("name", ["index", "train"])
def test_the_disk_may_be_full_at_any_write(name):
    tried = run_points(name, full=True, count=12, step=5)
    assert [point for point in tried if point["wrong"]] == []
    assert len(tried) >= 5
