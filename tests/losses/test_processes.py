"""Two real processes with half of the batch each get the losses and gradients of one with all of it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch

from sayso.core.leaving import run_and_leave
from sayso.losses import contrastive, info_nce, max_margin, mil_nce

B, K, D = 6, 3, 5
SCALE, BIAS = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (0.9, -2.0))
FAR = torch.tensor(9.0, dtype=torch.float64, requires_grad=True)
CONTRASTIVE = {
    "kept": {},
    "recomputed": {"keep_bytes": 0, "smoothing": 0.1},
    "sigmoid": {"kind": "sigmoid", "bias": BIAS},
}


def draw():
    generator = torch.Generator().manual_seed(0)
    video = torch.randn(B, D, generator=generator, dtype=torch.float64).requires_grad_()
    text = torch.randn(B, K, D, generator=generator, dtype=torch.float64).requires_grad_()
    return video, text, torch.tensor([0, 0, 1, 1, 1, 2])


def losses(video, text, group):
    made = {
        f"{bag} {twice}": mil_nce(video, text, bag=bag, double_count=twice)
        for bag in ("sum", "max")
        for twice in (0, 1)
    }
    made["info"] = info_nce(video, text[:, 0], 3.0)
    for name, options in CONTRASTIVE.items():
        made[name] = contrastive(video, text[:, 0], SCALE, **options)
    made["labels"] = contrastive(video, text[:, 0], SCALE, labels=group, smoothing=0.2)
    made["sigmoid labels"] = contrastive(video, text[:, 0], SCALE, labels=group, bias=BIAS, kind="sigmoid")
    made["far apart"] = contrastive(video, text[:, 0], FAR)  # columns need exponentials of their own
    return {**made, "margin": max_margin(video, text[:, 0], group)}


def gradients(video, text, group):
    """Losses, and the gradients of all rows for each."""
    found = {}
    for name, loss in losses(video, text, group).items():
        grads = torch.autograd.grad(
            loss, (video, text, SCALE, BIAS, FAR), retain_graph=True, allow_unused=True
        )
        found[name] = (loss.detach(), *grads)
    return found


def main(folder: str) -> None:
    torch.distributed.init_process_group("gloo")
    rank = torch.distributed.get_rank()
    rows = slice(rank * B // 2, (rank + 1) * B // 2)
    video, text, group = draw()
    parts = video[rows].detach().requires_grad_(), text[rows].detach().requires_grad_()
    torch.save(gradients(*parts, group[rows]), f"{folder}/{rank}.pt")
    torch.distributed.destroy_process_group()


def test_two_processes_are_one(tmp_path):
    from waiting import PATIENCE_S, reserved_port

    command = [sys.executable, __file__, str(tmp_path)]
    with reserved_port() as port:
        group = {
            **os.environ,
            "WORLD_SIZE": "2",
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(port),
            "OMP_NUM_THREADS": "1",
        }
        both = [subprocess.Popen(command, env={**group, "RANK": str(k)}) for k in range(2)]
        assert [process.wait(PATIENCE_S) for process in both] == [0, 0]
    one, two = (torch.load(tmp_path / f"{k}.pt", weights_only=True) for k in range(2))
    for name, (loss, *grads) in gradients(*draw()).items():
        assert ((one[name][0] + two[name][0]) / 2).item() == pytest.approx(loss.item(), rel=1e-13, abs=1e-12)
        for whole, *halves in zip(grads, one[name][1:], two[name][1:], strict=True):
            # processes average their gradients
            if whole is None:
                assert halves == [None, None]
            elif whole.ndim:
                torch.testing.assert_close(torch.cat(halves) / 2, whole)
            else:
                torch.testing.assert_close(sum(halves) / 2, whole)


if __name__ == "__main__":
    run_and_leave(lambda: main(sys.argv[1]))
