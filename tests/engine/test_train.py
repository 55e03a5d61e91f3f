"""A run ends the same whether it was killed, interrupted, shared by processes, or cut into micro-batches."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from engine.training import Captions, Tempered, TwoTowers
from sayso.core.config import to_toml
from sayso.core.errors import SaysoError
from sayso.data.loader import Loader
from sayso.engine.tensor_batch import TensorBatch
from sayso.engine.train import Trainer
from sayso.engine.train_state import TrainState
from sayso.engine.training_config import TrainingConfig
from sayso.losses import contrastive
from waiting import PATIENCE_S, reserved_port

PROGRAM = str(Path(__file__).with_name("training.py"))
LONG = TrainingConfig(steps=60, batch_size=8, lr=0.1, warmup=5, save_every=7, log_every=1)
SHORT = TrainingConfig(steps=20, batch_size=8, warmup=5, save_every=7, log_every=1)


def start(folder, *flags, kind="towers", resume=False, dropout=0.1, slow_s=0.0, **environment):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **environment}
    what = [str(folder), "resume" if resume else "new", str(dropout), str(slow_s), kind, *flags]
    command = [sys.executable, PROGRAM, *what]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def finish(process):
    _, error = process.communicate(timeout=PATIENCE_S)
    return process.returncode, error.decode()


def losses(folder):
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(1, len(lines) + 1))
    return [line["loss"] for line in lines]


def weights(folder):
    return torch.load(folder / "latest" / "model.pt", map_location="cpu", weights_only=True)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    Trainer(TwoTowers(0.1), LONG, folder, recipe=to_toml(LONG), device="cpu").train()
    return folder


def goes_on(folder):
    """Resume a run here that a process began."""
    Trainer(TwoTowers(0.1), LONG, folder, recipe=to_toml(LONG), device="cpu").train(resume=True)


def test_a_recipe_that_is_not_the_one_the_run_began_with_is_told(tmp_path, caplog):
    Trainer(TwoTowers(0.1), SHORT, tmp_path, recipe=to_toml(SHORT), device="cpu").train()
    again = replace(SHORT, lr=0.5, steps=SHORT.steps + 1)
    for config, told in ((SHORT, []), (again, [f"from step {SHORT.steps} on the recipe is not that of "])):
        caplog.clear()
        Trainer(TwoTowers(0.1), config, tmp_path, recipe=to_toml(config), device="cpu").train(resume=True)
        said = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
        assert [line[: len(start)] for line, start in zip(said, told, strict=True)] == told
    assert f"steps was {SHORT.steps}, now {again.steps}; lr was {SHORT.lr}, now 0.5" in said[0]


def assert_same(one, two):
    assert losses(one) == losses(two)
    for key, value in weights(one).items():
        torch.testing.assert_close(weights(two)[key], value, rtol=0, atol=0)


def test_learns_and_keeps_the_last_steps(whole):
    told = losses(whole)
    assert sum(told[-5:]) / 5 < 0.5 * told[0]
    names = sorted(path.name for path in whole.iterdir() if path.name.startswith("step_"))
    assert names == ["step_00000049", "step_00000056", "step_00000060"]
    assert (whole / "latest").resolve().name == "step_00000060"
    assert "for 60 of 60 steps" in (whole / "latest" / "card.txt").read_text()
    data = json.loads((whole / "latest" / "data.json").read_text())
    assert (data["step"], data["loader"]["next"]) == (60, 60)
    assert "batch_size = 8" in (whole / "config.toml").read_text()


@pytest.mark.parametrize("kills", [1, pytest.param(10, marks=pytest.mark.slow)])
def test_killed_at_any_moment_it_goes_on_bit_for_bit(whole, tmp_path, kills):
    rng = random.Random(0)
    folder = tmp_path / "run"
    for attempt in range(kills):
        process = start(folder, slow_s=0.05, resume=attempt > 0)
        deadline = time.monotonic() + PATIENCE_S
        before = len(list(folder.glob("step_*"))) and max(folder.glob("step_*")).name
        while time.monotonic() < deadline and process.poll() is None:
            steps = sorted(folder.glob("step_*"))
            if steps and steps[-1].name != before:
                break
            time.sleep(0.01)
        time.sleep(rng.uniform(0, 0.2))
        process.kill()
        finish(process)
    goes_on(folder)
    assert_same(whole, folder)
    assert not [path for path in folder.iterdir() if path.name.startswith((".step", ".gone", ".link"))]


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_interrupted_it_saves_its_step_and_shares_its_folder_with_none(whole, tmp_path, number):
    folder = tmp_path / "run"
    process = start(folder, "save_every=1000", slow_s=0.5)
    while not (folder / "log.jsonl").exists() or len((folder / "log.jsonl").read_text().splitlines()) < 3:
        assert process.poll() is None
        time.sleep(0.02)
    with pytest.raises(SaysoError, match="another process is training into"):
        run(folder)
    process.send_signal(number)
    code, error = finish(process)
    assert (code, error) == (130, "")
    (saved,) = folder.glob("step_*")
    assert int(saved.name[5:]) == len(losses(folder)) < 60
    goes_on(folder)
    assert_same(whole, folder)


def alike(one, two, rtol, atol):
    assert losses(two) == pytest.approx(losses(one), rel=rtol)
    assert weights(one).keys() == weights(two).keys()
    for key, value in weights(one).items():
        torch.testing.assert_close(weights(two)[key], value, rtol=rtol, atol=atol)


def together(folder, *flags, device="cpu", **options):
    """Train in two processes, as ``accelerate launch`` starts them, each with a device of its own."""
    with reserved_port() as port:
        group = {
            "WORLD_SIZE": "2",
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(port),
            "TRAINING_DEVICE": device,
            **({"ACCELERATE_USE_CPU": "true"} if device == "cpu" else {}),
        }
        ranks = [
            start(folder, *flags, dropout=0, **options, **group, RANK=rank, LOCAL_RANK=rank) for rank in "01"
        ]
        ended = [finish(process) for process in ranks]
    assert [code for code, _ in ended] == [0, 0], ended


def test_two_processes_learn_as_one_does_with_the_same_batch(tmp_path):
    flags = ["steps=12", "save_every=5"]
    Trainer(TwoTowers(0.0), replace(LONG, steps=12, save_every=5), tmp_path / "one", device="cpu").train()
    together(tmp_path / "two", *flags, "micro_batch=3")
    alike(tmp_path / "one", tmp_path / "two", 1e-4, 1e-5)


@pytest.mark.device
def test_two_processes_on_accelerators_end_with_the_cpus_weights(tmp_path, accelerator):
    if accelerator.type == "mps" or (accelerator.type == "cuda" and torch.cuda.device_count() < 2):
        pytest.skip("there is one accelerator, and each process needs its own")
    Trainer(TwoTowers(0.0), replace(LONG, steps=12, save_every=5), tmp_path / "one", device="cpu").train()
    together(tmp_path / "two", "steps=12", "save_every=5", "micro_batch=3", device=accelerator.type)
    alike(tmp_path / "one", tmp_path / "two", 1e-3, 1e-4)


@pytest.mark.slow
def test_a_temperature_is_learned_by_two_processes_in_micro_batches(tmp_path):
    """Plain gradient steps: Adam's would hide a gradient that is a multiple of the right one."""
    flags = ["steps=12", "save_every=12", "optimizer=sgd", "ema=0.5", "clip_norm=0.5"]
    sgd = {"optimizer": "sgd", "ema": 0.5, "clip_norm": 0.5, "lr": 0.1}
    run(tmp_path / "one", Tempered(0.0), steps=12, save_every=12, **sgd)
    together(tmp_path / "two", *flags, "micro_batch=3", "accumulate=1", kind="tempered")
    alike(tmp_path / "one", tmp_path / "two", 1e-4, 1e-5)
    assert weights(tmp_path / "one")["criterion.scale"].item() != pytest.approx(0.5, abs=1e-3)
    assert weights(tmp_path / "one")["criterion.unused"].item() == 2


