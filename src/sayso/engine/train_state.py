"""What an update changes: weights, their average, the optimizer, on one process or several."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, distributed, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from sayso.core.device import resolve_device
from sayso.core.distributed import processes
from sayso.core.errors import SaysoError
from sayso.core.lazy import need
from sayso.hub.restricted_pickle import read_tensors

if TYPE_CHECKING:
    from accelerate import Accelerator

    from sayso.engine.training_config import TrainingConfig


class TrainState:
    """A model under training, and what its loss learns.

    Args:
        model: what learns; parameters that do not require gradients stay as they are.
        config: how.
        device: ``auto``, ``cpu``, ``cuda``, ...
        criterion: parameters of the loss, which every process holds as they are.
        lr_multipliers: factors on the learning rate, by the beginning of parameters' names, those of
            the criterion with ``criterion.`` before; 1 for the others.
        no_weight_decay: beginnings of such names that do not decay, besides biases, norms and numbers.

    Raises:
        MissingExtra: if accelerate is not installed.
    """

    def __init__(
        self,
        model: nn.Module,
        config: TrainingConfig,
        device: str = "auto",
        *,
        criterion: nn.Module | None = None,
        lr_multipliers: Mapping[str, float] | None = None,
        no_weight_decay: Sequence[str] = (),
    ) -> None:
        self.config = config
        self.accelerator = _accelerator(config, device)
        if self.accelerator.num_processes > 1 and self.accelerator.device.type == "cuda":
            model = nn.SyncBatchNorm.convert_sync_batchnorm(model)  # type: ignore[no-untyped-call]
        self.bare = model.to(self.device)
        self.criterion = criterion.to(self.device) if criterion is not None else nn.Module()
        self.average = _average(self.bare, config.ema)
        learned = any(True for _ in self.criterion.parameters())
        self.criterion_average = _average(self.criterion, config.ema) if learned else None
        self._same_criterion_everywhere()
        optimizer = _optimizer(
            dict(self._named_parameters()), config, lr_multipliers or {}, tuple(no_weight_decay)
        )
        self.model, self.optimizer = self.accelerator.prepare(model, optimizer)

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        device: torch.device = self.accelerator.device
        return device

    @contextlib.contextmanager
    def exported(self) -> Iterator[nn.Module]:
        """Give the model to use, the average if there is one; the criterion then holds its average too."""
        if self.average is None or self.criterion_average is None:
            yield self.bare if self.average is None else self.average.module
            return
        learning = {name: value.clone() for name, value in self.criterion.state_dict().items()}
        self.criterion.load_state_dict(self.criterion_average.module.state_dict())
        try:
            yield self.average.module
        finally:
            self.criterion.load_state_dict(learning)

    def no_sync(self) -> AbstractContextManager[None]:
        """Keep gradients to this process, for all backward passes of an update but the last."""
        context: AbstractContextManager[None] = self.accelerator.no_sync(self.model)
        return context

    def backward(self, loss: Tensor) -> None:
        """Add the gradient of a loss, scaled where the precision needs it."""
        self.accelerator.backward(loss)

    def scale_gradients(self, factor: Tensor) -> None:
        """Multiply all gradients by a number."""
        for _, parameter in self._named_parameters():
            if parameter.grad is not None:
                parameter.grad.mul_(factor.to(parameter.grad.dtype))

    def update(self, lr: float, after: Callable[[], None] = lambda: None) -> None:
        """Change the weights by the gradients there are, and forget these.

        Args:
            lr: the learning rate.
            after: changes them once more, before they count in their average.
        """
        self._share_criterion_gradients()
        for group in self.optimizer.param_groups:
            group["lr"] = lr * group["lr_multiplier"]
        if self.config.clip_norm:
            everything = [parameter for _, parameter in self._named_parameters()]
            self.accelerator.clip_grad_norm_(everything, self.config.clip_norm)
        self.optimizer.step()
        self.optimizer.zero_grad()
        after()
        if self.average is not None:
            self.average.update_parameters(self.bare)
        if self.criterion_average is not None:
            self.criterion_average.update_parameters(self.criterion)

    def state_dict(self) -> dict[str, Any]:
        """Return all that updates change; weights that do not learn are left out."""
        scaler = self.accelerator.scaler
        averages = (self.average, self.criterion_average)
        return {
            "model": {
                name: value for name, value in self.bare.state_dict().items() if name not in self._frozen
            },
            "criterion": self.criterion.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "averages": [average.state_dict() for average in averages if average is not None],
            "scaler": scaler.state_dict() if scaler is not None else None,
        }

    def load_state_dict(self, path: Path, recipe: Path) -> None:
        """Take over what ``state_dict`` returned, from a file.

        Args:
            path: the file.
            recipe: where the recipe of the run is that wrote it.

        Raises:
            SaysoError: if it cannot be read, or is of another model.
        """
        try:
            state = read_tensors(path, "the state of training", device=self.device)
        except SaysoError as error:
            raise SaysoError(f"{error}; remove {path.parent} to go on from before it") from error
        differing = self._differing(state)
        if differing:
            raise SaysoError(
                f"{path} is of another model (differing: {', '.join(differing[:5])});"
                f" resume with its recipe, {recipe}"
            )
        for average, saved in zip((self.average, self.criterion_average), state["averages"], strict=False):
            if average is not None:
                average.load_state_dict(saved)
        if self.accelerator.scaler is not None and state["scaler"]:
            self.accelerator.scaler.load_state_dict(state["scaler"])

    def _differing(self, state: Mapping[str, Any]) -> list[str]:
        """Load weights and optimizer; return what does not fit."""
        try:
            missing, unknown = self.bare.load_state_dict(state["model"], strict=False)
            differing = [*unknown, *(name for name in missing if name not in self._frozen)]
            if (self.average is None) != (not state["averages"]):
                differing.append("ema")
            self.criterion.load_state_dict(state["criterion"])
            self.optimizer.load_state_dict(state["optimizer"])
        except (RuntimeError, ValueError, KeyError) as error:
            return [" ".join(str(error).split())]
        return differing

    @property
    def _frozen(self) -> set[str]:
        return {name for name, parameter in self.bare.named_parameters() if not parameter.requires_grad}

    def _named_parameters(self) -> Iterator[tuple[str, nn.Parameter]]:
        yield from self.bare.named_parameters()
        yield from ((f"criterion.{name}", value) for name, value in self.criterion.named_parameters())

    def _same_criterion_everywhere(self) -> None:
        """Begin with the first process's criterion, as several processes do with its model."""
        if processes() > 1:
            for value in self.criterion.state_dict().values():
                distributed.broadcast(value, 0)

    def _share_criterion_gradients(self) -> None:
        """Take the mean over the processes, as it is taken of the model's gradients."""
        if processes() == 1:
            return
        for parameter in self.criterion.parameters():
            if parameter.requires_grad:
                gradient = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
                distributed.all_reduce(gradient)
                parameter.grad = gradient / processes()


