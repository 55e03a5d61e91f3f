"""What a system that trains is: the contract between systems, the trainer, the command line and tests.

A ``System`` reads what people have and builds a ``Method``; the method says what to learn from and how one
update is computed; ``engine.train.Trainer`` does the rest. A new system is one object of this shape:

    class Pairs(EmbeddingMethod): ...         model, dataset, collate, embed, loss, export
    class PairsSystem: ...                    name, description, recipe, evaluator, read, build
    SYSTEM = PairsSystem()

found under ``sayso.systems`` by name; a package outside declares it in its ``pyproject.toml``:

    [project.entry-points."sayso.systems"]
    pairs = "my_package.pairs:SYSTEM"

Then ``sayso train pairs DATA --out RUN`` and ``sayso.train("pairs", DATA, RUN)`` train it, with checkpoints,
exact resume, gradient caching, several processes and measured steps; no line of this package changes.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast, runtime_checkable

from sayso.core.registry import Registry
from sayso.data.batch import Batch, Dataset, Example, stack
from sayso.engine.training_config import TrainingConfig

if TYPE_CHECKING:
    from torch import Tensor, nn

    from sayso.core.progress import Progress
    from sayso.engine.gradient_cache import EmbeddingTensors
    from sayso.engine.tensor_batch import TensorBatch

R = TypeVar("R", bound=TrainingConfig)
D = TypeVar("D")


class Savable(Protocol):
    """A trained thing that can be used: an encoder, a localizer, a step classifier ..."""

    def save_pretrained(self, folder: Path) -> object:
        """Write a model folder, which ``sayso.load`` takes."""


class MethodBase(Protocol):
    """What all methods have in common; see ``EmbeddingMethod`` and ``LossesMethod``, the two kinds.

    Attributes:
        model: what learns; parameters that do not require gradients stay as they are. Several processes
            share it through its ``forward``, so call ``model(...)``, not a part of it.
        criterion: what the loss itself learns, such as a temperature; None if nothing. The method keeps
            it and uses it in ``loss``; it is optimized, averaged and saved with the model.
        dataset: what to learn from.
        lr_multipliers: factors on the learning rate, by the beginning of parameters' names; 1 for the
            others. Names of the criterion's parameters begin with ``criterion.``.
        no_weight_decay: beginnings of the names of parameters that do not decay, such as positions;
            those of one dimension or none, biases, norms and temperatures, never do.
    """

    model: nn.Module
    criterion: nn.Module | None = None
    dataset: Dataset
    lr_multipliers: Mapping[str, float] = MappingProxyType({})
    no_weight_decay: Sequence[str] = ()

    def after_update(self) -> None:
        """Bring weights back to where they may be, after each update and before it is averaged.

        So a temperature is kept within its bounds: clamped in the loss, its gradient would be 0 there.
        """
        return

    def collate(self, examples: Sequence[Example]) -> Batch:
        """Return a batch of B examples as arrays of B rows; runs in the loader's threads.

        Tokenising and padding belong here. It must follow from the examples alone: whatever is random was
        drawn when they were sampled. Different numbers of something an example: ``data.batch.ragged``.
        """
        return stack(examples)

    def metrics(self) -> Mapping[str, float]:
        """Return numbers for the log beside the loss, of what was learned from since the last call.

        All processes call it at once; the log has the mean over them.
        """
        return {}

    def export(self, model: nn.Module, card: str) -> Savable:
        """Return a copy of what was learned, on the CPU, ready to be used and saved.

        Args:
            model: with the weights to take, those of ``self.model`` or their average; the criterion
                holds the weights that go with them.
            card: how it was trained, Markdown, for the model card.

        Unless a method says otherwise, the model itself is what is saved: a ``hub.Pretrained``.
        """
        made: Any = copy.deepcopy(model).cpu().eval()
        made.card = card
        return cast("Savable", made)


@runtime_checkable
class EmbeddingMethod(MethodBase, Protocol):
    """A method whose loss couples the examples of a batch through their embeddings.

    With ``micro_batch`` set, the batch is embedded piece by piece (``gradient_cache``), and the
    loss still compares all of it.
    """

    def embed(self, model: nn.Module, batch: TensorBatch) -> EmbeddingTensors:
        """Return embeddings of a batch, or of a part of it: tensors whose rows follow the examples.

        Args:
            model: to call; ``self.model``, perhaps wrapped for several processes.
            batch: what ``collate`` made, or the rows of some examples of it.
        """
        ...

    def loss(self, embeddings: EmbeddingTensors, batch: TensorBatch) -> Tensor:
        """Return the mean loss of this process's examples, against those of all processes.

        Args:
            embeddings: of the whole batch.
            batch: the whole batch; ask it for labels and the like, not for its pixels.
        """
        ...


@runtime_checkable
class LossesMethod(MethodBase, Protocol):
    """A method whose losses are sums over the examples, such as one over the words of captions.

    An update follows the weighted mean over everything in it: all micro-batches, ``accumulate`` batches
    and processes together, as one large batch would; a mean of means would favour short captions.
    """

    def losses(self, model: nn.Module, batch: TensorBatch) -> Mapping[str, tuple[Tensor, Tensor | float]]:
        """Return for each loss, by name, its sum over some examples, and the weight to divide it by.

        What is minimised is the total of ``sum / weight``, each with its own weight. With several
        losses and several micro-batches, weights are found in a forward pass of their own.

        Args:
            model: to call; ``self.model``, perhaps wrapped for several processes.
            batch: what ``collate`` made, or the rows of some examples of it.

        Returns:
            name -> (sum, with a graph; weight, such as the number of words, without).
        """
        ...


Method = EmbeddingMethod | LossesMethod


class System(Protocol[R, D]):
    """A method of learning that people name: ``mil-nce``, ``localize``, ..."""

    @property
    def name(self) -> str:
        """As the command line and the registry know it."""
        ...

    @property
    def description(self) -> str:
        """One line: what is learned, from what."""
        ...

    @property
    def recipe(self) -> type[R]:
        """Its options, a frozen dataclass; the defaults are those of ``sayso train NAME``."""
        ...

    @property
    def evaluator(self) -> str | None:
        """What ``--test`` measures with, by name; None: nothing is to be measured while it learns."""
        ...

    def read(self, path: Path, recipe: R, progress: Progress) -> D:
        """Return what is learned from, as the system keeps it.

        Args:
            path: what the person named: a folder, a manifest, a release ...
            recipe: how.
            progress: updated with how much was read.

        Raises:
            SaysoError: if there is nothing to learn from.
        """
        ...

    def build(self, recipe: R, data: D, folder: Path, progress: Progress) -> Method:
        """Return the method, its model freshly initialised from the recipe's seed.

        Args:
            recipe: how.
            data: what ``read`` returned.
            folder: of the run; what can be made again, such as features, may be kept there.
            progress: updated while work is done that has to come first.
        """
        ...


AnySystem = System[Any, Any]

SYSTEMS: Registry[AnySystem] = Registry(
    "system",
    "sayso.systems",
    {
        "localize": "sayso.systems.localize.train:SYSTEM",
        "crosstask": "sayso.systems.crosstask.train:SYSTEM",
        "clip": "sayso.systems.clip:SYSTEM",
        "howto100m": "sayso.systems.howto100m:SYSTEM",
        "mil-nce": "sayso.systems.mil_nce:SYSTEM",
        "flamingo": "sayso.systems.flamingo:SYSTEM",
        "llava": "sayso.systems.llava:SYSTEM",
    },
)
