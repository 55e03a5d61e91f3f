"""``sayso train``: train a system into a run's folder, which is a model that --model takes."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sayso.cli.exit_codes import INTERRUPTED, SOME_FAILED
from sayso.cli.options import Device, Json, ProgressMode, out_option
from sayso.core.errors import SaysoError

if TYPE_CHECKING:
    from sayso.engine.train import Trained


def train(
    system: Annotated[
        str | None, typer.Argument(help="What to train; --list shows all.", show_default=False)
    ] = None,
    data: Annotated[
        Path | None,
        typer.Argument(
            help="What it learns from: narrated videos (a folder with captions beside them, a manifest, "
            "HowTo100M's release, .tar shards), tagged pictures, CrossTask's release; see docs/systems.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[Path | None, out_option("FOLDER", "The run's folder.")] = None,
    recipe: Annotated[
        str | None,
        typer.Option("--recipe", "-r", help="Name of a shipped recipe, or a TOML file.", show_default=False),
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set", "-s", metavar="KEY=VALUE", help="One option; may be repeated; goes before the recipe."
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint.")] = False,
    test: Annotated[
        Path | None,
        typer.Option(
            "--test",
            help="Data on which every checkpoint is measured, to find the best: a manifest of captioned "
            "clips, or tagged pictures for localize; crosstask takes none.",
            show_default=False,
        ),
    ] = None,
    show_recipe: Annotated[bool, typer.Option("--show-recipe", help="Print the recipe and stop.")] = False,
    list_all: Annotated[bool, typer.Option("--list", help="List systems and recipes, and stop.")] = False,
    device: Device = "auto",
    as_json: Json = False,
    progress: ProgressMode = "auto",
) -> None:
    """Train; the run's folder is a model that --model takes.

    An interrupt saves the step under way; the same command with --resume goes on. For
    several processes: accelerate launch -m sayso train ...

    Examples:

      sayso train --list

      sayso train mil-nce ~/how-to --out runs/mine

      sayso train mil-nce ~/how-to --out runs/small --set size=96 --set width=0.5 --set steps=2000

      sayso index my.index ~/Videos --model runs/mine
    """
    if list_all:
        _list(as_json)
        return
    if system is None:
        raise typer.BadParameter("name a system; sayso train --list shows all", param_hint="SYSTEM")
    from sayso.core.config import to_toml, with_flags
    from sayso.core.progress import reporter
    from sayso.engine.system import SYSTEMS
    from sayso.training import recipe_of
    from sayso.training import train as run

    found = SYSTEMS[system]
    chosen = with_flags(recipe_of(found, recipe, resumed=out if resume else None), changes or [])
    if show_recipe:
        print(to_toml(chosen), end="")
        return
    if data is None or out is None:
        raise typer.BadParameter("name what to learn from, and the run's folder: DATA --out FOLDER")
    with reporter("training", unit="steps", mode=progress) as bar:
        done = run(found, data, out, recipe=chosen, resume=resume, test=test, device=device, progress=bar)
    _print(done, as_json)


def _list(as_json: bool) -> None:
    """Print every system of the registry, and the recipes in the package."""
    from sayso.engine.recipes import shipped_recipes
    from sayso.engine.system import SYSTEMS

    rows = [("system", name, _description(name)) for name in SYSTEMS]
    rows += [("recipe", name, recipe.about) for name, recipe in shipped_recipes().items()]
    for kind, name, description in rows:
        if as_json:
            print(json.dumps({"kind": kind, "name": name, "description": description}))
        else:
            print(f"{kind}  {name:16}  {description}")


def _description(name: str) -> str:
    """Return what a system learns from what; why, if it is another package's and cannot be imported."""
    from sayso.engine.system import SYSTEMS

    try:
        return SYSTEMS[name].description
    except SaysoError as error:
        return str(error)


def _print(done: Trained, as_json: bool) -> None:
    """Print what training ended with, and exit with its code."""
    if as_json:
        print(json.dumps(done.to_dict()))
    else:
        scores = "".join(f", {name} {value:.4g}" for name, value in done.scores.items())
        print(f"{done.folder}: step {done.step:,}{scores}")
    for failure in done.failures:
        print(f"{failure.path}: {failure.error}", file=sys.stderr)
    if done.interrupted:
        sys.exit(INTERRUPTED)
    if done.failures:
        sys.exit(SOME_FAILED)
