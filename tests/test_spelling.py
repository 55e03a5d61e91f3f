"""Each command in README and in the pages is one that the program takes: its verb and its options."""

from __future__ import annotations

import re
import shlex

import pytest
import typer

from pages import ROOT, fenced_commands
from sayso.cli.main import app

EVERY_PAGE = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md"))
    if path.name != "cli.md"
)


@pytest.mark.parametrize("page", [page for page in EVERY_PAGE if fenced_commands(page)])
def test_every_command_of_a_page_is_spelt_as_the_program_takes_it(page):
    program = typer.main.get_command(app)
    for line in fenced_commands(page):
        for part in re.split(r" \| (?=sayso )", line):
            name, *words = shlex.split(part)
            if name == "sayso":
                context = program.make_context("sayso", words)
                parsed(program, context)


def parsed(command, context):
    """Parse what is left for a verb, and for its stage, as the program would; nothing runs."""
    words = [*context._protected_args, *context.args]
    name, verb, rest = command.resolve_command(context, words)
    inner = verb.make_context(name, rest, parent=context)
    if hasattr(verb, "commands"):
        parsed(verb, inner)
