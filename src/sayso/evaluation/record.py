"""What made a result: the command, the date, the commit, the machine and the model."""

from __future__ import annotations

import json
import os
import platform
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sayso.core.io import write_atomic
from sayso.version import __version__

_IDENTITY = ("name", "sha256", "dim")


def record(model: Any, result: dict[str, Any]) -> dict[str, Any]:
    """Return a result together with what made it, as JSON can hold it.

    Args:
        model: what was measured, with its ``name`` and ``sha256``; None where no model is.
        result: as ``EvaluationResult.to_dict`` returns it.
    """
    return {
        **result,
        "model": None if model is None else {key: getattr(model, key, None) for key in _IDENTITY},
        "command": shlex.join([_program(), *sys.argv[1:]]),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "sayso": __version__,
        "commit": commit(),
        "machine": {
            "system": platform.platform(),
            "processor": _processor(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
        },
    }


def write_record(path: Path, made: dict[str, Any]) -> None:
    """Write what ``record`` returned to a file, as JSON.

    Raises:
        SaysoError: if it cannot be written.
    """
    write_atomic(path, json.dumps(made, indent=2, ensure_ascii=False) + "\n")


def commit() -> str | None:
    """Return the git commit of the checkout that sayso runs from, with a + if files differ; else None."""
    try:
        head = _git("rev-parse", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.SubprocessError):
        return None
    return head + ("+" if changed else "")


def _git(*arguments: str) -> str:
    """Run git in the folder of this file and return what it prints."""
    here = Path(__file__).parent
    done = subprocess.run(
        ["git", *arguments], cwd=here, capture_output=True, text=True, timeout=10, check=True
    )
    return done.stdout.strip()


def _program() -> str:
    """Return the name of the running program; ``python -m sayso`` is ``sayso``."""
    name = Path(sys.argv[0]).name
    return "sayso" if name == "__main__.py" else name


def _processor() -> str:
    """Return the name of the processor, as well as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
