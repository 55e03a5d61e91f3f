"""``sayso train``: train a system into a run's folder, which is a model that --model takes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, BadParameter, Option

from sayso.cli.options import Device, Json, ProgressMode, out_option
from sayso.cli.output import end_with, print_json, print_lines
from sayso.core.lazy import need
from sayso.core.progress import reporter

SYSTEM = "What to train; --list shows all."
DATA = (
    "What it learns from: narrated videos (a folder with captions beside them, a manifest, "
    "HowTo100M's release, .tar shards), captioned pictures (a folder, COCO's captions, .tar shards, what "
    "curate kept), dialogues about pictures, tagged pictures, CrossTask's release; see docs/systems."
)
RECIPE = "Name of a shipped recipe, or a TOML file."
SET = "One option; may be repeated; goes before the recipe."
INIT = (
    "A model to go on from. clip: a folder or a hub id; its network and tokenizer are taken. llava: a folder"
    " or a run, of the first stage."
)
TEST = (
    "Data on which every checkpoint is measured, to find the best: a manifest of captioned "
    "clips; captioned pictures for clip, flamingo, llava; tagged pictures for localize; none for crosstask."
)


def train(
    system: Annotated[str | None, Argument(help=SYSTEM, show_default=False)] = None,
    data: Annotated[Path | None, Argument(help=DATA, show_default=False)] = None,
    out: Annotated[Path | None, out_option("FOLDER", "The run's folder.")] = None,
    recipe: Annotated[str | None, Option("--recipe", "-r", help=RECIPE, show_default=False)] = None,
    changes: Annotated[list[str] | None, Option("--set", "-s", metavar="KEY=VALUE", help=SET)] = None,
    init: Annotated[str | None, Option("--init", help=INIT, show_default=False)] = None,
    resume: Annotated[bool, Option("--resume", help="Go on from the last checkpoint.")] = False,
    test: Annotated[Path | None, Option("--test", help=TEST, show_default=False)] = None,
    show_recipe: Annotated[bool, Option("--show-recipe", help="Print the recipe and stop.")] = False,
    list_all: Annotated[bool, Option("--list", help="List systems and recipes, and stop.")] = False,
    device: Device = "auto",
    as_json: Json = False,
    progress: ProgressMode = "auto",
) -> None:
    """Train; the run's folder is a model that --model takes.

    An interrupt saves the step under way; the same command with --resume goes on. For
    several processes: accelerate launch -m sayso train ... Records of the data that are broken,
    or whose files are missing, are left out and listed, and the exit code is then 3.

    Examples:

      sayso train --list

      sayso train mil-nce ~/how-to --out runs/mine

      sayso train mil-nce ~/how-to --out runs/small --set size=96 --set width=0.5 --set steps=2000

      sayso train clip captions.json --out runs/pictures --recipe lit --test test.json

      sayso index my.index ~/Videos --model runs/mine
    """
    need("torch", "train")
    from sayso import training
    from sayso.core.config import to_toml, with_flags

    if list_all:
        rows = training.systems_and_recipes()
        table = (f"{row['kind']}  {row['name']:16}  {row['description']}" for row in rows)
        return print_json(*rows) if as_json else print_lines(table)
    if system is None:
        raise BadParameter("name a system; sayso train --list shows all", param_hint="SYSTEM")
    flags = [*(changes or []), *([f"init={init}"] if init else [])]
    chosen = with_flags(training.recipe_of(system, recipe, resumed=out if resume else None), flags)
    if show_recipe:
        return print(to_toml(chosen), end="")
    if data is None or out is None:
        raise BadParameter("name what to learn from, and the run's folder: DATA --out FOLDER")
    with reporter("training", unit="steps", mode=progress) as bar:
        done = training.train(
            system, data, out, recipe=chosen, resume=resume, test=test, device=device, progress=bar
        )
    print_json(done.to_dict()) if as_json else print_lines([done.summary()])
    return end_with((f"{x.path}: {x.error}" for x in done.failures), interrupted=done.interrupted, shown=20)
