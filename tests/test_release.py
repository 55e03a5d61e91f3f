"""What a release says of its audit, by stand-ins for pip-audit."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest


def audit_of(packages, folder, monkeypatch):
    path = Path(__file__).parents[1] / "scripts" / "release.py"
    spec = importlib.util.spec_from_file_location("release", path)
    release = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(release)
    program = folder / "pip-audit"
    program.write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps({'dependencies': packages})}\nEND\n")
    program.chmod(0o755)
    monkeypatch.setattr(release.shutil, "which", lambda _: str(program))
    return release.audit(folder / "lock.txt", folder / "audit.json")


SAFE = {"name": "a", "version": "1", "vulns": []}
HOLED = {"name": "b", "version": "1", "vulns": [{"id": "CVE-1"}, {"id": "CVE-2"}]}
UNKNOWN = {"name": "c", "skip_reason": "not found"}


@pytest.mark.parametrize(
    ("packages", "said"),
    [
        ([SAFE, HOLED], "audited: 2 known vulnerabilities, see"),
        ([SAFE, UNKNOWN], "audited: 0 known vulnerabilities; 1 of 2 packages not audited, see"),
        ([UNKNOWN, UNKNOWN], "not audited: pip-audit knows none"),
    ],
)
def test_what_could_not_be_audited_is_not_called_safe(packages, said, tmp_path, monkeypatch):
    assert audit_of(packages, tmp_path, monkeypatch).startswith(said)
