"""Commands in the pages of this project, and in the help of the command."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md"))
    if path.name != "cli.md"
)
PROGRAMS = ("sayso", "make", "pip", "uv", "pipx", "python", "ray", "docker")
_COMMAND = re.compile(rf"({'|'.join(PROGRAMS)})\s")

NEEDS = {  # what a command needs that a test has not -> which commands; these are not run, but parsed
    "a set-up of its own": r"(make|pip|uv|pipx) ",
    "somebody who ends it": r"sayso (serve|watch|lecture 1)",
    "a site of the internet": r"sayso corpus (run titles.txt --out CORPUS( --retry.*)?$|find .*youtube)",
    "a model of the hub": r".*(openai/|google/|models/clip|pull smollm2|--model small)",
    "published weights": r".*(s3d_howto100m|models/mil-nce)",
    "a public data set": r".*(VOCdevkit|SETS|YouCook2|crosstask_release|RELEASE --model runs/mine|DIR)",
    "a cluster": r"(ray|.*(--engine ray|SLURM))",
    "an object store": r".*s3://",
    "packages of real pictures": r"sayso demo",
    "minutes to hours, and a test of its own": r"(python (bench|examples)|sayso evaluate step-discovery)",
    "xargs": r".*xargs",
    "an id of one's own index, or a file that the page saved": r".*(3f2a9c-4|sayso-results)",
}


@dataclass(frozen=True)
class Part:
    """A command of a line's pipe: its words, and the files after ``<``, ``>`` and ``>>``."""

    words: tuple[str, ...]
    reads: tuple[str, ...]
    writes: tuple[str, ...]


def parts(line: str) -> list[Part]:
    """Split a line as a shell would: at its pipes, and what is read and written from the words."""
    reading = shlex.shlex(line, posix=True, punctuation_chars="<>|")
    reading.whitespace_split, reading.commenters = True, ""
    found: list[dict[str, list[str]]] = [{"words": [], "<": [], ">": []}]
    into = "words"
    for word in reading:
        if word == "|":
            found.append({"words": [], "<": [], ">": []})
        elif word in ("<", ">", ">>"):
            into = word[0]
        else:
            found[-1][into].append(word)
            into = "words"
    return [Part(tuple(one["words"]), tuple(one["<"]), tuple(one[">"])) for one in found]


def needed(line: str) -> str:
    """Return what a command needs that is not here, or nothing."""
    return next((what for what, pattern in NEEDS.items() if re.match(pattern, line)), "")


def every_command() -> dict[str, list[str]]:
    """Return the commands of each page, and of the help of each verb."""
    found = {page: fenced_commands(page) for page in PAGES} | help_examples()
    return {source: lines for source, lines in found.items() if lines}


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
