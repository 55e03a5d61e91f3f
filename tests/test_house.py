"""The house keeps its rules: a short public list, and heavy libraries only where they are used."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from itertools import chain
from pathlib import Path

import pytest

import sayso

ROOT = Path(__file__).parents[1]
HEAVY = {"torch", "transformers", "lancedb", "pyarrow", "av", "PIL", "fastapi", "rich", "numpy"}


def modules_after(code: str) -> set[str]:
    """Return the top-level modules loaded in a fresh interpreter."""
    program = (
        f"import sys, json\n{code}\nprint(json.dumps(sorted({{m.partition('.')[0] for m in sys.modules}})))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_the_public_names_are_few_sorted_and_there():
    assert sayso.__all__ == sorted(sayso.__all__)
    assert len(sayso.__all__) <= 25
    for name in sayso.__all__:
        assert getattr(sayso, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        sayso.nothing  # noqa: B018


@pytest.mark.parametrize(
    "code",
    [
        "import sayso",
        "from sayso.cli.main import app\nfrom typer.testing import CliRunner\n"
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0",
        "from sayso.cli.main import app\nfrom typer.testing import CliRunner\n"
        "assert CliRunner().invoke(app, ['search', '--help']).exit_code == 0",
    ],
)
def test_importing_and_asking_for_help_load_nothing_heavy(code):
    loaded = modules_after(code) & HEAVY
    assert loaded <= ({"rich"} if "CliRunner" in code else set())


def test_searching_with_another_encoder_loads_no_torch(tmp_path):
    code = f"import sys; sys.path.insert(0, {str(ROOT / 'tests')!r})\nimport toy\nfrom pathlib import Path\n"
    code += f"from sayso import Index\nfolder = Path({str(tmp_path)!r})\n"
    code += "toy.make_picture(folder / 'a.png', 'red')\n"
    code += "index = Index.open(folder / 'x.index', toy.ColourEncoder())\n"
    code += "index.add(folder)\nassert index.search('red')"
    assert "torch" not in modules_after(code)


def test_every_extra_is_in_all_and_nothing_is_pinned_from_above():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    assert set(extras["all"][0].partition("[")[2].rstrip("]").split(",")) == extras.keys() - {"all", "dev"}
    for requirement in chain(project["dependencies"], *extras.values()):
        assert not set(requirement) & set("<~!"), requirement
        assert "==" not in requirement


def test_the_constraints_pin_torch():
    assert "torch==2.13.0" in (ROOT / "constraints.txt").read_text().splitlines()


def test_every_module_says_what_it_is_and_none_is_long():
    for path in (ROOT / "src").rglob("*.py"):
        text = path.read_text()
        assert text.startswith('"""'), f"{path} has no docstring"
        assert text.count("\n") <= 400, f"{path} holds more than one idea"


def test_nothing_names_a_place_of_one_machine():
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split()
    if not tracked:
        pytest.skip("not a git checkout")
    homes = [str(Path.home()) + "/", str(ROOT.parent) + "/"]
    for name in tracked:
        path = ROOT / name
        if path.is_file() and path.suffix in {".py", ".md", ".toml", ".txt", ".js", ".html", ".css", ""}:
            text = path.read_text(encoding="utf-8", errors="replace")
            assert not any(home in text for home in homes if len(home) > 3), name
