"""Damaged inputs of every kind end in an answer or a sentence; half a million of them in the slow tier."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from fuzzing import fuzz, targets

SPEC = importlib.util.spec_from_file_location(
    "mutations", Path(__file__).parents[1] / "benchmarks" / "mutations.py"
)
assert SPEC and SPEC.loader
mutations = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(mutations)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("count", [20, pytest.param(20_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", targets())
def test_a_damaged_input_is_read_or_refused(name, count):
    assert fuzz(name, count, 1, mutations.damage)["failures"] == []
