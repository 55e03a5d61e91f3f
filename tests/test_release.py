"""What a release says of its audit, by stand-ins for pip-audit, and of what is in its way."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest


def script():
    path = Path(__file__).parents[1] / "scripts" / "release.py"
    spec = importlib.util.spec_from_file_location("release", path)
    release = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(release)
    return release


def audit_of(packages, folder, monkeypatch):
    release = script()
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


READY = "# Changelog\n\n## 1.2.3 - 2026-12-01\n\n### Added\n\n- A thing.\n\n## 1.2.2 - 2026-11-01\n"
CONDA = 'context:\n  version: "1.2.3"\n'


@pytest.mark.parametrize(
    ("version", "changelog", "conda", "said"),
    [
        ("1.2.3", READY, CONDA, []),
        ("1.2", READY, 'context:\n  version: "1.2"\n', ["not MAJOR.MINOR.PATCH", "no section for 1.2"]),
        ("one", READY, CONDA, ["no version", "no section", "conda"]),
        ("1.2.3", READY.replace("# Changelog", "# Changelog\n\n## Unreleased"), CONDA, ["still", "begins"]),
        ("1.2.4", READY, CONDA.replace("3", "4"), ["no section for 1.2.4"]),
        ("1.2.2", READY, CONDA.replace("2.3", "2.2"), ["begins with 1.2.3"]),
        ("1.2.3", READY, "context: {}\n", ["conda/recipe.yaml says version None"]),
    ],
)
def test_what_is_in_the_way_of_a_release_is_said(version, changelog, conda, said):
    found = script().unready(version, changelog, conda)
    assert len(found) == len(said)
    assert all(part in sentence for part, sentence in zip(said, found, strict=True))