@pytest.mark.parametrize("kind", ["tokens", pytest.param("several", marks=pytest.mark.slow)])
def test_token_losses_are_those_of_one_large_batch_whoever_shares_it(tmp_path, kind):
    """Captions of 0 to 12 tokens: means of means would differ in the first digits."""
    common = {"steps": 5, "batch_size": 16, "optimizer": "sgd", "warmup": 0, "lr": 0.2, "save_every": 5}
    run(tmp_path / "whole", Captions(kind == "several"), **common)
    run(tmp_path / "micro", Captions(kind == "several"), micro_batch=3, **common)
    alike(tmp_path / "whole", tmp_path / "micro", 1e-11, 1e-12)
    together(tmp_path / "two", *(f"{k}={v}" for k, v in common.items()), "micro_batch=3", kind=kind)
    alike(tmp_path / "whole", tmp_path / "two", 1e-11, 1e-12)
    names = json.loads((tmp_path / "two" / "log.jsonl").read_text().splitlines()[0])
    assert ("loss_size" in names) == (kind == "several")


def run(folder, method=None, **options):
    return Trainer(method or TwoTowers(0.0), replace(SHORT, **options), folder, device="cpu").train()


@pytest.mark.parametrize("method", [TwoTowers, Tempered])
def test_micro_batches_change_nothing_but_the_work(tmp_path, method):
    run(tmp_path / "plain", method(0.0))
    run(tmp_path / "micro", method(0.0), micro_batch=3)
    alike(tmp_path / "plain", tmp_path / "micro", 1e-4, 1e-5)


