"""What is built installs offline into an empty environment, and works there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import sayso
from sayso.cli.exit_codes import UNAVAILABLE
from sayso.export.notebooks import PARTS

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[1]
LIMIT = 3 * 2**20
LACKING = {
    "train --list": "train",
    "localize my.sample/tagged/test --model runs/where": "train",
    "serve my.index": "serve",
    "index my.index my.sample/film --model offline": "offline",
}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """Return the wheel, built from a source distribution as it is published."""
    for needed in ("build", "hatchling"):
        pytest.importorskip(needed)
    source, out = tmp_path_factory.mktemp("source") / "sayso", tmp_path_factory.mktemp("dist")
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    ).stdout.split()  # fmt: skip
    if not tracked:
        pytest.skip("not a git checkout")
    for name in tracked:
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    words = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(source)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(list(out.glob("*.tar.gz"))) == 1
    return next(out.glob("*.whl"))


def test_the_wheel_holds_what_it_should_and_is_small(built):
    held = set(zipfile.ZipFile(built).namelist())
    assert built.stat().st_size <= LIMIT
    recipes = {f"sayso/recipes/{path.name}" for path in (ROOT / "src/sayso/recipes").glob("*.toml")}
    assert recipes and recipes <= held
    assert {"sayso/py.typed", *(f"sayso/lecture/{name}.py" for name in PARTS)} <= held
    about = f"sayso-{sayso.__version__}"
    assert f"{about}.data/data/share/man/man1/sayso.1" in held
    others = {name for name in held if not name.startswith(("sayso/", f"{about}."))}
    assert not others
    modules = {path.relative_to(ROOT / "src").as_posix() for path in (ROOT / "src").rglob("*.py")}
    assert modules <= held


def test_it_installs_offline_into_an_empty_environment_and_works(built, tmp_path):
    house = tmp_path / "wheelhouse"
    house.mkdir()
    for name in sorted(needed_by(PROJECT["dependencies"])):
        repack(metadata.distribution(name), house)
    venv.create(tmp_path / "env", with_pip=True)
    bin_ = tmp_path / "env" / ("Scripts" if os.name == "nt" else "bin")
    clean = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}
    clean |= {"PIP_CONFIG_FILE": os.devnull, "HOME": str(tmp_path), "SAYSO_OFFLINE": "1"}

    def run(*words: str, code: int = 0, **changes: str) -> str:
        done = subprocess.run(
            [str(bin_ / words[0]), *words[1:]],
            cwd=tmp_path, env=clean | changes, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == code, (words, done.stderr)
        return done.stdout if code == 0 else done.stderr

    run("python", "-m", "pip", "install", "--no-index", "--find-links", str(house), str(built))
    run("python", "-m", "pip", "check")
    assert run("sayso", "--version").strip() == f"sayso {sayso.__version__}"
    assert len(run("sayso", "lecture").splitlines()) == len(PARTS)
    asked = {"_SAYSO_COMPLETE": "complete_bash", "COMP_WORDS": "sayso lec", "COMP_CWORD": "1"}
    assert "lecture" in run("sayso", **asked)
    run("sayso", "sample", "my.sample", "--progress", "off")
    assert "Anna" in run("sayso", "align", "my.sample/film/film.txt", "my.sample/film/film.srt")
    for verb, extra in LACKING.items():
        said = run("sayso", *verb.split(), code=UNAVAILABLE)
        assert f"[{extra}]" in said and said.count("\n") == 1, said
    assert (tmp_path / "env" / "share" / "man" / "man1" / "sayso.1").is_file()


def test_the_conda_recipe_says_what_the_project_says():
    yaml = pytest.importorskip("yaml")
    recipe = yaml.safe_load((ROOT / "conda" / "recipe.yaml").read_text(encoding="utf-8"))
    assert recipe["context"]["version"] == sayso.__version__
    host, run = recipe["requirements"]["host"], recipe["requirements"]["run"]
    python, *others = run
    assert python == f"python {PROJECT['requires-python']}" and python in host
    assert others == [re.sub(r"(?=>=)", " ", one) for one in PROJECT["dependencies"]]
    entry = recipe["build"]["python"]["entry_points"]
    assert entry == [f"sayso = {PROJECT['scripts']['sayso']}"]
    assert all((ROOT / name).is_file() for name in recipe["about"]["license_file"])


def needed_by(requirements: list[str]) -> set[str]:
    """Return the installed distributions that some requirements need, and those that these need."""
    found: set[str] = set()
    left = [Requirement(one) for one in requirements]
    while left:
        one = left.pop()
        name = canonicalize_name(one.name)
        if name in found or (one.marker and not one.marker.evaluate({"extra": ""})):
            continue
        found.add(name)
        left += [Requirement(text) for text in metadata.requires(name) or ()]
    return found


def repack(distribution: metadata.Distribution, house: Path) -> None:
    """Make a wheel of what is installed."""
    tags = re.findall(r"^Tag: (.+)$", distribution.read_text("WHEEL") or "", re.MULTILINE)
    name = distribution.metadata["Name"].replace("-", "_").replace(".", "_")
    parts = [tag.split("-") for tag in tags]
    tag = "-".join(".".join(sorted({part[n] for part in parts})) for n in range(3))
    with zipfile.ZipFile(house / f"{name}-{distribution.version}-{tag}.whl", "w") as wheel:
        for file in distribution.files or ():
            path = Path(str(distribution.locate_file(file)))
            if not file.as_posix().startswith("..") and path.is_file() and path.suffix != ".pyc":
                wheel.write(path, file.as_posix())
