"""Options that several verbs take: each means and looks the same in all of them.

``--out`` is a folder, a file or the beginning of several files' names; each verb's help says which:

    out: Annotated[Path, out_option("FOLDER", "The run's folder.")],
    out: Annotated[Path | None, out_option("FILE", "Write the result to this file, as JSON.")] = None,
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import typer

from sayso.core.progress import Mode

Device = Annotated[str, typer.Option("--device", help="Where the model runs: auto, cpu, cuda, mps.")]
Paths0 = Annotated[bool, typer.Option("--paths0", help="As --paths, exactly, a NUL after each: xargs -0.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON, one object a line.")]
Overwrite = Annotated[
    bool,
    typer.Option("--overwrite", help="Write over files that sayso did not write, or that were edited since."),
]
Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        help="Model: a hub id, a folder, 'offline', or 'auto'. See: sayso models.",
        show_default="auto",
    ),
]
EngineName = Annotated[
    Literal["here", "ray"],
    typer.Option(
        "--engine",
        help="Where the work is done: here, or on a Ray cluster, whose machines must see the files.",
    ),
]
ClusterAddress = Annotated[
    str | None,
    typer.Option(
        "--address", help="The Ray cluster, such as auto or ray://host:10001.", show_default="its own"
    ),
]
ProgressMode = Annotated[Mode, typer.Option("--progress", help="Progress on stderr.")]
IndexAddress = Annotated[
    str, typer.Argument(metavar="INDEX", help="The index: a folder, or s3://bucket/name.", show_default=False)
]


def out_option(
    what: Literal["FOLDER", "FILE", "PREFIX"], text: str, *, show_default: str | bool = False
) -> Any:
    """Return the option ``--out`` / ``-o`` of a verb.

    Args:
        what: what it names; ``PREFIX`` is the beginning of several files' names.
        text: the help: what is written there.
        show_default: what the help says is taken without it.
    """
    return typer.Option("--out", "-o", metavar=what, help=text, show_default=show_default)


def check_cluster(engine: Literal["here", "ray"], cluster: str | None) -> None:
    """Refuse the address of a cluster where none is to work."""
    if cluster and engine != "ray":
        raise typer.BadParameter("it is of a Ray cluster: add --engine ray", param_hint="--address")
