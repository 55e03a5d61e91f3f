"""A model under training: its weights, their average, the optimizer, on one process or several."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from sayso.core.device import resolve_device
from sayso.core.errors import SaysoError
from sayso.core.lazy import need

if TYPE_CHECKING:
    from accelerate import Accelerator

    from sayso.engine.training_config import Training


class Learner:
    """What an update changes.

    Args:
        model: what learns; parameters that do not require gradients stay as they are.
        options: how.
        device: ``auto``, ``cpu``, ``cuda``, ...
        rates: factors on the learning rate, by the beginning of parameters' names; 1 for the others.

    Raises:
        MissingExtra: if accelerate is not installed.
    """

    def __init__(
        self,
        model: nn.Module,
        options: Training,
        device: str = "auto",
        rates: Mapping[str, float] | None = None,
    ) -> None:
        self.options = options
        self.accelerator = _accelerator(options, device)
        if self.accelerator.num_processes > 1 and self.accelerator.device.type == "cuda":
            model = nn.SyncBatchNorm.convert_sync_batchnorm(model)  # type: ignore[no-untyped-call]
        self.bare = model
        self.average = _average(model.to(self.accelerator.device), options.ema)
        self.model, self.optimizer = self.accelerator.prepare(model, _optimizer(model, options, rates or {}))

    @property
    def best_model(self) -> nn.Module:
        """The model to use: the averaged one, if there is an average."""
        return self.bare if self.average is None else self.average.module

    def no_sync(self) -> AbstractContextManager[None]:
        """Keep gradients to this process, for all backward passes of an update but the last."""
        context: AbstractContextManager[None] = self.accelerator.no_sync(self.model)
        return context

    def update(self, lr: float) -> None:
        """Change the weights by the gradients there are, and forget these."""
        for group in self.optimizer.param_groups:
            group["lr"] = lr * group["rate"]
        if self.options.clip_norm:
            self.accelerator.clip_grad_norm_(self.model.parameters(), self.options.clip_norm)
        self.optimizer.step()
        self.optimizer.zero_grad()
        if self.average is not None:
            self.average.update_parameters(self.bare)

    def state(self) -> dict[str, Any]:
        """Return all that updates change; weights that do not learn are left out."""
        scaler = self.accelerator.scaler
        return {
            "model": {
                name: value for name, value in self.bare.state_dict().items() if name not in self._frozen
            },
            "optimizer": self.optimizer.state_dict(),
            "average": self.average.state_dict() if self.average is not None else None,
            "scaler": scaler.state_dict() if scaler is not None else None,
        }

    def restore(self, path: Path, recipe: Path) -> None:
        """Take over what ``state`` returned.

        Raises:
            SaysoError: if it is of another model; ``recipe`` is where its own is.
        """
        state = torch.load(path, map_location=self.accelerator.device, weights_only=True)
        try:
            missing, unknown = self.bare.load_state_dict(state["model"], strict=False)
            differing = [*unknown, *(name for name in missing if name not in self._frozen)]
            if (self.average is None) != (state["average"] is None):
                differing.append("ema")
            self.optimizer.load_state_dict(state["optimizer"])
        except (RuntimeError, ValueError) as error:
            differing = [" ".join(str(error).split())]
        if differing:
            raise SaysoError(
                f"{path} is of another model (differing: {', '.join(differing[:5])});"
                f" resume with its recipe, {recipe}"
            )
        if self.average is not None:
            self.average.load_state_dict(state["average"])
        if self.accelerator.scaler is not None and state["scaler"]:
            self.accelerator.scaler.load_state_dict(state["scaler"])

    @property
    def _frozen(self) -> set[str]:
        return {name for name, parameter in self.bare.named_parameters() if not parameter.requires_grad}


def _accelerator(options: Training, device: str) -> Accelerator:
    need("accelerate", "train")
    from accelerate import Accelerator

    return Accelerator(
        mixed_precision=options.precision,
        cpu=resolve_device(device).type == "cpu",
    )


def _optimizer(model: nn.Module, options: Training, rates: Mapping[str, float]) -> torch.optim.Optimizer:
    """Return the optimizer; weights of one dimension (biases, norms) do not decay."""
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            rate = next((factor for start, factor in rates.items() if name.startswith(start)), 1.0)
            decay = options.weight_decay if parameter.ndim > 1 else 0.0
            groups.setdefault((rate, decay), []).append(parameter)
    told = [{"params": group, "weight_decay": decay, "rate": rate} for (rate, decay), group in groups.items()]
    if options.optimizer == "sgd":
        return torch.optim.SGD(told, lr=options.lr, momentum=0.9)
    return torch.optim.AdamW(told, lr=options.lr, fused=True)


def _average(model: nn.Module, decay: float) -> torch.optim.swa_utils.AveragedModel | None:
    if not decay:
        return None
    average = torch.optim.swa_utils.get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
    return torch.optim.swa_utils.AveragedModel(model, multi_avg_fn=average, use_buffers=True)
