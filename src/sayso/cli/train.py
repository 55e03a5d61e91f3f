"""``sayso train``: learn a joint embedding of clips and words from narrated videos."""

from __future__ import annotations

import json
import os
import sys
from enum import StrEnum
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sayso.cli.options import Device, ProgressMode
from sayso.core.errors import SaysoError

if TYPE_CHECKING:
    from torch import nn

    from sayso.data.corpus import Corpus

SOME_FAILED, INTERRUPTED = 3, 130


class Method(StrEnum):
    """The systems that train, and the modules that hold them."""

    mil_nce = "mil-nce"
    howto100m = "howto100m"
    localize = "localize"
    crosstask = "crosstask"


def train(
    method: Annotated[Method, typer.Argument(help="mil-nce: from pixels; howto100m: from features.")],
    corpus: Annotated[
        Path,
        typer.Argument(
            help="Folder of videos with captions, a manifest, HowTo100M's release, or .tar shards."
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="The run's folder.", show_default=False)],
    recipe: Annotated[Path | None, typer.Option("--recipe", "-r", help="A TOML file of options.")] = None,
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
            "--test", help="Manifest of captioned clips: measures every checkpoint, and finds the best."
        ),
    ] = None,
    show: Annotated[bool, typer.Option("--show-recipe", help="Print the recipe and stop.")] = False,
    device: Device = "auto",
    progress: ProgressMode = "auto",
) -> None:
    """Train; the run's folder is a model that --model takes.

    An interrupt saves the step under way; the same command with --resume goes on. For
    several processes: accelerate launch -m sayso train ...

    Examples:

      sayso train mil-nce ~/how-to --out runs/mine

      sayso train mil-nce ~/how-to --out runs/small --set size=96 --set width=0.5 --set steps=2000

      sayso index my.index ~/Videos --model runs/mine
    """
    from sayso.core.config import to_toml

    system = import_module(f"sayso.systems.{method.name}")
    chosen = _recipe(system.Recipe(), recipe, out / "config.toml" if resume else None, changes or [])
    if show:
        print(to_toml(chosen), end="")
        return
    done = _run(system, chosen, corpus, out, resume=resume, test=test, device=device, mode=progress)
    print(json.dumps({"folder": str(done.folder), "step": done.step, "failures": done.failures}))
    if done.interrupted:
        sys.exit(INTERRUPTED)
    if done.failures:
        sys.exit(SOME_FAILED)


def _recipe(default: Any, file: Path | None, resumed: Path | None, changes: list[str]) -> Any:
    """Return the recipe: the defaults, the file or what the run was begun with, the flags."""
    from sayso.core.config import read_recipe, with_flags

    file = file or (resumed if resumed and resumed.exists() else None)
    return with_flags(read_recipe(default, file) if file else default, changes)


def _run(
    system: Any,
    recipe: Any,
    corpus: Path,
    out: Path,
    *,
    resume: bool,
    test: Path | None,
    device: str,
    mode: Any,
) -> Any:
    from sayso.core.config import to_toml
    from sayso.core.progress import reporter
    from sayso.engine.train import Trainer

    _leave_cores(recipe.workers)
    with reporter("training", unit="steps", mode=mode) as bar:
        read = getattr(system, "read", None) or partial(_narrated, system)
        data = read(corpus, recipe, bar)
        method = system.make(recipe, data, out, bar)
        score = None if test is None else getattr(system, "score", _retrieval)(method, test)
        trainer = Trainer(
            method,
            method.examples(data),
            recipe,
            out,
            config=to_toml(recipe),
            device=device,
            score=score,
            progress=bar,
        )
        return trainer.train(resume=resume)


def _narrated(system: Any, path: Path, recipe: Any, bar: Any) -> Corpus:
    """Return narrated videos: what systems learn from that bring no ``read`` of their own."""
    from sayso.data import read_corpus

    corpus: Corpus = read_corpus(path, progress=bar, **system.reading(recipe))
    bar.message(f"{len(corpus):,} videos, {corpus.captions:,} captions, {len(corpus.missing):,} missing")
    if not corpus.captions:
        raise SaysoError(f"{path} holds no video with captions beside it; see: sayso train --help")
    return corpus


def _leave_cores(workers: int | None) -> None:
    """Leave cores to the decoding threads that were asked for: torch slows down where it shares one."""
    import torch

    from sayso.core.device import cores

    if workers and "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(max(1, cores() - workers))


def _retrieval(method: Any, manifest: Path) -> Any:
    """Return what measures a model: retrieval of the manifest's clips by their captions."""
    from sayso.evaluation.clip_retrieval import CLIP_RETRIEVAL, read_clips

    read_clips(manifest)  # what is wrong with it is told before training

    def score(model: nn.Module) -> dict[str, float]:
        ranks: dict[str, Any] = dict(CLIP_RETRIEVAL(method.export(model), manifest).rows["text to clip"])
        return {"R@10": ranks.pop("R@10"), **ranks}

    return score
