"""Training a system in one call: what ``sayso train`` calls too."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from sayso.core.config import changed, read_recipe, to_toml
from sayso.core.device import cores
from sayso.core.errors import SaysoError, UsageError, nothing_at
from sayso.core.ownership import claim_folder, writing_as
from sayso.core.progress import Silent
from sayso.data.manifest import Failure
from sayso.engine.recipes import recipe_path, shipped_recipes
from sayso.engine.system import SYSTEMS
from sayso.engine.train import Trained, Trainer
from sayso.evaluation.registry import EVALUATORS

if TYPE_CHECKING:
    from sayso.core.progress import Progress
    from sayso.engine.system import AnySystem, Savable
    from sayso.engine.train import Score
    from sayso.engine.training_config import TrainingConfig


def train(
    system: str | AnySystem,
    data: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    recipe: str | os.PathLike[str] | TrainingConfig | None = None,
    resume: bool = False,
    test: str | os.PathLike[str] | None = None,
    device: str = "auto",
    progress: Progress | None = None,
    **changes: Any,
) -> Trained:
    """Train a system into a run's folder, which ``sayso.load`` takes.

    An interrupt (SIGINT, SIGTERM) ends it after the update under way, with a checkpoint; the same call with
    ``resume=True`` goes on, exactly as if it had not been stopped. For several processes, start a program
    that makes this call with ``accelerate launch``. Broken and missing records are left out and listed in the
    result.

    Args:
        system: a name, such as ``mil-nce`` or that of a package outside (``sayso.engine.system.SYSTEMS``);
            or the system itself.
        data: what it learns from: a folder, a manifest, a release; see the system.
        out: the run's folder.
        recipe: options: the name of a shipped recipe, a TOML file, or the recipe itself; the system's
            defaults unless given, or those of the run that is resumed.
        resume: go on from the last checkpoint in ``out``.
        test: what every checkpoint is measured on, with the system's evaluator, to find the best.
        device: ``auto``, ``cpu``, ``cuda``, ...
        progress: what to report to.
        changes: single options, such as ``steps=100``; they go before the recipe.

    Raises:
        SaysoError: if there is no such system, option or data, or the folder holds another run.
        MissingExtra: if a package that it needs is not installed.

    Examples:
        ``sayso.train("mil-nce", "~/how-to", "runs/mine", steps=2000, width=0.5)``
    """
    found = SYSTEMS[system] if isinstance(system, str) else system
    folder, progress = Path(out).expanduser(), progress or Silent()
    chosen = recipe_of(found, recipe, changes, resumed=folder if resume else None)
    score = None if test is None else _score(found, Path(test).expanduser())
    _leave_cores(chosen.workers)
    read = found.read(Path(data).expanduser(), chosen, progress)
    with writing_as("train"):
        claim_folder(folder, "train")
        method, text = found.build(chosen, read, folder, progress), to_toml(chosen)
        trainer = Trainer(method, chosen, folder, recipe=text, device=device, score=score, progress=progress)
        done = trainer.train(resume=resume)
    return replace(done, failures=(*_left_out(read), *done.failures))


def _left_out(read: Any) -> Iterator[Failure]:
    """Give what of the data is broken, or listed and not there."""
    failures = list(getattr(read, "failures", ()))
    yield from failures
    known = {failure.path for failure in failures}
    for one in getattr(read, "missing", ()):
        name, why = (one, "is listed, but is not there") if isinstance(one, str) else one
        if name not in known:
            yield Failure(name, "missing", why)


def recipe_of(
    system: str | AnySystem,
    recipe: str | os.PathLike[str] | TrainingConfig | None = None,
    changes: Mapping[str, Any] | None = None,
    *,
    resumed: Path | None = None,
) -> TrainingConfig:
    """Return the options of a run.

    Args:
        system: whose; as of ``train``.
        recipe: name of a shipped recipe, a TOML file, or a recipe.
        changes: single options, which go before it.
        resumed: the folder of a run whose recipe is taken where none is named.

    Raises:
        SaysoError: if there is no such recipe, or an option is unknown or of the wrong type.
    """
    system = SYSTEMS[system] if isinstance(system, str) else system
    default = cast("TrainingConfig", system.recipe())
    if recipe is None and resumed is not None and (resumed / "config.toml").exists():
        recipe = resumed / "config.toml"
    if isinstance(recipe, str | os.PathLike):
        default = read_recipe(default, recipe_path(recipe))
    elif recipe is not None:
        default = recipe
    return changed(default, changes or {}, where=f"the recipe of {system.name}")


def systems_and_recipes() -> list[dict[str, str]]:
    """Return what can be trained: every system of the registry, and every recipe in the package."""
    rows = [("system", name, _description(name)) for name in SYSTEMS]
    rows += [("recipe", name, recipe.about) for name, recipe in shipped_recipes().items()]
    return [{"kind": kind, "name": name, "description": text} for kind, name, text in rows]


def _description(name: str) -> str:
    """Return what a system learns from what; why, if it is another package's and cannot be imported."""
    try:
        return SYSTEMS[name].description
    except SaysoError as error:
        return str(error)


def _score(system: AnySystem, data: Path) -> Score:
    """Return what measures a model on some data, with the system's evaluator.

    Raises:
        SaysoError: if the system has none, or there is no such data.
    """
    if system.evaluator is None:
        name = system.name if system.name in EVALUATORS else "EVALUATOR"
        raise UsageError(
            f"{system.name} takes no --test; measure the run with: sayso evaluate {name} --model RUN"
        )
    if not data.exists():
        raise SaysoError(nothing_at(data, f"name {EVALUATORS[system.evaluator].data}"))
    evaluator = EVALUATORS[system.evaluator]

    def score(model: Savable) -> dict[str, float]:
        result = evaluator(model, data)
        rows = list(result.rows.values())
        row = result.rows.get("mean") or (rows[0] if rows else {})
        primary, value = result.primary, result.primary.value
        rank = float("-inf") if value is None else value if primary.greater_is_better else -value
        name = primary.key if primary.greater_is_better else f"-{primary.key}"
        others = {key: row.get(key) for key in result.columns if key != primary.key}
        return {name: rank} | {key: float(v) for key, v in others.items() if v is not None}

    return score


def _leave_cores(workers: int | None) -> None:
    """Leave cores to the loader's threads that were asked for: torch slows down where it shares one."""
    import torch

    if workers and "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(max(1, cores() - workers))
