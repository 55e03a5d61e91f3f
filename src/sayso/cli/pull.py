"""``sayso pull``: a model of the hub into a folder that can be carried away."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import Annotated

import typer
from typer import BadParameter

from sayso.cli.options import Json, out_option
from sayso.cli.output import print_json, print_lines


def pull(
    name: Annotated[
        str, typer.Argument(help="A hub id, or 'smollm2'; see: sayso models.", show_default=False)
    ],
    out: Annotated[
        Path | None, out_option("FOLDER", "A new model folder; only 'smollm2' needs none: it has a place.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Copy a model of the hub into a folder, fetching it if need be.

    The copy holds reference outputs, so that loading it notices damage. On a machine without
    a network, give the folder as --model.

    Examples:

      sayso pull openai/clip-vit-base-patch32 --out ~/models/clip

      sayso --offline index my.index ~/Videos --model ~/models/clip

      sayso pull smollm2
    """
    from sayso.hub import pull as pull_model

    if name == "smollm2" and out is None:
        return _language_model(as_json)
    if out is None:
        raise BadParameter("name a new folder: --out FOLDER")
    size = pull_model(name, out)
    if as_json:
        print_json({"name": name, "path": str(out), "size_bytes": size})
    else:
        print_lines([f"{out}: {size / 10**6:,.0f} MB; use it with --model {quote(str(out))}"])
    return None


def _language_model(as_json: bool) -> None:
    """Install and convert the language model that Flamingo and LLaVA are trained on."""
    from sayso.generators.smollm2 import SMOLLM2, install_smollm2

    folder = install_smollm2()
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    if as_json:
        print_json({"name": SMOLLM2, "path": str(folder), "size_bytes": size})
    else:
        print_lines([f"{folder}: {size / 10**6:,.0f} MB; sayso train flamingo and sayso train llava use it"])
