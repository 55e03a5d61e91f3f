"""Options that several verbs take."""

from __future__ import annotations

from typing import Annotated

import typer

from sayso.core.progress import Mode

Device = Annotated[str, typer.Option("--device", help="Where the model runs: auto, cpu, cuda, mps.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON lines.")]
Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        help="Model: a hub id, a folder, 'offline', or 'auto'. See: sayso models.",
        show_default="auto",
    ),
]
ProgressMode = Annotated[Mode, typer.Option("--progress", help="Progress on stderr.")]
