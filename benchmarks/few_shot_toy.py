"""Few-shot learning by Flamingo in a toy world, where the frozen language model can learn from examples.

    python benchmarks/few_shot_toy.py OUT [--seeds 5] [--first 0] [--steps 500] [--language-steps 1000]
        [--episodes 200]

Naming a picture after examples takes two things: a language model that goes on as the text before it does,
and blocks that let it tell alike pictures from others. The toy language model (two layers of LLaMA's kind) is
trained on texts of random words in which phrases and pairs of words come again, and on nothing else. Then it
is frozen, and Flamingo learns from captions and episodes of coloured pictures, seen by a tower of random
weights. ``few-shot-naming`` is measured on colours that no episode and no caption had. What is done is kept
in OUT: the language model, and the figures of each seed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from PIL import Image
from torch import nn
from whole_runs import run, whole

import sayso
from sayso.core.progress import Silent
from sayso.data.episodes import INVENTED
from sayso.data.picture_pairs import read_picture_pairs
from sayso.evaluation.few_shot_naming import measure_episodes
from sayso.generators import load_generator

WORDS, COLOURS, HELD, PICTURES, SIDE = 8, 48, 12, 8, 24
LENGTH = 32  # tokens of a text that the language model learns from
SHOTS = 2
RECIPE: dict[str, Any] = {
    "size": SIDE, "views": 1, "layers": (0, 1), "dim": 32, "depth": 1, "heads": 2, "head_dim": 16,
    "latents": 4, "block_heads": 2, "dropout": 0.0, "batch_size": 32, "shares": (2, 30),
    "weights": (0.2, 1.0),
    "lr": 2e-3, "gate_lr_multiplier": 10.0, "resampler_lr_multiplier": 1.0, "warmup": 10, "workers": 0,
    "shots": SHOTS, "save_every": 1000,
}  # fmt: skip


def language_model(folder: Path, steps: int) -> None:
    """Train a language model on text in which words come again, and write its folder.

    Not every start finds out within the steps that successors come again: the first that does is taken.
    """
    import transformers as tf
    from tokenizers import Tokenizer, models, pre_tokenizers

    special = ["<pad>", "<unk>", "<s>", "</s>", "<image>"]
    words = [*special, "Output", ":", *INVENTED, *(f"word{n}" for n in range(WORDS))]
    made = Tokenizer(models.WordLevel({word: n for n, word in enumerate(words)}, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    named = {"pad_token": "<pad>", "unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>"}
    tokenizer = tf.PreTrainedTokenizerFast(
        tokenizer_object=made, additional_special_tokens=["<image>"], **named
    )
    for seed in range(5):
        model = _trained(len(words), steps, seed)
        share = _continued(model, len(words))
        print(
            f"language model, seed {seed}: goes on with the right one of two words in {share:.3f}", flush=True
        )
        if share > 0.9:
            break
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _trained(vocabulary: int, steps: int, seed: int) -> Any:
    import transformers as tf

    torch.manual_seed(seed)
    shape = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 2}
    ids = {"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3}
    model = tf.LlamaForCausalLM(
        tf.LlamaConfig(vocab_size=vocabulary, max_position_embeddings=128, **shape, **ids)
    )
    rng = np.random.default_rng(seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, betas=(0.9, 0.98), fused=True)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = 3e-3 * min(1.0, (step + 1) / 30, 1.5 * (1 - step / steps))
        rows = torch.from_numpy(_texts(np.arange(2, vocabulary), 32, rng))
        logits = model(rows).logits[:, :-1]
        loss = F.cross_entropy(logits.flatten(0, 1), rows[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    return model.eval()


@torch.inference_mode()
def _continued(model: Any, vocabulary: int) -> float:
    """Return how often, after ``a x b y a x b y a``, x is likelier than y."""
    rng, right = np.random.default_rng(0), []
    for _ in range(200):
        a, x, b, y = rng.choice(np.arange(2, vocabulary), 4, replace=False).tolist()
        last = model(torch.tensor([[a, x, b, y, a, x, b, y, a]])).logits[0, -1]
        right.append(bool(last[x] > last[y]))
    return statistics.mean(right)


def _texts(words: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return texts (count, LENGTH) that go on as before: phrases that come again, and pairs in any order."""
    rows = []
    for n in range(count):
        if n % 2:
            rows.append(np.resize(rng.choice(words, rng.integers(3, 13)), LENGTH))
        else:
            pairs = rng.choice(words, (rng.integers(2, 5), 2), replace=False)
            rows.append(pairs[rng.integers(len(pairs), size=LENGTH // 2)].reshape(-1))
    return np.stack(rows)


def tower(folder: Path) -> None:
    """Write CLIP's vision tower with random weights: 3 x 3 tokens of 24 numbers."""
    import transformers as tf
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    torch.manual_seed(0)
    size = {"hidden_size": 24, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
    tf.CLIPVisionModel(tf.CLIPVisionConfig(**size, image_size=SIDE, patch_size=8)).save_pretrained(folder)
    CLIPImageProcessorPil(size={"shortest_edge": SIDE}).save_pretrained(folder)


def pictures(folder: Path, seed: int) -> tuple[Path, Path]:
    """Write pictures of colours; return the manifests of those to learn from and of those held out."""
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*[np.linspace(20, 235, 5)] * 3), -1).reshape(-1, 3)
    colours = grid[rng.choice(len(grid), COLOURS, replace=False)]
    found = {}
    folder.mkdir(parents=True, exist_ok=True)
    for name, part in (("taught", range(HELD, COLOURS)), ("held", range(HELD))):
        rows = []
        for n in part:
            for k in range(PICTURES):
                pixels = colours[n] + rng.normal(0, 6, 3) + rng.normal(0, 20, (SIDE, SIDE, 3))
                path = folder / f"{n}_{k}.png"
                Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(path)
                rows.append({"path": str(path.resolve()), "text": f"word{n // WORDS} word{n % WORDS}"})
        found[name] = folder / f"{name}.jsonl"
        found[name].write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return found["taught"], found["held"]


def measure(out: Path, seed: int, steps: int, episodes: int) -> dict[str, dict[str, float]]:
    """Train beside ``language`` and ``tower``; return the table of ``few-shot-naming``, colours held out.

    Args:
        out: folder of all.
        seed: of pictures, weights and episodes.
        steps: updates of Flamingo.
        episodes: how many are measured.
    """
    folder, done = out / f"seed{seed}", out / f"seed{seed}.json"
    if done.exists():
        return dict(json.loads(done.read_text(encoding="utf-8")))
    began = time.perf_counter()
    taught, held = pictures(folder / "pictures", seed)
    parts = {"language_model": str(out / "language"), "backbone": str(out / "tower")}
    options = {**RECIPE, **parts, "episodes": str(taught), "steps": steps, "seed": seed}
    resume = (folder / "run").exists()
    whole(sayso.train("flamingo", taught, folder / "run", resume=resume, **options))
    model = load_generator(str(folder / "run"), device="cpu")
    rows = measure_episodes(model, read_picture_pairs(held), SHOTS, episodes, Silent())
    found = {way: {key: float(value or 0.0) for key, value in row.items()} for way, row in rows.items()}
    done.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    each = ", ".join(f"{way} {row['accuracy']:.3f}" for way, row in found.items())
    print(f"seed {seed}: {each}; {time.perf_counter() - began:.0f} s", flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("out", type=Path)
    defaults = {"seeds": 5, "first": 0, "steps": 500, "language-steps": 1000, "episodes": 200}
    for name, value in defaults.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    options = parser.parse_args()
    if not (options.out / "language" / "tokenizer.json").exists():
        language_model(options.out / "language", options.language_steps)
    tower(options.out / "tower")
    seeds = range(options.first, options.first + options.seeds)
    found = [measure(options.out, seed, options.steps, options.episodes) for seed in seeds]
    for way in found[0]:
        values = [rows[way]["accuracy"] for rows in found]
        spread = statistics.stdev(values) if len(values) > 1 else 0.0
        each = ", ".join(f"{rows[way]['low']:.2f} to {rows[way]['high']:.2f}" for rows in found)
        print(f"{way:9}  {statistics.mean(values):.3f} ± {spread:.3f}  (95 %: {each})")


if __name__ == "__main__":
    run(main)
