"""Training on shards, killed at random moments: the same losses as if nothing had been."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import tarfile
import time
from pathlib import Path

import pytest

import sayso
from sayso.toyworld import write_captioned

pytest.importorskip("transformers")
OPTIONS = {
    "network": "ViT-nano/8", "size": 16, "context": 12, "vocabulary_size": 600, "batch_size": 16, "steps": 60,
    "warmup": 5, "save_every": 4, "log_every": 1, "workers": 2, "patch_dropout": 0.25,
}  # fmt: skip


def write_shards(folder: Path, out: Path) -> None:
    """Put captioned scenes into two tars, as img2dataset names what is in them."""
    rows = json.loads((folder / "captions.json").read_text())["annotations"]
    out.mkdir()
    for shard in range(2):
        with tarfile.open(out / f"{shard:05}.tar", "w") as tar:
            for row in rows[shard::2]:
                name = f"{row['image_id']:09}"
                (out / "text").write_text(row["caption"])
                tar.add(folder / "images" / f"{row['image_id']:04}.png", f"{name}.png")
                tar.add(out / "text", f"{name}.txt")
    (out / "text").unlink()


def train(shards: Path, run: Path, resume: bool) -> None:
    sayso.train("clip", shards, run, resume=resume, **OPTIONS)


def rows(run: Path) -> list[dict[str, float]]:
    """Return the whole lines of the log."""
    if not (run / "log.jsonl").exists():
        return []
    lines = (run / "log.jsonl").read_text().splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]


def losses(run: Path) -> dict[int, float]:
    return {int(row["step"]): row["loss"] for row in rows(run)}


@pytest.mark.slow
def test_killed_at_ten_random_moments_it_repeats_the_uninterrupted_losses(tmp_path):
    world = write_captioned(tmp_path / "world", train=48, test=0, size=16)
    write_shards(world / "train", tmp_path / "shards")
    context = multiprocessing.get_context("forkserver")  # every process begins with torch imported
    context.set_forkserver_preload(["sayso.systems.clip", "transformers", "sayso.training"])

    def start(name: str, resume: bool):
        process = context.Process(target=train, args=(tmp_path / "shards", tmp_path / name, resume))
        process.start()
        return process

    whole = start("whole", resume=False)
    began = time.monotonic()
    whole.join(300)
    lasted_s = time.monotonic() - began
    expected = losses(tmp_path / "whole")
    assert whole.exitcode == 0 and list(expected) == list(range(1, 61))
    rng, run, reached = random.Random(0), tmp_path / "run", []
    for kill in range(10):
        began_s = time.time()
        process = start("run", resume=kill > 0 and (run / "config.toml").exists())
        while process.is_alive() and not any(row["time"] > began_s for row in rows(run)):
            time.sleep(0.005)
        time.sleep(rng.uniform(0, lasted_s / 8))
        if process.is_alive():
            os.kill(process.pid, signal.SIGKILL)
        process.join(60)
        reached.append(max(losses(run)))
    last = start("run", resume=True)
    last.join(300)
    assert last.exitcode == 0
    assert len(set(reached)) > 5, reached
    assert losses(run) == expected
