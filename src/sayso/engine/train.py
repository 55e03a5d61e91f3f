"""One training loop for all systems: accelerate, gradient caching, checkpoints, a log.

A system gives a ``Method`` (``engine.system``): what to learn from, and the loss. The loop gives
it batches, on one process or several, and keeps what it learns. All random numbers follow from the
seed, the step and the process, and the data from the seed and the step: so a run that was
killed goes on from its last checkpoint as if nothing had been.
"""

from __future__ import annotations

import contextlib
import logging
import math
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from sayso.core.errors import SaysoError
from sayso.core.progress import Progress, Silent
from sayso.data.loader import Loader
from sayso.data.manifest import Failure
from sayso.engine.checkpoint import STATE, Checkpoints
from sayso.engine.gradients import add_gradients
from sayso.engine.metrics_log import MetricsLog
from sayso.engine.signals import stop_asked
from sayso.engine.train_state import TrainState

if TYPE_CHECKING:
    from sayso.data.batch import Batch
    from sayso.engine.system import Method, Savable
    from sayso.engine.training_config import TrainingConfig

log = logging.getLogger(__name__)

Score = Callable[["Savable"], Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Trained:
    """What training ended with.

    Args:
        folder: of the last step; a model that ``sayso.load`` takes.
        step: its number.
        failures: what could not be used, each once, with the reason.
        interrupted: whether it was asked to stop before the last step.
        scores: what was measured at the last step; empty if nothing was.
    """

    folder: Path
    step: int
    failures: tuple[Failure, ...]
    interrupted: bool
    scores: Mapping[str, float]

    def summary(self) -> str:
        """Return a line for people: the folder, the step, what was measured."""
        scores = "".join(f", {name} {value:.4g}" for name, value in self.scores.items())
        return f"{self.folder}: step {self.step:,}{scores}"

    def to_dict(self) -> dict[str, Any]:
        """Return the fields, ready for JSON."""
        return {
            "folder": str(self.folder),
            "step": self.step,
            "failures": [failure.to_dict() for failure in self.failures],
            "interrupted": self.interrupted,
            "scores": dict(self.scores),
        }


class Trainer:
    """Trains a method into a run's folder.

    Args:
        method: what learns.
        config: how.
        folder: the run's.
        recipe: what to keep as ``config.toml``.
        device: ``auto``, ``cpu``, ``cuda``, ...
        score: measures what was learned, as it would be used, at every checkpoint; its first number,
            the larger the better, decides which checkpoint is the best.
        progress: what to report to.

    Raises:
        MissingExtra: if accelerate is not installed.
        SaysoError: if the batch does not divide among the processes.
    """

    def __init__(
        self,
        method: Method,
        config: TrainingConfig,
        folder: Path,
        *,
        recipe: str = "",
        device: str = "auto",
        score: Score | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.method, self.config, self.score, self.recipe = method, config, score, recipe
        self.state = TrainState(
            method.model,
            config,
            device,
            criterion=method.criterion,
            lr_multipliers=method.lr_multipliers,
            no_weight_decay=method.no_weight_decay,
        )
        self.accelerator = self.state.accelerator
        self.progress = progress if progress and self._main else Silent()
        self.checkpoints = Checkpoints(folder, config.save_total_limit)
        self.scores: Mapping[str, float] = {}
        self.step = 0

    def train(self, *, resume: bool = False) -> Trained:
        """Train to the last step, from the last checkpoint if ``resume``.

        An interrupt (SIGINT, SIGTERM) ends it after the update under way, with a checkpoint.

        Raises:
            SaysoError: if the folder holds a run already and this does not resume it, or the
                other way round; if the loss is no number.
        """
        locked = self.checkpoints.locked() if self.accelerator.is_main_process else contextlib.nullcontext()
        with locked:
            if self._main and resume:
                self.checkpoints.set_damaged_aside()
            self.accelerator.wait_for_everyone()
            position = self._begin(resume)
            folder = self.checkpoints.folder
            with stop_asked() as asked:
                metrics = MetricsLog(folder, self.step, self._main)
                return self._run(self._loader(position), metrics, asked)

    @property
    def _main(self) -> bool:
        return bool(self.accelerator.is_main_process)

    def _begin(self, resume: bool) -> dict[str, Any] | None:
        """Load the last checkpoint; return where the data stood, None at the very beginning."""
        steps, folder = self.checkpoints.steps(), self.checkpoints.folder
        self.accelerator.wait_for_everyone()
        if steps and not resume:
            raise SaysoError(
                f"{folder} holds a run at step {steps[-1]}; add --resume to go on with it,"
                " or give another --out"
            )
        if self._main and not steps:
            self.checkpoints.keep_recipe(self.recipe)
        if not steps:
            return None
        self.step = steps[-1]
        if self._main and (changed := self.checkpoints.changed(self.recipe)):
            told = "from step %d on the recipe is not that of %s: %s"
            log.warning(told, self.step, folder / "config.toml", "; ".join(changed))
        self.state.load_state_dict(self.checkpoints.at(self.step) / STATE, folder / "config.toml")
        noted = self.checkpoints.data(self.step)
        self.scores = noted["scores"]
        position: dict[str, Any] = noted["loader"]
        return position

    def _loader(self, position: dict[str, Any] | None) -> Loader:
        world = self.accelerator.num_processes
        if self.config.batch_size % world:
            raise SaysoError(f"a batch of {self.config.batch_size} does not divide among {world} processes")
        return Loader(
            self.method.dataset,
            self.config.batch_size // world,
            collate=self.method.collate,
            seed=self.config.seed,
            workers=self.config.workers,
            rank=self.accelerator.process_index,
            world_size=world,
            state=position,
        )

    def _run(self, loader: Loader, metrics: MetricsLog, asked: threading.Event) -> Trained:
        self.state.model.train()
        losses: list[dict[str, Tensor]] = []
        batches = iter(loader)
        while self.step < self.config.steps and not self._anywhere(asked.is_set()):
            losses.append(self._update(batches))
            self.step += 1
            last = self.step == self.config.steps
            if last or self.step % self.config.log_every == 0:
                self._report(losses, loader, metrics)
                losses = []
            if last or self.step % self.config.save_every == 0:
                self._save(loader)
        if self.step not in self.checkpoints.steps():
            self._save(loader)
        self.accelerator.wait_for_everyone()
        return Trained(
            self.checkpoints.at(self.step),
            self.step,
            tuple(loader.failures),
            self.step < self.config.steps,
            self.scores,
        )

    def _anywhere(self, asked: bool) -> bool:
        """Tell whether any process was asked to stop, so that all stop after the same step."""
        if self.accelerator.num_processes == 1:
            return asked
        flag = torch.tensor(float(asked), device=self.accelerator.device)
        return bool(self.accelerator.reduce(flag, "sum").item())

    def _update(self, batches: Iterator[Batch]) -> dict[str, Tensor]:
        """Change the weights once; return the loss, and its parts by name if there are several."""
        world, rank = self.accelerator.num_processes, self.accelerator.process_index
        torch.manual_seed((self.config.seed * 1_000_003 + self.step) * world + rank)
        losses = add_gradients(self.method, self.state, batches)
        self.state.update(self.config.lr_at(self.step), self.method.after_update)
        return losses

    def _report(self, losses: list[dict[str, Tensor]], loader: Loader, metrics: MetricsLog) -> None:
        """Write a line of metrics and the progress.

        Raises:
            SaysoError: if the loss is no number.
        """
        means = {name: torch.stack([one[name] for one in losses]).mean() for name in losses[0]}
        values = {name: float(self.accelerator.reduce(v, "mean").item()) for name, v in means.items()}
        loss = values.pop("loss")
        more = {name: self._mean(value) for name, value in self.method.metrics().items()}
        speeds = _speeds(loader, self.accelerator.num_processes)
        metrics.write(
            {
                "step": self.step,
                "epoch": loader.epoch,
                "loss": loss,
                **{f"loss_{name}": value for name, value in values.items()},
                **more,
                "lr": self.config.lr_at(self.step - 1),
                **speeds,
            }
        )
        note = "{examples_per_s:.0f}/s (model {model_per_s:.0f}, loader {loader_per_s:.0f})".format(**speeds)
        self.progress.update(self.step, self.config.steps, f"loss {loss:.4f}, {note}")
        if not math.isfinite(loss):
            raise SaysoError(
                f"the loss became {loss} before step {self.step}; lower lr, or set clip_norm; "
                f"the last checkpoint is in {self.checkpoints.folder}"
            )

    def _mean(self, value: float) -> float:
        """Return the mean over the processes."""
        if self.accelerator.num_processes == 1:
            return value
        mean: Tensor = self.accelerator.reduce(torch.tensor(value, device=self.accelerator.device), "mean")
        return float(mean.item())

    def _save(self, loader: Loader) -> None:
        """Measure and write a checkpoint; the first process does it, the others wait."""
        if self._main:
            with self.state.exported() as model:
                model.eval()
                self.scores = self.score(self.method.export(model, "")) if self.score else {}
                done = self.method.export(model, self._card())
                model.train()
            position = {"loader": loader.state(), "scores": dict(self.scores)}
            primary = next(iter(self.scores.values()), None)
            self.checkpoints.save(self.step, lambda folder: self._write(folder, done), position, primary)
            if self.scores:
                log.info("step %s: %s", f"{self.step:,}", _spelled(self.scores, ", "))
        self.accelerator.wait_for_everyone()

    def _write(self, folder: Path, done: Savable) -> None:
        done.save_pretrained(folder)
        try:
            torch.save(self.state.state_dict(), folder / STATE)
        except RuntimeError as error:  # a full disk, which is no OSError here
            place = self.checkpoints.folder
            raise SaysoError(
                f"{place} cannot be written, the disk may be full; make room: {error}"
            ) from error

    def _card(self) -> str:
        measured = f" {_spelled(self.scores, '. ')}." if self.scores else ""
        recipe = f"\n\n```toml\n{self.recipe}```" if self.recipe else ""
        return f"Trained with sayso for {self.step:,} of {self.config.steps:,} steps.{measured}{recipe}"


def _spelled(scores: Mapping[str, float], between: str) -> str:
    return between.join(f"{name} {value:.4g}" for name, value in scores.items())


def _speeds(loader: Loader, world: int) -> dict[str, float]:
    """Return examples a second, of all processes: in all, of the model alone, of the loader alone."""
    rate = loader.rate()
    learning_s = max(rate.elapsed_s - rate.waited_s, 1e-9)
    return {
        "examples_per_s": round(rate.examples_per_s * world, 2),
        "model_per_s": round(rate.examples * world / learning_s, 2),
        "loader_per_s": round(rate.capacity_per_s * world, 2),
        "waiting": round(rate.waiting, 3),
    }
