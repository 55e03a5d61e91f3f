"""``sayso pull``: a model of the hub into a folder that can be carried away."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def pull(
    name: Annotated[str, typer.Argument(help="A hub id; see: sayso models.")],
    to: Annotated[Path, typer.Option("--to", help="A new folder.", show_default=False)],
) -> None:
    """Copy a model of the hub into a folder, fetching it if need be.

    On a machine without a network, give the folder as --model.

    Examples:

      sayso pull openai/clip-vit-base-patch32 --to ~/models/clip

      sayso --offline index my.index ~/Videos --model ~/models/clip
    """
    from sayso.hub import pull as pull_model

    size = pull_model(name, to)
    print(f"{to}: {size / 10**6:,.0f} MB; use it with --model {to}")
