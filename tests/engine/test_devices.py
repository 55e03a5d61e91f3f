"""Training on an accelerator: the CPU's weights within rounding, in each precision."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from engine.training import Captions, Tempered, TwoTowers
from sayso.data.loader import Loader
from sayso.engine.tensor_batch import TensorBatch
from sayso.engine.train import Trainer
from sayso.engine.training_config import TrainingConfig

CONFIG = TrainingConfig(
    steps=12, batch_size=8, lr=0.02, warmup=3, save_every=12, log_every=1, optimizer="sgd"
)


def weights(folder):
    return torch.load(folder / "model.pt", weights_only=True)


def trained(folder, method, device, **changes):
    Trainer(method, replace(CONFIG, **changes), folder, device=device).train()
    (found,) = folder.glob("**/model.pt")
    return weights(found.parent)


@pytest.mark.device
@pytest.mark.parametrize(("precision", "bound"), [("no", 1e-4), ("bf16", 3e-2), ("fp16", 3e-2)])
@pytest.mark.parametrize("micro_batch", [0, 3])
@pytest.mark.parametrize("method", [TwoTowers, Tempered])
def test_a_run_ends_with_the_cpus_weights(method, micro_batch, precision, bound, tmp_path, accelerator):
    if precision == "fp16" and accelerator.type != "cuda":
        pytest.skip("float16 is trained in on CUDA alone")
    here = trained(tmp_path / "cpu", method(0.0), "cpu")
    there = trained(
        tmp_path / "device", method(0.0), accelerator.type, precision=precision, micro_batch=micro_batch
    )
    assert here.keys() == there.keys()
    for key, value in here.items():
        torch.testing.assert_close(there[key].cpu().float(), value.float(), rtol=bound, atol=bound)


@pytest.mark.device
def test_token_losses_train_to_the_cpus_weights(tmp_path, accelerator):
    if accelerator.type == "mps":
        pytest.skip("the method of this test counts in float64")
    here = trained(tmp_path / "cpu", Captions(several=True), "cpu")
    there = trained(tmp_path / "device", Captions(several=True), accelerator.type, micro_batch=3)
    for key, value in here.items():
        torch.testing.assert_close(there[key].cpu(), value, rtol=1e-6, atol=1e-6)


@pytest.mark.device
def test_what_is_decoded_is_handed_over_whole(accelerator):
    method = TwoTowers(0.0)
    batch = next(iter(Loader(method.dataset, 8, collate=method.collate, seed=0, workers=0)))
    there = TensorBatch(batch, accelerator)
    for key, array in batch.items():
        assert there[key].device.type == accelerator.type
        torch.testing.assert_close(there[key].cpu(), torch.from_numpy(array), rtol=0, atol=0)
