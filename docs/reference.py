"""Write ``cli.md`` and the manual page ``sayso.1`` beside this file, made from the command itself."""

from __future__ import annotations

from pathlib import Path

import typer
from manual import man_page
from typer.testing import CliRunner

from sayso.cli.main import app

HEAD = "# The command line\n\nWritten by `make docs` from the command itself.\n"


def reference() -> str:
    """Return the page: the help of the program, of every verb and of its stages."""
    command = typer.main.get_command(app)
    verbs = [[]]
    for name, verb in getattr(command, "commands", {}).items():
        verbs += [[name], *([name, stage] for stage in getattr(verb, "commands", {}))]
    parts = [HEAD]
    for verb in verbs:
        result = CliRunner().invoke(app, [*verb, "--help"], prog_name="sayso", env={"COLUMNS": "100"})
        parts.append(f"## {' '.join(['sayso', *verb])}\n\n```\n{result.stdout.strip()}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    Path(__file__).with_name("cli.md").write_text(reference(), encoding="utf-8")
    Path(__file__).with_name("sayso.1").write_text(man_page(), encoding="utf-8")
