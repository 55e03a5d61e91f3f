"""Each command in README, in the pages and in the help is one that the program takes.

Those that set something up, or run a file of this project, name what is there.
"""

from __future__ import annotations

import re
import tomllib

import pytest
import typer

from pages import ROOT, every_command, parts
from sayso.cli.main import app

COMMANDS = every_command()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PROGRAM = typer.main.get_command(app)
TARGETS = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("source", COMMANDS)
def test_every_command_is_spelt_as_the_program_takes_it(source):
    for line in COMMANDS[source]:
        for part in parts(line):
            spelt(*part.words)


def spelt(name, *words):
    """Parse a command; nothing runs."""
    match name:
        case "sayso":
            parsed(PROGRAM, PROGRAM.make_context(name, list(words)))
        case "xargs":
            spelt(*words[words.index("sayso") :], "FILE")
        case "make":
            assert set(words) <= set(TARGETS), words
        case "pip" | "uv" | "pipx":
            assert "install" in words[:2]
            wanted = re.fullmatch(r"(?:\.|sayso)\[(.+)\]", words[-1])[1].split(",")
            assert set(wanted) <= set(PROJECT["optional-dependencies"]), words
        case "python":
            source = (ROOT / words[0]).read_text(encoding="utf-8")
            assert all(f'"{word}"' in source for word in words if word.startswith("--")), words
        case _:
            assert name in ("ray", "docker"), name


def parsed(command, context):
    """Parse what is left for a verb, and for its stage, as the program would; nothing runs."""
    words = [*context._protected_args, *context.args]
    name, verb, rest = command.resolve_command(context, words)
    inner = verb.make_context(name, rest, parent=context)
    if hasattr(verb, "commands"):
        parsed(verb, inner)
