"""``sayso pull``: a model of the hub into a folder that can be carried away."""

from __future__ import annotations

import json
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from sayso.cli.options import Json, out_option


def pull(
    name: Annotated[str, typer.Argument(help="A hub id; see: sayso models.", show_default=False)],
    out: Annotated[Path, out_option("FOLDER", "A new model folder.")],
    as_json: Json = False,
) -> None:
    """Copy a model of the hub into a folder, fetching it if need be.

    The copy holds reference outputs, so that loading it notices damage. On a machine without
    a network, give the folder as --model.

    Examples:

      sayso pull openai/clip-vit-base-patch32 --out ~/models/clip

      sayso --offline index my.index ~/Videos --model ~/models/clip
    """
    from sayso.hub import pull as pull_model

    size = pull_model(name, out)
    if as_json:
        print(json.dumps({"name": name, "path": str(out), "size_bytes": size}, ensure_ascii=False))
    else:
        print(f"{out}: {size / 10**6:,.0f} MB; use it with --model {quote(str(out))}")
