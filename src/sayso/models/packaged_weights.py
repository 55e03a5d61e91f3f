"""Weight files that packages ship: where they lie, and that they are what they should be."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from sayso.core.errors import MissingExtra, Unavailable
from sayso.core.install import install_command
from sayso.core.io import sha256_of


def package_file(package: str, *parts: str) -> Path:
    """Return a path inside an installed package, without importing the package.

    Raises:
        MissingExtra: if the package is not installed.
    """
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise MissingExtra(package, "offline")
    return Path(spec.origin).parent.joinpath(*parts)


def verified(path: Path, sha256: str) -> Path:
    """Return ``path`` if the file has that SHA-256.

    Raises:
        Unavailable: if it is missing or another.
    """
    if not path.is_file():
        raise Unavailable(
            f"the weights {path} are missing; reinstall: {install_command('offline', again=True)}"
        )
    found = sha256_of(path)
    if found != sha256:
        raise Unavailable(
            f"the weights {path} are not the expected ones"
            f" (SHA-256 {found[:12]}..., expected {sha256[:12]}...);"
            f" reinstall: {install_command('offline', again=True)}"
        )
    return path
