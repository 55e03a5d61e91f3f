"""The options of ``sayso evaluate``: how to measure."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, BadParameter, Option

from sayso.cli.options import out_option

Target = Annotated[str | None, Argument(help="An evaluator of --list, or a file of one's own.")]
Data = Annotated[Path | None, Option("--data", help="What to measure on, mostly a folder.")]
Listed = Annotated[bool, Option("--list", help="List the evaluators, and end.")]
Windows = Annotated[int | None, Option("--windows", min=1, help="Windows a clip.")]
Images = Annotated[Path | None, Option("--images", help="Folder of the pictures.")]
Features = Annotated[Path | None, Option("--features", help="<video id>.npy, (T, D), a row a second.")]
Seeds = Annotated[
    str | None, Option("--seeds", metavar="N|LIST", help="Random repetitions to average: 3, or 42,43,44.")
]
Shots = Annotated[str | None, Option("--shots", metavar="LIST", help="Examples in a prompt: 0,4,8.")]
Rices = Annotated[bool, Option("--rices", help="Take the most similar examples, not random ones.")]
Orders = Annotated[int | None, Option("--permutations", min=1, help="Orders of the examples to average.")]
Predictions = Annotated[
    Path | None, Option("--predictions", metavar="FOLDER", help="Write the answers as benchmarks take them.")
]
Names = Annotated[Path | None, Option("--names", help="Names of the classes: a line each, or JSON.")]
Templates = Annotated[Path | None, Option("--templates", help="Sentences with {c} for the name; as --names.")]
Out = Annotated[Path | None, out_option("FILE", "Write the result with what made it to this file, as JSON.")]


def seed_list(text: str | None) -> tuple[int, ...] | None:
    """Return which seeds are meant: ``3`` is the first three, ``42,43`` are those, ``42,`` is that one.

    Raises:
        BadParameter: if it is no such list.
    """
    numbers = number_list(text, "--seeds")
    if numbers is None or text is None or "," in text:
        return numbers
    if numbers[0] < 1:
        raise BadParameter(f"{text} seeds are too few", param_hint="--seeds")
    return tuple(range(numbers[0]))


def number_list(text: str | None, option: str) -> tuple[int, ...] | None:
    """Return the numbers, 0 or more, in a list such as ``0,4,8``; None for None.

    Args:
        text: the list.
        option: whose value it is.

    Raises:
        BadParameter: if it is no such list.
    """
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts or not all(part.isdecimal() for part in parts):
        raise BadParameter(f"{text!r} is no list of numbers such as 0,4,8", param_hint=option)
    return tuple(map(int, parts))
