"""A result carries what made it."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from types import SimpleNamespace

from sayso.evaluation import record as module
from sayso.evaluation.record import commit, record
from sayso.version import __version__

ENCODER = SimpleNamespace(name="some", sha256="ab" * 32, dim=3)


def test_says_command_date_model_and_machine(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/usr/bin/sayso", "evaluate", "my captions.json"])
    made = record(ENCODER, {"protocol": "x", "R@1": 0.5})
    assert made["command"] == "sayso evaluate 'my captions.json'"
    assert abs((datetime.now(UTC) - datetime.fromisoformat(made["date"])).total_seconds()) < 3600
    assert made["model"] == {"name": "some", "sha256": "ab" * 32, "dim": 3}
    assert (made["protocol"], made["R@1"], made["sayso"]) == ("x", 0.5, __version__)
    assert made["machine"]["processor"]
    json.dumps(made)
    monkeypatch.setattr(sys, "argv", ["/x/sayso/__main__.py", "models"])
    assert record(ENCODER, {})["command"] == "sayso models"


def test_the_commit_is_that_of_the_checkout(tmp_path, monkeypatch):
    def git(*arguments):
        settings = ["-c", "user.name=a", "-c", "user.email=a@b"]
        done = subprocess.run(
            ["git", *settings, *arguments], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    monkeypatch.setattr(module, "__file__", str(tmp_path / "record.py"))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert commit() is None
    git("init", "-q")
    (tmp_path / "a").write_text("1")
    git("add", "a")
    git("commit", "-qm", "one")
    head = git("rev-parse", "HEAD")
    assert commit() == head
    (tmp_path / "a").write_text("2")
    assert commit() == head + "+"


def test_no_git_is_no_error(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert commit() is None