def _accelerator(config: TrainingConfig, device: str) -> Accelerator:
    need("accelerate", "train")
    from accelerate import Accelerator
    from accelerate.state import AcceleratorState

    AcceleratorState._reset_state()  # who trained in this process before may have had another precision
    return Accelerator(mixed_precision=config.precision, cpu=resolve_device(device).type == "cpu")


def _optimizer(
    parameters: Mapping[str, nn.Parameter],
    config: TrainingConfig,
    lr_multipliers: Mapping[str, float],
    no_weight_decay: tuple[str, ...] = (),
) -> torch.optim.Optimizer:
    """Return the optimizer; weights of one dimension (biases, norms) or none do not decay."""
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in parameters.items():
        if parameter.requires_grad:
            factor = next((f for start, f in lr_multipliers.items() if name.startswith(start)), 1.0)
            decays = parameter.ndim > 1 and not name.startswith(no_weight_decay)
            decay = config.weight_decay if decays else 0.0
            groups.setdefault((factor, decay), []).append(parameter)
    split = [
        {"params": group, "weight_decay": decay, "lr_multiplier": factor}
        for (factor, decay), group in groups.items()
    ]
    if config.optimizer == "sgd":
        return torch.optim.SGD(split, lr=config.lr, momentum=config.momentum)
    kind = torch.optim.Adam if config.optimizer == "adam" else torch.optim.AdamW
    beta1, beta2 = config.betas
    return kind(split, lr=config.lr, betas=(beta1, beta2), eps=config.eps, fused=True)


def _average(model: nn.Module, decay: float) -> AveragedModel | None:
    if not decay:
        return None
    average = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
    return AveragedModel(model, multi_avg_fn=average, use_buffers=True)
