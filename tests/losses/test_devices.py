"""Losses, gradient caching and networks on an accelerator: where every tensor lies, and the CPU's numbers.

Without an accelerator placement is still checked, on torch's meta device, which computes nothing: what mixes
it with the CPU is refused here, as a real device refuses it. The contrastive losses read numbers on their
way, which that device has not: theirs is checked on an accelerator alone.
"""

from __future__ import annotations

import copy
from importlib import import_module

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from sayso.engine.gradient_cache import cached_backward
from sayso.losses.contrastive import contrastive
from sayso.losses.max_margin import max_margin
from sayso.losses.mil_nce import mil_nce
from sayso.models.gated_embedding import GatedEmbedding
from sayso.models.s3d import S3D

DIM = 16


def _scale(like):
    return torch.full((), 1.5, device=like.device, dtype=like.dtype, requires_grad=True)


class OneDevice(TorchDispatchMode):
    """Refuses operations of tensors on two devices, but for copies and single numbers."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        tensors = [x for x in tree_leaves((args, kwargs)) if isinstance(x, torch.Tensor)]
        crossing = func in (torch.ops.aten._to_copy.default, torch.ops.aten.copy_.default)
        if not crossing and len({x.device.type for x in tensors if x.ndim}) > 1:
            raise RuntimeError(f"{func} has tensors on more than one device")
        return func(*args, **(kwargs or {}))


LOSSES = {
    "mil_nce": lambda v, t, groups: mil_nce(v, t.view(len(v), 1, DIM).expand(-1, 3, -1)),
    "mil_nce attention": lambda v, t, groups: mil_nce(v, t.view(len(v), 1, DIM) * 1.0, bag="attention"),
    "mil_nce bfloat16": lambda v, t, groups: mil_nce(v, t.view(len(v), 1, DIM) * 1.0, bfloat16=True),
    "max_margin": max_margin,
    "softmax": lambda v, t, groups: contrastive(v, t, _scale(v), labels=groups, smoothing=0.1),
    "softmax, nothing kept": lambda v, t, groups: contrastive(v, t, _scale(v), keep_bytes=0),
    "sigmoid": lambda v, t, groups: contrastive(v, t, _scale(v), bias=-_scale(v), kind="sigmoid"),
}


def inputs(device, dtype=torch.float32, rows=12):
    draws = torch.Generator().manual_seed(0)
    video, text = (torch.nn.functional.normalize(torch.randn(rows, DIM, generator=draws)) for _ in range(2))
    groups = torch.arange(rows) // 2
    return [x.to(device, dtype).requires_grad_() for x in (video, text)] + [groups.to(device)]


@pytest.mark.parametrize("spread", [0.0, 100.0])
@pytest.mark.parametrize("name", ["mil_nce", "mil_nce bfloat16", "mil_nce attention", "max_margin"])
def test_a_loss_puts_nothing_on_another_device(name, spread, monkeypatch):
    monkeypatch.setattr(import_module("sayso.losses.mil_nce"), "_spread", lambda *_: spread)
    monkeypatch.setattr(import_module("sayso.losses.mil_nce"), "native_bfloat16", lambda _: True)
    video, text = (torch.empty(12, DIM, device="meta", requires_grad=True) for _ in range(2))
    groups = torch.empty(12, dtype=torch.int64, device="meta")
    with OneDevice():
        loss = LOSSES[name](video, text, groups)
        loss.backward()
    assert {x.device.type for x in (loss, video.grad, text.grad)} == {"meta"}


def test_mixed_devices_are_refused():
    here, there = torch.empty(3, DIM), torch.empty(DIM, 3, device="meta", requires_grad=True)
    with OneDevice(), pytest.raises(RuntimeError, match="more than one device"):
        here @ there


def test_networks_put_nothing_on_another_device():
    net, head = S3D(DIM).to("meta").eval(), GatedEmbedding(DIM, 8).to("meta")
    with OneDevice():
        assert net(torch.empty(1, 3, 8, 64, 64, device="meta")).device.type == "meta"
        assert head(torch.empty(5, DIM, device="meta")).device.type == "meta"


@pytest.mark.device
@pytest.mark.parametrize(("dtype", "bound"), [("float32", 1e-5), ("bfloat16", 2e-2), ("float16", 4e-3)])
@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_and_its_gradients_are_the_cpus(name, dtype, bound, accelerator):
    found = []
    for device, kind in (("cpu", torch.float32), (accelerator, getattr(torch, dtype))):
        video, text, groups = inputs(device, kind)
        loss = LOSSES[name](video, text, groups)
        loss.backward()
        found.append([value.detach().cpu().float() for value in (loss, video.grad, text.grad)])
    for here, there in zip(*found, strict=True):
        torch.testing.assert_close(there, here, rtol=bound, atol=bound)


@pytest.mark.device
def test_micro_batches_on_the_device_give_the_cpus_gradient(accelerator):
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(DIM, 32), torch.nn.Tanh(), torch.nn.Linear(32, DIM))
    found = []
    for device in ("cpu", accelerator):
        model = copy.deepcopy(net).to(device)
        video, text, _ = (x.detach() for x in inputs(device))

        def embed(number, model=model, video=video, text=text):
            part = slice(4 * number, 4 * number + 4)
            return model(video[part]), model(text[part])

        cached_backward(embed, 3, lambda both: max_margin(*both), model=model, device=torch.device(device))
        found.append([weight.grad.cpu() for weight in model.parameters()])
    for here, there in zip(*found, strict=True):
        torch.testing.assert_close(there, here, rtol=1e-4, atol=1e-5)


@pytest.mark.device
@pytest.mark.parametrize("dtype", [None, "bfloat16", "float16"])
def test_s3d_on_the_device_gives_the_cpus_embeddings(dtype, accelerator):
    torch.manual_seed(0)
    net, video = S3D(DIM).eval(), torch.rand(2, 3, 8, 64, 64)
    with torch.no_grad():
        here = net(video)
        net.to(accelerator, memory_format=torch.channels_last_3d)
        lower = torch.autocast(
            accelerator.type, getattr(torch, dtype or "float32"), enabled=dtype is not None
        )
        with lower:
            there = net(video.to(accelerator)).float().cpu()
    assert torch.nn.functional.cosine_similarity(here, there).min() > (0.9999 if dtype is None else 0.99)
