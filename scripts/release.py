"""What a release carries besides its wheel: an audit of the pinned packages, and what it is made of (SBOM).

    python scripts/release.py --out DIR

First it checks that the version is one, that the changelog has a section for it and none for what is
unreleased, and that the conda recipe says the same version; ``--draft`` goes on where that is not so.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import uuid
from datetime import UTC, datetime
from importlib.metadata import Distribution, distribution, distributions
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

ROOT = Path(__file__).parents[1]


def unready(version: str, changelog: str, conda: str) -> list[str]:
    """Return what is in the way of a release, a sentence each.

    Args:
        version: of the package.
        changelog: text of ``CHANGELOG.md``.
        conda: text of ``conda/recipe.yaml``.
    """
    found = []
    try:
        if len(Version(version).release) != 3:
            found.append(f"version {version} is not MAJOR.MINOR.PATCH")
    except InvalidVersion:
        found.append(f"{version!r} is no version")
    titles = re.findall(r"^## (.+?)(?: - \d{4}-\d{2}-\d{2})?$", changelog, re.MULTILINE)
    if "Unreleased" in titles:
        found.append("CHANGELOG.md still has a section Unreleased; name it after the version, with its date")
    if version not in titles:
        found.append(f"CHANGELOG.md has no section for {version}")
    elif titles[0] != version:
        found.append(f"CHANGELOG.md begins with {titles[0]} and not with {version}")
    said = re.search(r'^  version: "(.+)"$', conda, re.MULTILINE)
    if not said or said[1] != version:
        found.append(f"conda/recipe.yaml says version {said and said[1]} and not {version}")
    return found


def components(name: str) -> list[dict[str, Any]]:
    """Return the installed packages that a package needs, with all its extras, itself left out."""
    installed = {canonicalize_name(one.metadata["Name"]): one for one in distributions()}
    extras = {canonicalize_name(name): set(distribution(name).metadata.get_all("Provides-Extra") or ())}
    found: dict[str, Distribution] = {}
    waiting = [canonicalize_name(name)]
    while waiting:
        one = waiting.pop()
        found[one] = installed[one]
        for text in installed[one].requires or ():
            needed = Requirement(text)
            other = canonicalize_name(needed.name)
            wanted = any(
                needed.marker is None or needed.marker.evaluate({"extra": extra})
                for extra in ("", *extras.get(one, ()))
            )
            if not wanted or other not in installed:
                continue
            more = needed.extras - extras.setdefault(other, set())
            extras[other] |= more
            if other not in found or more:
                waiting.append(other)
    del found[canonicalize_name(name)]
    return [_component(found[key]) for key in sorted(found)]


def _component(one: Distribution) -> dict[str, Any]:
    name, version = one.metadata["Name"], one.version
    licence = str(one.metadata.json.get("license_expression") or one.metadata.json.get("license") or "")
    told = {"licenses": [{"license": {"name": licence.partition("\n")[0][:200]}}]} if licence else {}
    return {
        "type": "library",
        "name": name,
        "version": version,
        "purl": f"pkg:pypi/{canonicalize_name(name)}@{version}",
        **told,
    }


def bill_of_materials(name: str) -> dict[str, Any]:
    """Return the SBOM of an installed package, CycloneDX 1.5."""
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid4()}",
        "version": 1,
        "metadata": {
            "timestamp": datetime.now(UTC).isoformat(timespec="seconds"),
            "component": {"type": "application", "name": name, "version": distribution(name).version},
        },
        "components": components(name),
    }


def audit(lock: Path, out: Path) -> str:
    """Audit pinned packages into a file, and return in a sentence what came of it."""
    program = shutil.which("pip-audit")
    if program is None:
        return "not audited: pip-audit is not installed (pip install pip-audit)"
    command = [program, "--requirement", str(lock), "--no-deps", "--disable-pip", "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if not done.stdout.lstrip().startswith("{"):
        last = (done.stderr.strip().splitlines() or ["no output"])[-1]
        return f"not audited: pip-audit could not run ({last[:200]})"
    out.write_text(done.stdout)
    packages = json.loads(done.stdout)["dependencies"]
    holes = sum(len(one.get("vulns", ())) for one in packages)
    skipped = [one["name"] for one in packages if "skip_reason" in one]
    if holes == 0 and len(skipped) == len(packages):
        return "not audited: pip-audit knows none of the packages; its database cannot be reached"
    left_out = f"; {len(skipped)} of {len(packages)} packages not audited" if skipped else ""
    return f"audited: {holes} known vulnerabilities{left_out}, see {out}"


def main() -> int:
    """Write both; the exit code is 1 if the audit found something, or the release is not ready."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="a folder")
    parser.add_argument("--draft", action="store_true", help="go on though the release is not ready")
    options = parser.parse_args()
    out = options.out
    texts = [(ROOT / name).read_text(encoding="utf-8") for name in ("CHANGELOG.md", "conda/recipe.yaml")]
    missing = unready(distribution("sayso").version, *texts)
    print("\n".join(missing), file=sys.stderr, end="\n" if missing else "")
    if missing and not options.draft:
        return 1
    out.mkdir(parents=True, exist_ok=True)
    bill = bill_of_materials("sayso")
    (out / "sbom.json").write_text(json.dumps(bill, indent=1) + "\n")
    print(f"{out / 'sbom.json'}: {len(bill['components'])} packages")
    said = audit(ROOT / "constraints.txt", out / "audit.json")
    print(said)
    return int(said.startswith("audited") and not said.startswith("audited: 0"))


if __name__ == "__main__":
    sys.exit(main())