def test_accumulated_token_losses_weigh_every_token_alike(tmp_path):
    """Two batches of 8 are one of 16, by hand."""
    method, by_hand = Captions(several=True), Captions(several=True)
    options = {"optimizer": "sgd", "warmup": 0, "lr": 0.1, "schedule": "constant", "steps": 1}
    run(tmp_path / "run", method, accumulate=2, micro_batch=3, **options)
    batches = iter(Loader(by_hand.dataset, 8, collate=by_hand.collate, seed=0, workers=0))
    parts = [by_hand.losses(by_hand.model, TensorBatch(next(batches), torch.device("cpu"))) for _ in range(2)]
    total = sum(
        sum(part[name][0] for part in parts) / sum(part[name][1] for part in parts)
        for name in ("tokens", "size")
    )
    total.backward()
    assert losses(tmp_path / "run") == pytest.approx([total.item()], rel=1e-12)
    for name, value in by_hand.model.named_parameters():
        expected = (value - 0.1 * value.grad).detach()
        torch.testing.assert_close(weights(tmp_path / "run")[name], expected, rtol=0, atol=1e-12)


def test_a_batch_without_a_token_changes_nothing(tmp_path):
    method = Captions()
    method.collate = lambda examples: Captions().collate([{**one, "text": "0"} for one in examples])
    before = {key: value.clone() for key, value in method.model.state_dict().items()}
    run(tmp_path / "run", method, steps=2, micro_batch=3)
    assert losses(tmp_path / "run") == [0, 0]
    assert all(torch.equal(value, before[key]) for key, value in method.model.state_dict().items())


