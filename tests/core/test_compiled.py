"""Loops compiled once, kept in the cache's folder, and none where numba is missing."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from sayso.core import compiled
from sayso.core.compiled import Loop, WorthCompiling


def twice(value: float) -> float:
    return 2 * value


def test_what_is_compiled_is_kept_in_the_cache_folder_and_nowhere_else(monkeypatch, tmp_path):
    numba = pytest.importorskip("numba")
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    run = Loop(twice, "float64(float64)").compiled()
    assert run is not None
    assert run(2.5) == 5
    assert list((tmp_path / "sayso" / "compiled").rglob("*.nbi"))
    assert not list(Path(__file__).parent.rglob("*.nbi"))
    assert numba.config.CACHE_DIR == ""  # other packages' loops keep their own place


def test_a_folder_that_cannot_be_written_only_costs_the_cache(monkeypatch, tmp_path):
    numba = pytest.importorskip("numba")
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    (tmp_path / "sayso").write_text("a file, where the folder would be")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    run = Loop(twice, "float64(float64)").compiled()
    assert run is not None
    assert run(2.5) == 5
    assert not list(Path(__file__).parent.rglob("*.nbi"))


def test_without_numba_there_is_none(monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)
    assert Loop(twice, "float64(float64)").compiled() is None


def test_work_adds_up_until_compiling_is_worth_it():
    worth = WorthCompiling(10)
    assert [worth(cells) for cells in (4, 5, 1, 0)] == [False, False, True, True]
    assert compiled.WorthCompiling(10)(11)
