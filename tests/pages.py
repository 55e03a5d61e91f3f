"""Commands in the pages of this project, and in the help of the command."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PROGRAMS = ("sayso", "make", "pip", "uv", "pipx", "python", "ray", "docker")
_COMMAND = re.compile(rf"({'|'.join(PROGRAMS)})\s")


def fenced_commands(page: str) -> list[str]:
    """Return the commands in the blocks of a page that are no Python, no TOML and no output.

    Args:
        page: its path in the repository.
    """
    text = (ROOT / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    shell = "".join(block for language, block in blocks if language in ("", "console", "bash", "sh"))
    lines = shell.replace("\\\n", " ").replace(" && ", "\n").splitlines()
    found = [re.sub(r"\s+#.*", "", line).removeprefix("$ ").strip() for line in lines]
    return [line for line in found if _COMMAND.match(line)]


def help_examples() -> dict[str, list[str]]:
    """Return the commands that the help of each verb shows, which docs/cli.md repeats."""
    import typer

    from sayso.cli.main import app

    found = {}
    for name, verb in _verbs(typer.main.get_command(app), "sayso"):
        paragraphs = [" ".join(one.split()) for one in re.split(r"\n\s*\n", verb.help or "")]
        lines = "\n".join(paragraphs).replace(" && ", "\n").splitlines()
        examples = [line for line in lines if line.startswith("sayso ")]
        if examples:
            found[name] = examples
    return found


def _verbs(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    yield name, command
    for part, inner in getattr(command, "commands", {}).items():
        yield from _verbs(inner, f"{name} {part}")
