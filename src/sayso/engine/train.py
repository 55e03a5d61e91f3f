"""One training loop for all systems: accelerate, gradient caching, checkpoints, a log.

A system gives a ``Method``: a model that embeds, and the loss of its embeddings. The loop gives
it batches, on one process or several, and keeps what it learns. All chance follows from the
seed, the step and the process, and the data from the seed and the step: so a run that was
killed goes on from its last checkpoint as if nothing had been.
"""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor, nn

from sayso.core.errors import SaysoError
from sayso.core.progress import Progress, Silent
from sayso.data.loader import Loader
from sayso.engine.checkpoint import Run
from sayso.engine.gradient_cache import Embeddings, cached_backward
from sayso.engine.metrics_log import Log
from sayso.engine.signals import stop_asked
from sayso.engine.train_state import Learner
from sayso.engine.training_config import Training

if TYPE_CHECKING:
    from sayso.data.batch import Batch, Dataset


class Method(Protocol):
    """What a system is to the training loop.

    It may also have ``rates``: factors on the learning rate, by the beginning of parameters' names.
    """

    model: nn.Module  # tensors of B rows -> a tuple of embeddings of B rows

    def inputs(self, batch: Batch) -> tuple[Tensor, ...]:
        """Return the model's inputs, tensors of B rows on the CPU."""

    def loss(self, embeddings: Embeddings, batch: Batch) -> Tensor:
        """Return the mean loss of this process's rows, against the rows of all processes."""

    def save(self, folder: Path, model: nn.Module, about: str) -> None:
        """Write an encoder that ``sayso.load`` takes, with the weights of ``model``.

        ``about`` tells how it was trained, in Markdown, for the model card.
        """


@dataclass(frozen=True, slots=True)
class Trained:
    """What training ended with: the step's folder, its number, how many videos could not be read."""

    folder: Path
    step: int
    failures: int
    interrupted: bool


Score = Callable[[nn.Module], dict[str, float]]  # the first number is what "best" means


