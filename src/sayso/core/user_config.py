"""The file in which a person keeps defaults for the command: where it is, and what it says."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

from sayso.core.errors import SaysoError

VARIABLE = "SAYSO_CONFIG"


def user_config_file() -> Path | None:
    """Return where the file is looked for: SAYSO_CONFIG (nowhere if that is empty), else below the home.

    ``~/.config/sayso/config.toml``, or below XDG_CONFIG_HOME.
    """
    named = os.environ.get(VARIABLE)
    if named is not None:
        return Path(named).expanduser() if named else None
    above = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")  # noqa: PTH111  may be nowhere
    return Path(above, "sayso", "config.toml")


def has_user_config() -> bool:
    """Tell whether there is such a file, or should be."""
    path = user_config_file()
    return path is not None and bool(os.environ.get(VARIABLE) or path.exists())


def read_user_config() -> dict[str, Any]:
    """Return what the file says; nothing if there is none.

    Raises:
        SaysoError: if it cannot be read, or SAYSO_CONFIG names one that is not there.
    """
    path = user_config_file()
    if path is None or not has_user_config():
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        why = error.strerror or str(error)
    except ValueError as error:  # no TOML, no UTF-8
        why = str(error)
    raise SaysoError(
        f"the configuration {path} cannot be read: {why}; mend it, or set {VARIABLE}= to do without"
    )
