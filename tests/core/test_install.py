"""What is advised installs this very sayso: from its checkout or its address, never a stranger's package."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import pytest

from sayso.core import install


@pytest.fixture
def installed(monkeypatch, tmp_path):
    """Make sayso look as if pip had installed it, and had noted an address."""

    def installed_(noted):
        monkeypatch.setattr(install, "__file__", str(tmp_path / "site-packages/sayso/core/install.py"))
        monkeypatch.setattr(install, "_direct_url", lambda: noted)
        return install.install_command("faces")

    return installed_


def test_from_a_checkout(monkeypatch, tmp_path):
    root = Path(__file__).parents[2]
    monkeypatch.chdir(tmp_path)
    assert install.install_command("hub") == f"pip install '{root}[hub]'"
    assert install.install_command("hub", again=True) == f"pip install --force-reinstall '{root}[hub]'"
    monkeypatch.chdir(root)
    assert install.install_command("hub") == "pip install '.[hub]'"


def test_from_an_address(installed):
    noted = {"url": "https://x.example/sayso.git", "vcs_info": {"vcs": "git", "commit_id": "abc"}}
    assert installed(noted) == "pip install 'sayso[faces] @ git+https://x.example/sayso.git@abc'"
    assert installed({"url": "file:///w/s.whl"}) == "pip install 'sayso[faces] @ file:///w/s.whl'"
    assert installed({"url": "file:///src/sayso", "dir_info": {"editable": True}}).endswith(
        "@ file:///src/sayso'"
    )


def test_from_an_index(installed):
    assert installed({}) == "pip install 'sayso[faces]'"


def test_nobody_else_builds_such_advice():
    sources = {path: path.read_text() for path in Path(str(files("sayso"))).rglob("*.py")}
    said = [path.name for path, text in sources.items() if re.search(r"pip install [^\n]*sayso\[", text)]
    assert said == []
