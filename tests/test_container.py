"""What Dockerfile copies is there and suffices to build the wheel; what is started is a command.

No image is built: Docker is not at hand where the tests run.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import typer

from sayso.cli.main import app
from sayso.export.notebooks import PARTS

ROOT = Path(__file__).parents[1]
KNOWN = {"FROM", "RUN", "WORKDIR", "COPY", "USER", "VOLUME", "EXPOSE", "ENTRYPOINT", "CMD"}


def instructions() -> list[tuple[str, str]]:
    """Return the instructions of the Dockerfile with what they are given."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(name, given) for name, _, given in (line.partition(" ") for line in lines)]


def copied() -> list[tuple[str, str]]:
    """Return what is copied, and to where."""
    found = []
    for name, given in instructions():
        if name == "COPY":
            *sources, target = given.split()
            found += [(source, target) for source in sources]
    return found


def value_of(name: str) -> str:
    (value,) = [given for instruction, given in instructions() if instruction == name]
    return value


def test_each_instruction_is_one_and_the_image_does_not_run_as_root():
    names = [name for name, _ in instructions()]
    assert names[0] == "FROM" and set(names) <= KNOWN
    assert ":" in value_of("FROM"), "a version is named"
    assert f"--create-home {value_of('USER')}" in str(instructions())
    assert names.index("USER") > max(n for n, name in enumerate(names) if name == "RUN")


def test_what_is_copied_is_there_and_not_ignored():
    let_in = {
        line[1:].removesuffix("/*.py")
        for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line.startswith("!")
    }
    for source, _ in copied():
        assert (ROOT / source).exists(), source
        assert source in let_in, f".dockerignore leaves {source} out"


def test_what_is_installed_are_extras_and_what_is_started_is_a_command():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (extras,) = re.findall(r"'\.\[([\w,]+)\]'", str(instructions()))
    assert set(extras.split(",")) <= set(project["optional-dependencies"])
    words = json.loads(value_of("ENTRYPOINT")) + json.loads(value_of("CMD"))
    assert words[0] in project["scripts"]
    program = typer.main.get_command(app)
    _, verb, rest = program.resolve_command(program.make_context("sayso", words[1:]), words[1:])
    given = verb.make_context("serve", rest).params
    assert str(given["port"]) == value_of("EXPOSE") and given["host"] == "0.0.0.0"
    assert str(given["addresses"][0]).startswith(json.loads(value_of("VOLUME"))[0])


def test_compose_serves_this_machine_alone_from_a_container_that_cannot_be_written():
    yaml = pytest.importorskip("yaml")
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    service = yaml.safe_load(text)["services"]["sayso"]
    assert (ROOT / service["build"] / "Dockerfile").is_file()
    assert service["ports"] == [f"127.0.0.1:{value_of('EXPOSE')}:{value_of('EXPOSE')}"]
    assert service["read_only"] and {"/tmp", f"/home/{value_of('USER')}"} <= set(service["tmpfs"])
    inside = {volume.split(":")[1] for volume in service["volumes"]}
    (index,) = re.findall(r"^#\s+docker compose run --rm sayso (.+)$", text, re.MULTILINE)
    _, *paths = shlex.split(index)
    assert all(any(path.startswith(f"{where}/") or path == where for where in inside) for path in paths)


@pytest.mark.slow
def test_the_wheel_is_built_from_what_the_dockerfile_copies(tmp_path):
    for needed in ("build", "hatchling"):
        pytest.importorskip(needed)
    source = tmp_path / "src"
    for name, target in copied():
        place = source / target / (Path(name).name if target.endswith("/") else "")
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, place, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, place)
    words = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", str(tmp_path), str(source)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    held = set(zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist())
    assert {"sayso/py.typed", *(f"sayso/lecture/{part}.py" for part in PARTS)} <= held
    assert any(name.endswith("share/man/man1/sayso.1") for name in held)