def test_a_temperature_is_averaged_saved_and_resumed(tmp_path):
    whole, method = Tempered(0.0), Tempered(0.0)
    run(tmp_path / "whole", whole, ema=0.9, steps=8, save_every=4)
    config = replace(SHORT, ema=0.9, steps=8, save_every=4)
    Trainer(method, replace(config, steps=8), tmp_path / "run", device="cpu", score=_stop_at(4)).train()
    again = Tempered(0.0)
    again.criterion.scale.data.fill_(9)
    Trainer(again, config, tmp_path / "run", device="cpu").train(resume=True)
    assert_same(tmp_path / "whole", tmp_path / "run")
    assert torch.equal(again.criterion.scale, whole.criterion.scale)
    assert weights(tmp_path / "run")["criterion.scale"] != whole.criterion.scale, "the average is saved"


def _stop_at(step):
    """Interrupt at a checkpoint, as a person does."""
    return lambda _: signal.raise_signal(signal.SIGINT) or {"x": 1.0} if step else {}


def test_a_batch_goes_to_the_device_a_micro_batch_at_a_time(tmp_path):
    moved = []

    class Watched(TwoTowers):
        def embed(self, model, batch):
            moved.append((batch.rows, [name for name in batch.arrays if name in batch._moved]))
            return super().embed(model, batch)

        def loss(self, embeddings, batch):
            assert batch.rows == 8
            assert not batch._moved
            return super().loss(embeddings, batch)

    run(tmp_path / "run", Watched(0.0), steps=1, micro_batch=3)
    assert moved == [(3, []), (3, []), (2, [])] * 2


@pytest.mark.parametrize(
    ("options", "kind", "expected"),
    [
        ({}, torch.optim.AdamW, {"betas": (0.9, 0.999), "eps": 1e-8}),
        ({"optimizer": "adam", "betas": (0.8, 0.9), "eps": 1e-6}, torch.optim.Adam, {"betas": (0.8, 0.9)}),
        ({"optimizer": "sgd", "momentum": 0.5}, torch.optim.SGD, {"momentum": 0.5}),
    ],
)
def test_the_optimizer_is_what_the_config_says(options, kind, expected):
    state = TrainState(Tempered(0.0).model, replace(SHORT, **options), "cpu", criterion=Tempered().criterion)
    optimizer = state.optimizer.optimizer
    assert type(optimizer) is kind
    for group in optimizer.param_groups:
        assert {key: group[key] for key in expected} == expected
    assert sum(len(group["params"]) for group in optimizer.param_groups) == 5


def test_accumulated_gradients_are_the_mean_of_their_batches(tmp_path):
    """One step of plain descent over two batches, done by hand."""
    options = {
        "steps": 1,
        "accumulate": 2,
        "optimizer": "sgd",
        "warmup": 0,
        "lr": 0.1,
        "schedule": "constant",
    }
    run(tmp_path / "run", **options)
    method = TwoTowers(0.0)
    loader = Loader(method.dataset, 8, collate=method.collate, seed=0, workers=0)
    loss = 0
    for batch, _ in zip(loader, range(2), strict=False):
        tensors = TensorBatch(batch, torch.device("cpu"))
        loss = loss + method.loss(method.embed(method.model, tensors), tensors)
    (loss / 2).backward()
    expected = method.model.seen.weight - 0.1 * method.model.seen.weight.grad
    torch.testing.assert_close(weights(tmp_path / "run")["seen.weight"], expected.detach())


def test_the_average_is_what_is_saved(tmp_path):
    seen = []

    class Watched(TwoTowers):
        def embed(self, model, batch):
            seen.append(self.model.seen.weight.detach().clone())
            return super().embed(model, batch)

    method = Watched(0.0)
    run(tmp_path / "run", method, ema=0.5, steps=4)
    states = [*seen[1:], method.model.seen.weight.detach()]
    average = states[0]
    for state in states[1:]:
        average = 0.5 * average + 0.5 * state
    torch.testing.assert_close(weights(tmp_path / "run")["seen.weight"], average)


