"""Convolutions of networks that see pictures, each with the batch normalisation behind it folded in."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor


class Convolution(NamedTuple):
    """A convolution with its batch normalisation folded in."""

    weight: Tensor  # (D_out, D_in / groups, k, k)
    bias: Tensor  # (D_out)
    stride: int
    groups: int
    relu6: bool

    def __call__(self, x: Tensor) -> Tensor:
        """(B, D_in, H, W) -> (B, D_out, H / stride, W / stride)."""
        from torch.nn.functional import conv2d

        x = conv2d(x, self.weight, self.bias, self.stride, self.weight.shape[-1] // 2, 1, self.groups)
        return x.clamp_(0, 6) if self.relu6 else x


def fold_batch_norm(state: dict[str, Tensor], conv: str, norm: str, epsilon: float) -> tuple[Tensor, Tensor]:
    """Return the kernel and bias of gamma (Wx - mean) / sqrt(var + epsilon) + beta.

    Args:
        state: the network's weights by name.
        conv: name of a convolution, whose kernel is (D, C, H, W).
        norm: name of the batch norm behind it, (D,).
        epsilon: of the batch norm.
    """
    gain = state[norm + ".weight"] * (state[norm + ".running_var"] + epsilon).rsqrt()
    bias = state[norm + ".bias"] - state[norm + ".running_mean"] * gain
    return state[conv + ".weight"] * gain[:, None, None, None], bias
