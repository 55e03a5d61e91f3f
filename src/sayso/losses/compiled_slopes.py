"""The slopes of the sigmoid loss as one compiled loop (the ``fast`` extra), in place of torch's passes.

Where ``sigmoid_pairs`` goes over a block of scores ten times, this does so once, and a thread of it takes
less time than two of torch's do. In float32, on the CPU. e^z is 2^n e^r, where n is a whole number and r, at
most (ln 2) / 2, is small enough for a polynomial (ln 2 in two parts and the coefficients: Cephes' ``expf``).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from sayso.core.compiled import WorthCompiling, loop

worth_compiling = WorthCompiling(1 << 25)  # scores, which with their products take about 0.6 s
_THREADS = 2  # of torch, beyond which its passes are faster
_TOGETHER = 8  # scores that have one logarithm
_ROUND = np.float32(1.5 * 2**23)  # what is added to this is rounded to an integer
_PER_LN2, _LN2, _LN2_LEFT = np.float32(1.44269504), np.float32(0.693359375), np.float32(-2.12194440e-4)
_LEAST, _MOST = np.float32(-87.3), np.float32(88.7)  # what e^z is a number of full precision for
_EXP = tuple(
    np.float32(c) for c in (1.9875691e-4, 1.3981999e-3, 8.3334519e-3, 4.1665795e-2, 1.6666666e-1, 0.5)
)


@loop("void(float32[:, ::1], float32, float32[:, ::1], float32[::1], float32[::1])", native=True)
def slopes_of(scores: Any, bias: Any, factors: Any, sums: Any, weighted: Any) -> None:
    """Replace scores s by the slopes e^z / (1 + e^z), z = s + b; what is no number, or above 88, gives none.

    Args:
        scores: (N, G), which change.
        bias: b.
        factors: (ceil(N / 8), G) gets the product of 1 + e^z over eight rows, less 1.
        sums: (G,), to which slopes are added.
        weighted: (G,), to which slopes times s are added.
    """
    N, G = scores.shape
    one = np.float32(1)
    for first in range(0, N, _TOGETHER):
        together = first // _TOGETHER
        for j in range(G):
            factors[together, j] = np.float32(0)
        for i in range(first, min(first + _TOGETHER, N)):
            for j in range(G):
                s = scores[i, j]
                whole = s + bias
                z = max(min(whole, _MOST), _LEAST)
                n = np.float32(z * _PER_LN2 + _ROUND)
                power = np.int32(n.view(np.int32) << np.int32(23))  # 2^n, once it is added to an exponent
                n = np.float32(n - _ROUND)
                r = (z - n * _LN2) - n * _LN2_LEFT
                p = ((((_EXP[0] * r + _EXP[1]) * r + _EXP[2]) * r + _EXP[3]) * r + _EXP[4]) * r + _EXP[5]
                p = np.float32(p * (r * r) + r + one)
                e = np.int32(p.view(np.int32) + power).view(np.float32)
                e = e if whole < _MOST else np.float32(np.inf)
                factors[together, j] += e * (one + factors[together, j])
                slope = e / (e + one)
                scores[i, j] = slope
                sums[j] += slope
                weighted[j] += slope * s


def compiled_slopes(table: Tensor, bias: float) -> tuple[Tensor, Tensor, Tensor] | None:
    """Replace scores by slopes; return the sums of log(1 + e^z), of slopes, and of slopes times scores.

    None, and nothing is changed, where torch is to do it. Where a number is too large, the first sum is none.

    Args:
        table: (N, G) scores s, contiguous.
        bias: z - s.
    """
    ours = table.dtype == torch.float32 and table.device.type == "cpu" and torch.get_num_threads() <= _THREADS
    run = slopes_of.compiled() if ours and worth_compiling(table.numel()) else None
    if run is None:
        return None
    N, G = table.shape
    factors = table.new_empty(-(-N // _TOGETHER), G)
    sums, weighted = table.new_zeros(G), table.new_zeros(G)
    run(table.numpy(), np.float32(bias), factors.numpy(), sums.numpy(), weighted.numpy())
    return factors.log1p_().sum(), sums.sum(), weighted.sum()