def test_a_part_of_the_model_learns_at_its_own_rate(tmp_path):
    """After one plain gradient step, the part has moved by its factor times what it moves otherwise."""
    options = replace(SHORT, steps=1, warmup=0, optimizer="sgd", lr=0.1)
    moved = []
    for name, rates in (("whole", {}), ("part", {"said.": 0.25})):
        method = TwoTowers(0.0)
        before = {key: value.clone() for key, value in method.model.state_dict().items()}
        method.lr_multipliers = rates
        Trainer(method, options, tmp_path / name, device="cpu").train()
        moved.append({key: value - before[key] for key, value in method.model.state_dict().items()})
    assert moved[0]["said.weight"].abs().max() > 0
    torch.testing.assert_close(moved[1]["said.weight"], 0.25 * moved[0]["said.weight"], rtol=1e-4, atol=1e-7)
    torch.testing.assert_close(moved[1]["seen.weight"], moved[0]["seen.weight"])


def test_the_best_step_outlives_the_last_ones(tmp_path, caplog):
    caplog.set_level("INFO", "sayso")
    scores = iter([0.1, 0.9, 0.2, 0.3, 0.4, 0.5])
    trainer = Trainer(
        TwoTowers(0.0),
        replace(SHORT, steps=12, save_every=2, save_total_limit=2),
        tmp_path / "run",
        device="cpu",
        score=lambda done: {"R@10": next(scores), "loss": -float(len(done.state) == 4)},
    )
    done = trainer.train()
    assert done.scores == {"R@10": 0.5, "loss": -1.0}
    names = sorted(path.name for path in (tmp_path / "run").glob("step_*"))
    assert names == ["step_00000004", "step_00000010", "step_00000012"]
    assert (tmp_path / "run" / "best").resolve().name == "step_00000004"
    assert caplog.messages[1] == "step 4: R@10 0.9, loss -1"


def test_refuses_what_would_lose_or_mix_runs(tmp_path):
    run(tmp_path / "run")
    with pytest.raises(SaysoError, match="holds a run at step 20; add --resume"):
        run(tmp_path / "run")
    other = Trainer(TwoTowers(0.0), replace(SHORT, seed=1), tmp_path / "run", device="cpu")
    with pytest.raises(SaysoError, match="another seed"):
        other.train(resume=True)
    averaged = Trainer(TwoTowers(0.0), replace(SHORT, ema=0.9), tmp_path / "run", device="cpu")
    with pytest.raises(SaysoError, match=r"another model \(differing: ema\); resume with its recipe"):
        averaged.train(resume=True)
    with pytest.raises(SaysoError, match="batch_size must be 1 or more; got 0"):
        TrainingConfig(batch_size=0)
    with pytest.raises(SaysoError, match="betas must be two numbers from 0 to below 1"):
        TrainingConfig(betas=(0.9, 1.0))


def test_a_run_whose_last_state_is_damaged_goes_on_from_the_one_before(tmp_path):
    """It ends bit for bit as the one that nothing happened to."""
    one, other = (Trainer(TwoTowers(0.1), SHORT, tmp_path / name, device="cpu") for name in ("run", "whole"))
    one.train()
    other.train()
    state = tmp_path / "run" / "step_00000020" / "state.pt"
    state.write_bytes(state.read_bytes()[:-100])
    assert Trainer(TwoTowers(0.1), SHORT, tmp_path / "run", device="cpu").train(resume=True).step == 20
    assert (tmp_path / "run" / "damaged_1_step_00000020").is_dir()
    assert_same(tmp_path / "run", tmp_path / "whole")


def test_a_loss_that_is_no_number_ends_the_run(tmp_path):
    class Broken(TwoTowers):
        def loss(self, embeddings, batch):
            return super().loss(embeddings, batch) * float("nan")

    with pytest.raises(SaysoError, match="the loss became nan before step 1; lower lr"):
        run(tmp_path / "run", Broken(0.0))