class Trainer:
    """Trains a method into a run's folder.

    Args:
        method: what learns.
        dataset: what it learns from.
        options: how.
        folder: the run's.
        config: what to keep as ``config.toml``.
        device: ``auto``, ``cpu``, ``cuda``, ...
        score: measures a model at every checkpoint; its first number, the larger the better,
            decides which checkpoint is the best.
        progress: what to report to.

    Raises:
        MissingExtra: if accelerate is not installed.
        SaysoError: if the batch does not divide among the processes.
    """

    def __init__(
        self,
        method: Method,
        dataset: Dataset,
        options: Training,
        folder: Path,
        *,
        config: str = "",
        device: str = "auto",
        score: Score | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.method, self.dataset, self.options, self.score = method, dataset, options, score
        self.learner = Learner(method.model, options, device, getattr(method, "rates", None))
        self.accelerator = self.learner.accelerator
        self.progress = progress if progress and self._main else Silent()
        self.run = Run(folder, options.keep)
        self.config = config
        self.step = 0

    def train(self, *, resume: bool = False) -> Trained:
        """Train to the last step, from the last checkpoint if ``resume``.

        An interrupt (SIGINT, SIGTERM) ends it after the update under way, with a checkpoint.

        Raises:
            SaysoError: if the folder holds a run already and this does not resume it, or the
                other way round; if the loss is no number.
        """
        with self.run.locked() if self.accelerator.is_main_process else contextlib.nullcontext():
            self.accelerator.wait_for_everyone()
            state = self._begin(resume)
            with stop_asked() as asked, Log(self.run.folder, self.step, self._main) as log:
                loader = self._loader(state)
                return self._run(loader, log, asked)

    @property
    def _main(self) -> bool:
        return bool(self.accelerator.is_main_process)

    def _begin(self, resume: bool) -> dict[str, Any] | None:
        """Load the last checkpoint; return where the data stood, None at the very beginning."""
        steps = self.run.steps()
        self.accelerator.wait_for_everyone()
        if steps and not resume:
            raise SaysoError(
                f"{self.run.folder} holds a run at step {steps[-1]}; add --resume to go on with it,"
                " or give another --out"
            )
        if self._main and not steps:
            (self.run.folder / "config.toml").write_text(self.config, encoding="utf-8")
        if not steps:
            return None
        self.step = steps[-1]
        self.learner.restore(self.run.at(self.step) / "state.pt", self.run.folder / "config.toml")
        data: dict[str, Any] = self.run.data(self.step)["loader"]
        return data

    def _loader(self, state: dict[str, Any] | None) -> Loader:
        world = self.accelerator.num_processes
        if self.options.batch_size % world:
            raise SaysoError(f"a batch of {self.options.batch_size} does not divide among {world} processes")
        return Loader(
            self.dataset,
            self.options.batch_size // world,
            seed=self.options.seed,
            workers=self.options.workers,
            rank=self.accelerator.process_index,
            world_size=world,
            state=state,
        )

    def _run(self, loader: Loader, log: Log, asked: threading.Event) -> Trained:
        self.learner.model.train()
        losses: list[Tensor] = []
        batches = iter(loader)
        while self.step < self.options.steps and not self._anywhere(asked.is_set()):
            losses.append(self._update(batches))
            self.step += 1
            last = self.step == self.options.steps
            if last or self.step % self.options.log_every == 0:
                self._tell(losses, loader, log)
                losses = []
            if last or self.step % self.options.save_every == 0:
                self._save(loader)
        if self.step not in self.run.steps():
            self._save(loader)
        self.accelerator.wait_for_everyone()
        interrupted = self.step < self.options.steps
        return Trained(self.run.at(self.step), self.step, len(loader.failures), interrupted)

    def _anywhere(self, asked: bool) -> bool:
        """Tell whether any process was asked to stop, so that all stop after the same step."""
        if self.accelerator.num_processes == 1:
            return asked
        flag = torch.tensor(float(asked), device=self.accelerator.device)
        return bool(self.accelerator.reduce(flag, "sum").item())

    def _update(self, batches: Iterator[Batch]) -> Tensor:
        """Change the weights once; return the loss."""
        world, rank = self.accelerator.num_processes, self.accelerator.process_index
        torch.manual_seed((self.options.seed * 1_000_003 + self.step) * world + rank)
        total = torch.zeros((), device=self.accelerator.device)
        for number in range(self.options.accumulate):
            apart = number < self.options.accumulate - 1
            with self.learner.no_sync() if apart else contextlib.nullcontext():
                total += self._backward(next(batches)) / self.options.accumulate
        self.learner.update(self.options.rate(self.step))
        return total

    def _backward(self, batch: Batch) -> Tensor:
        """Add a batch's gradient; return its loss."""
        inputs = tuple(tensor.to(self.accelerator.device) for tensor in self.method.inputs(batch))
        share = 1 / self.options.accumulate
        rows = len(batch)
        if not 0 < self.options.chunk < rows:
            loss = self.method.loss(self.learner.model(*inputs), batch)
            self.accelerator.backward(loss * share)
            return loss.detach()
        return cached_backward(
            self.learner.model,
            inputs,
            lambda embeddings: self.method.loss(embeddings, batch),
            chunk=self.options.chunk,
            backward=lambda value: self.accelerator.backward(value * share),
            no_sync=self.learner.no_sync,
        )

    def _tell(self, losses: list[Tensor], loader: Loader, log: Log) -> None:
        """Write a line of the log and the progress.

        Raises:
            SaysoError: if the loss is no number.
        """
        mean = torch.stack(losses).mean()
        loss = float(self.accelerator.reduce(mean, "mean").item())
        rate = loader.rate()
        world = self.accelerator.num_processes
        learning_s = max(rate.elapsed_s - rate.waited_s, 1e-9)
        line = {
            "step": self.step,
            "epoch": loader.epoch,
            "loss": loss,
            "lr": self.options.rate(self.step - 1),
            "examples_per_s": round(rate.examples_per_s * world, 2),
            "model_per_s": round(rate.examples * world / learning_s, 2),
            "loader_per_s": round(rate.capacity_per_s * world, 2),
            "waiting": round(rate.waiting, 3),
        }
        log.write(line)
        speeds = "{examples_per_s:.0f}/s (model {model_per_s:.0f}, loader {loader_per_s:.0f})".format(**line)
        self.progress.update(self.step, self.options.steps, f"loss {loss:.4f}, {speeds}")
        if not math.isfinite(loss):
            raise SaysoError(
                f"the loss became {loss} before step {self.step}; lower lr, or set clip_norm; "
                f"the last checkpoint is in {self.run.folder}"
            )

    def _save(self, loader: Loader) -> None:
        """Write a checkpoint; the first process does it, the others wait."""
        if self._main:
            model = self.learner.best_model
            scores = self._measure(model)

            def write(folder: Path) -> None:
                self.method.save(folder, model, self._about(scores))
                torch.save(self.learner.state(), folder / "state.pt")

            data = {"loader": loader.state(), "scores": scores}
            self.run.save(self.step, write, data, next(iter(scores.values()), None))
            if scores:
                told = ", ".join(f"{name} {value:.4g}" for name, value in scores.items())
                self.progress.message(f"step {self.step:,}: {told}")
        self.accelerator.wait_for_everyone()

    def _about(self, scores: dict[str, float]) -> str:
        told = "".join(f" {name} {value:.4g}." for name, value in scores.items())
        recipe = f"\n\n```toml\n{self.config}```" if self.config else ""
        return f"Trained with sayso for {self.step:,} of {self.options.steps:,} steps.{told}{recipe}"

    def _measure(self, model: nn.Module) -> dict[str, float]:
        if self.score is None:
            return {}
        model.eval()
        try:
            return self.score(model)
        finally:
            model.train()
