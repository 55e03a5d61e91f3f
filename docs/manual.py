"""The manual page ``sayso.1``, made from the command itself; ``docs/reference.py`` writes it."""

from __future__ import annotations

import re
from typing import Any

import typer

from sayso.cli.main import app

DESCRIPTION = """\
sayso finds the moment in your own videos and pictures by typing, offline, and learns to see from what people
say about pictures and videos: tags, captions, narration, scripts."""
EXIT_STATUS = (
    ("0", "all done"),
    ("1", "an error, in one sentence"),
    ("2", "wrong usage"),
    ("3", "done, but some items failed; they are listed"),
    ("4", "a package or a model is missing"),
    ("130", "interrupted; the same command goes on"),
)


def man_page() -> str:
    """Return the page in man's own language: every verb, every stage, every option."""
    command = typer.main.get_command(app)
    lines = ['.TH SAYSO 1 "" "sayso" "User Commands"', ".SH NAME"]
    lines += [r"sayso \- find the moment in your own videos and pictures by typing"]
    lines += [".SH SYNOPSIS", ".B sayso", r"[\fIoptions\fR] \fIverb\fR ...", ".SH DESCRIPTION"]
    lines += [escaped(DESCRIPTION), ".SH OPTIONS", *option_lines(command), ".SH VERBS"]
    for name, verb in getattr(command, "commands", {}).items():
        lines += verb_lines([name], verb)
        for stage, inner in getattr(verb, "commands", {}).items():
            lines += verb_lines([name, stage], inner)
    lines.append(".SH EXIT STATUS")
    for code, meaning in EXIT_STATUS:
        lines += [".TP", rf"\fB{code}\fR", escaped(meaning)]
    return "\n".join(lines) + "\n"


def verb_lines(names: list[str], verb: Any) -> list[str]:
    """Return the section of a verb: how it is called, what it does, its options."""
    given = [one for one in verb.params if one.param_type_name == "argument" and not one.hidden]
    arguments = [one.metavar or str(one.name).upper() for one in given]
    lines = [f".SS {escaped(' '.join(['sayso', *names, *arguments]))}"]
    for paragraph in re.split(r"\n\s*\n", (verb.help or "").strip()):
        lines += [".PP", escaped(" ".join(paragraph.split()))]
    return lines + option_lines(verb)


def option_lines(verb: Any) -> list[str]:
    """Return the options of a verb, each with its help."""
    lines = []
    for option in verb.params:
        if option.param_type_name == "option" and not option.hidden:
            value = "" if option.is_flag else f" {option.metavar or 'VALUE'}"
            spelt = ", ".join([*option.opts, *option.secondary_opts])
            default = f" [{option.show_default}]" if isinstance(option.show_default, str) else ""
            lines += [".TP", rf"\fB{escaped(spelt)}\fR{escaped(value)}", escaped(f"{option.help}{default}")]
    return lines


def escaped(text: str) -> str:
    """Return a text whose backslashes, hyphens and leading dots mean themselves."""
    plain = text.replace("\\", r"\e").replace("-", r"\-")
    return re.sub(r"^(?=[.'])", r"\\&", plain, flags=re.MULTILINE)
