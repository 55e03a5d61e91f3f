"""How more of sayso is installed: from where this copy of it came."""

from __future__ import annotations

import json
from functools import cache
from importlib import metadata
from pathlib import Path

NAME = "sayso"


def install_command(extra: str, *, again: bool = False) -> str:
    """Return the command that installs an extra.

    It names the checkout or the address that this copy of sayso came from. The plain name stands in it
    only where an index gave this copy, so that no stranger's package of that name is ever advised.

    Args:
        extra: of sayso.
        again: whether packages that are there are installed anew, because a file of theirs is damaged.
    """
    return f"pip install {'--force-reinstall ' if again else ''}{_requirement(extra)}"


def _requirement(extra: str) -> str:
    folder = _checkout(Path(__file__))
    if folder is not None:
        return f"'{'.' if folder == Path.cwd() else folder}[{extra}]'"
    address = _address(_direct_url())
    return f"'{NAME}[{extra}] @ {address}'" if address else f"'{NAME}[{extra}]'"


def _checkout(module: Path) -> Path | None:
    """Return the folder of the source tree that a module of this package is in, if it is in one."""
    root = module.resolve().parents[3]
    project = root / "pyproject.toml"
    try:
        return root if f'name = "{NAME}"' in project.read_text(encoding="utf-8") else None
    except OSError:
        return None


def _address(direct: dict[str, object]) -> str:
    """Return the address that pip noted (PEP 610), as a requirement names it; "" if it noted none."""
    url, version = str(direct.get("url") or ""), direct.get("vcs_info")
    if url and isinstance(version, dict):
        return f"{version.get('vcs', 'git')}+{url}@{version.get('commit_id', 'HEAD')}"
    return url


@cache
def _direct_url() -> dict[str, object]:
    try:
        text = metadata.distribution(NAME).read_text("direct_url.json")
    except metadata.PackageNotFoundError:
        return {}
    noted = json.loads(text or "{}")
    return noted if isinstance(noted, dict) else {}
