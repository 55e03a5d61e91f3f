"""A batch as a method sees it: tensors on its device, moved there one entry at a time, when asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from sayso.data.batch import Batch, rows


class TensorBatch(Mapping[str, Tensor]):
    """The entries of a batch as tensors on a device.

    An entry moves when it is first asked for: a loss that needs the labels of a large batch does not
    bring its pictures along. Entries that are no numbers, such as texts, are in ``arrays`` only.

    Args:
        arrays: the batch, of B rows.
        device: where its tensors are to be.
    """

    def __init__(self, arrays: Batch, device: torch.device) -> None:
        self.arrays, self.device = arrays, device
        self._moved: dict[str, Tensor] = {}

    def __getitem__(self, key: str) -> Tensor:
        if key not in self._moved:
            tensor = torch.from_numpy(self.arrays[key])
            self._moved[key] = tensor if self.device.type == "cpu" else tensor.to(self.device)
        return self._moved[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.arrays)

    def __len__(self) -> int:
        return len(self.arrays)

    @property
    def rows(self) -> int:
        """B."""
        return rows(self.arrays)
