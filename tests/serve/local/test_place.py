"""The folder is this user's alone, and the name changes with whatever would change an answer."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sayso.serve.local import place
from sayso.serve.local.place import private_folder, socket_name


def test_the_folder_is_this_users_alone(runtime):
    assert private_folder() != runtime
    assert not runtime.exists()
    assert private_folder(make=True) == runtime == private_folder()
    assert runtime.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("how", ["open to others", "a link", "a file", "another user's", "too long"])
def test_a_folder_that_others_can_reach_is_not_taken(runtime, tmp_path, monkeypatch, how):
    if how == "open to others":
        runtime.mkdir(mode=0o755)
        runtime.chmod(0o755)
    elif how == "a link":
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        runtime.symlink_to(tmp_path / "elsewhere")
    elif how == "a file":
        runtime.write_text("mine")
    elif how == "another user's":
        monkeypatch.setattr(place, "_owner", lambda folder: os.geteuid() + 1)
    else:
        long = tmp_path / ("x" * 120)
        long.mkdir()
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(long))
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "none"))
    monkeypatch.setattr(
        place, "Path", lambda *parts: Path(*parts) if parts[0] != "/tmp" else tmp_path / "no/x"
    )
    assert private_folder() is None
    assert private_folder(make=True) is None


def test_without_a_runtime_folder_or_a_home_it_lies_with_temporary_files(tmp_path, monkeypatch):
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.delenv("HOME", raising=False)
    short = Path("/tmp", f"s{os.getpid()}")
    short.mkdir()
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(short))
    try:
        assert private_folder(make=True) == short / f"sayso-{os.geteuid()}"
    finally:
        (short / f"sayso-{os.geteuid()}").rmdir()
        short.rmdir()


@pytest.mark.parametrize(
    "variable",
    ["SAYSO_OFFLINE", "SAYSO_NO_VERIFY", "HF_HOME", "CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS", "HOME", "TZ"],
)
def test_what_changes_answers_changes_the_name(monkeypatch, variable):
    before = socket_name()
    monkeypatch.setenv(variable, "7")
    assert socket_name() != before


@pytest.mark.parametrize("variable", ["TERM", "COLUMNS", "PWD", "SSH_TTY", "SAYSO_DAEMON_MINUTES"])
def test_what_does_not_leaves_it(monkeypatch, variable):
    before = socket_name()
    monkeypatch.setenv(variable, "7")
    assert socket_name() == before


def test_another_version_another_program_and_another_index_have_other_names(monkeypatch):
    names = {socket_name(), socket_name("/a.index"), socket_name("/b.index"), socket_name("/a.index", "cpu")}
    monkeypatch.setattr(place, "__version__", "99")
    names.add(socket_name())
    monkeypatch.setattr("sys.executable", "/another/python")
    names.add(socket_name())
    assert len(names) == 6


def test_a_changed_file_of_the_program_has_another_name(monkeypatch, tmp_path):
    (tmp_path / "serve" / "local").mkdir(parents=True)
    (tmp_path / "index.py").write_text("")
    monkeypatch.setattr(place, "__file__", str(tmp_path / "serve" / "local" / "place.py"))
    before = socket_name()
    os.utime(tmp_path / "index.py", ns=(1, 4102444800 * 10**9))
    assert socket_name() != before