def test_the_learning_rate_rises_then_falls():
    options = TrainingConfig(steps=110, warmup=10, lr=1.0)
    rates = [options.lr_at(step) for step in range(110)]
    assert rates[:10] == pytest.approx([0.1 * k for k in range(1, 11)])
    assert rates[60] == pytest.approx(0.5)
    assert rates == sorted(rates[:10]) + sorted(rates[10:], reverse=True)
    assert TrainingConfig(steps=110, warmup=10, lr=1.0, schedule="constant").lr_at(109) == 1.0
    falling = TrainingConfig(steps=110, warmup=10, lr=1.0, schedule="steps", decay=0.9, decay_every=7)
    assert [falling.lr_at(step) for step in (9, 10, 16, 17, 23, 24)] == pytest.approx(
        [1, 1, 1, 0.9, 0.9, 0.81]
    )


def test_a_temperature_stays_within_its_bounds_and_can_come_back(tmp_path):
    """Clamped after the step: it lies on the bound while it pushes on, and leaves it when it does not."""
    seen = []

    class Bounded(Tempered):
        push = -1.0  # the loss falls as the temperature rises

        def after_update(self):
            with torch.no_grad():
                self.criterion.scale.clamp_(0, 0.6)

        def loss(self, embeddings, batch):
            seen.append(self.criterion.scale.item())
            self.push = -1.0 if len(seen) < 8 else 1.0
            return super().loss(embeddings, batch) * 0 + self.push * self.criterion.scale

    method = Bounded(0.0)
    options = {
        "optimizer": "sgd",
        "momentum": 0.0,
        "warmup": 0,
        "lr": 0.05,
        "schedule": "constant",
        "ema": 0.5,
    }
    run(tmp_path / "run", method, steps=12, **options)
    assert seen[:8] == pytest.approx([0.5, 0.55, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6])
    assert seen[8:] == pytest.approx([0.55, 0.5, 0.45, 0.4])
    states = [*seen[1:], method.criterion.scale.item()]
    average = states[0]
    for state in states[1:]:
        average = 0.5 * average + 0.5 * state
    assert weights(tmp_path / "run")["criterion.scale"].item() == pytest.approx(average), "of bounded values"


def test_only_weights_that_may_decay_do(tmp_path):
    """Without a gradient, weights that decay shrink by lr * weight_decay; others stay as they are."""

    class Still(Tempered):
        def loss(self, embeddings, batch):
            return 0 * super().loss(embeddings, batch)

    for excluded, stays in (((), set()), (("said.",), {"said.weight"})):
        method = Still(0.0)
        method.no_weight_decay = excluded
        before = {key: value.clone() for key, value in method.model.state_dict().items()}
        changes = {"weight_decay": 0.2, "warmup": 0, "lr": 0.1, "schedule": "constant"}
        Trainer(
            method, replace(SHORT, steps=1, **changes), tmp_path / str(len(excluded)), device="cpu"
        ).train()
        for key, value in method.model.state_dict().items():
            decays = value.ndim > 1 and key not in stays
            torch.testing.assert_close(value, before[key] * (0.98 if decays else 1), rtol=1e-6, atol=0)
        assert method.criterion.scale == 0.5


def test_towers_compute_in_bfloat16_and_the_loss_in_float32(tmp_path):
    seen = {}

    class Mixed(Tempered):
        def loss(self, embeddings, batch):
            value = contrastive(*embeddings, self.criterion.scale)
            seen["loss"] = (value.dtype, value.item())
            double = [e.detach().double() for e in embeddings]
            seen["exact"] = float(contrastive(*double, self.criterion.scale.detach().double()))
            return value

    method = Mixed(0.0)
    method.model.seen.register_forward_hook(lambda *call: seen.update(tower=call[-1].dtype))
    run(tmp_path / "run", method, steps=2, precision="bf16", micro_batch=3)
    assert seen["tower"] == torch.bfloat16
    assert seen["loss"][0] == torch.float32
    assert seen["loss"][1] == pytest.approx(seen["exact"], rel=1e-6)
    assert method.model.seen.weight.dtype == torch.float32
