"""Every example runs, on data that it draws itself."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.py"))
ELSEWHERE = {"howto100m", "instruction_steps", "mil_nce"}  # tests of their systems do the same for seconds


@pytest.fixture(scope="module")
def more(tmp_path_factory):
    """What examples take besides a folder: a small language model in the place of a package's."""
    from generators import lms

    small = [str(lms.save_lm(tmp_path_factory.mktemp("lm") / "llama", "llama"))]
    return {"flamingo": small, "llava": small}


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=path.stem, marks=[pytest.mark.slow] if path.stem in ELSEWHERE else [])
        for path in EXAMPLES
    ],
)
def test_an_example_runs_and_prints_what_it_found(path, tmp_path, monkeypatch, capsys, more):
    spec = importlib.util.spec_from_file_location(f"example_{path.stem}", path)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    monkeypatch.setattr(sys, "argv", [str(path), str(tmp_path), *more.get(path.stem, [])])
    example.main()
    assert capsys.readouterr().out.strip()
    assert f"python examples/{path.name} FOLDER" in path.read_text(), "its docstring says how to run it"


def test_there_are_examples():
    assert {"align_script", "instruction_steps", "localize", "name_actors"} <= {
        path.stem for path in EXAMPLES
    }
