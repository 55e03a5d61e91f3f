# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---
# %% [markdown]
# # Flamingo: a frozen language model learns to see, and to learn from examples
#
# A language model goes on as the text before it does. Flamingo (Alayrac et al., 2022) leaves it frozen, and a
# picture tower too; what is trained stands between them: a resampler, and gated blocks through which the text
# looks at the last picture before it. Two examples in the prompt can then teach a new name.
#
# Here all is tiny: a language model of two layers that knows 37 words and one thing, that pairs of words come
# again; a picture tower of random weights; pictures of colours. The names to learn are invented.

# %%
import json
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
import transformers as tf
from PIL import Image
from tokenizers import Tokenizer, models, pre_tokenizers
from torch.nn.functional import cross_entropy
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

import sayso
from sayso.data.episodes import INVENTED
from sayso.generators import Exchange, Prompt, load_generator

SEED, SIDE, WORDS, COLOURS, ASIDE, EACH = 0, 24, 8, 48, 12, 8
folder = Path(tempfile.mkdtemp())

# %% [markdown]
# ## The language model
# It is trained on texts of random words in which phrases and pairs come again, and on nothing else. Asked is:
# after `a x b y a x b y a`, is x likelier than y?


# %%
def texts(words, count, rng):
    """Return texts (count, 32) that go on as before: phrases that come again, and pairs in any order."""
    rows = []
    for n in range(count):
        if n % 2:
            rows.append(np.resize(rng.choice(words, rng.integers(3, 13)), 32))
        else:
            pairs = rng.choice(words, (rng.integers(2, 5), 2), replace=False)
            rows.append(pairs[rng.integers(len(pairs), size=16)].reshape(-1))
    return np.stack(rows)


@torch.inference_mode()
def goes_on(model, size):
    """Return how often it goes on with the right one of two words."""
    rng, right = np.random.default_rng(0), []
    for _ in range(100):
        a, x, b, y = rng.choice(np.arange(2, size), 4, replace=False).tolist()
        last = model(torch.tensor([[a, x, b, y, a, x, b, y, a]])).logits[0, -1]
        right.append(float(last[x] > last[y]))
    return float(np.mean(right))


special = ["<pad>", "<unk>", "<s>", "</s>", "<image>"]
words = [*special, "Output", ":", *INVENTED, *(f"word{n}" for n in range(WORDS))]
splits = Tokenizer(models.WordLevel({word: n for n, word in enumerate(words)}, unk_token="<unk>"))
splits.pre_tokenizer = pre_tokenizers.Whitespace()
tokenizer = tf.PreTrainedTokenizerFast(
    tokenizer_object=splits, additional_special_tokens=["<image>"],
    pad_token="<pad>", unk_token="<unk>", bos_token="<s>", eos_token="</s>",
)  # fmt: skip
torch.manual_seed(SEED)
shape = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 2}
ids = {"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3}
language = tf.LlamaForCausalLM(
    tf.LlamaConfig(vocab_size=len(words), max_position_embeddings=128, **shape, **ids)
)
rng, steps = np.random.default_rng(SEED), 1000
optimizer = torch.optim.AdamW(language.parameters(), lr=3e-3, betas=(0.9, 0.98), fused=True)
losses, known = [], []
for step in range(steps):
    for group in optimizer.param_groups:
        group["lr"] = 3e-3 * min(1.0, (step + 1) / 30, 1.5 * (1 - step / steps))
    rows = torch.from_numpy(texts(np.arange(2, len(words)), 32, rng))
    loss = cross_entropy(language(rows).logits[:, :-1].flatten(0, 1), rows[:, 1:].flatten())
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(language.parameters(), 1.0)
    optimizer.step()
    losses.append(float(loss.detach()))
    if step % 100 == 99:
        known.append((step + 1, goes_on(language, len(words))))
language.eval().save_pretrained(folder / "language")
tokenizer.save_pretrained(folder / "language")
fig, axis = plt.subplots(figsize=(6, 3))
axis.plot(losses, color="silver", label="loss")
axis.set(xlabel="step", ylabel="loss")
right = axis.twinx()
right.plot(*zip(*known, strict=True), "C1o-")
right.set(ylim=(0.4, 1.02), ylabel="accuracy")
right.yaxis.label.set_color("C1")
fig.tight_layout()
plt.show()

# %% [markdown]
# ## Pictures, and a tower that sees them
# 48 colours, each under other light; twelve are kept aside: no caption and no episode of training has them.

# %%
size = {"hidden_size": 24, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
torch.manual_seed(0)
tf.CLIPVisionModel(tf.CLIPVisionConfig(**size, image_size=SIDE, patch_size=8)).save_pretrained(
    folder / "tower"
)
CLIPImageProcessorPil(size={"shortest_edge": SIDE}).save_pretrained(folder / "tower")
rng = np.random.default_rng(SEED)
grid = np.stack(np.meshgrid(*[np.linspace(20, 235, 5)] * 3), -1).reshape(-1, 3)
colours = grid[rng.choice(len(grid), COLOURS, replace=False)]


def draw(colour):
    """Return a picture of a colour (SIDE, SIDE, 3) uint8."""
    pixels = colour + rng.normal(0, 6, 3) + rng.normal(0, 20, (SIDE, SIDE, 3))
    return np.clip(pixels, 0, 255).astype(np.uint8)


rows = []
for n in range(ASIDE, COLOURS):
    for k in range(EACH):
        Image.fromarray(draw(colours[n])).save(folder / f"{n}_{k}.png")
        rows.append({"path": f"{n}_{k}.png", "text": f"word{n // WORDS} word{n % WORDS}"})
(folder / "learn.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
aside = [[draw(colours[n]) for _ in range(EACH)] for n in range(ASIDE)]
small = {
    "size": SIDE, "views": 1, "layers": (0, 1), "dim": 32, "depth": 1, "heads": 2, "head_dim": 16, "latents": 4,
    "block_heads": 2, "dropout": 0.0, "batch_size": 32, "shares": (2, 30), "weights": (0.2, 1.0), "lr": 5e-3,
    "gate_lr_multiplier": 10.0, "resampler_lr_multiplier": 1.0, "warmup": 10, "workers": 0, "shots": 2,
}  # fmt: skip
done = sayso.train(
    "flamingo", folder / "learn.jsonl", folder / "run", language_model=str(folder / "language"),
    backbone=str(folder / "tower"), episodes=str(folder / "learn.jsonl"), steps=250, save_every=1000, **small,
)  # fmt: skip
model = load_generator(str(done.folder), device="cpu")

# %% [markdown]
# ## A dialogue: four examples, then a question
# Two colours that training never had, two invented names. Bars: how likely each name is for the last picture.


# %%
def episode(rng, shots):
    """Return examples of two colours kept aside, in any order, and a picture with its name."""
    pair, names = rng.choice(ASIDE, 2, replace=False), rng.choice(INVENTED, 2, replace=False)
    numbers = [rng.permutation(EACH) for _ in pair]
    shown = [(aside[pair[side]][k], str(names[side])) for side in (0, 1) for k in numbers[side][:shots]]
    asked = int(rng.integers(2))
    picture = aside[pair[asked]][numbers[asked][-1]]
    return [shown[k] for k in rng.permutation(len(shown))], picture, [str(name) for name in names], asked


def chances(shown, picture, names):
    """Return how likely each name is."""
    told = [Exchange("", (example,), name) for example, name in shown]
    likely = model.log_likelihood([Prompt.ask("", [picture], shots=told)], names, per_token=True)[0]
    return np.exp(likely - likely.max()) / np.exp(likely - likely.max()).sum()


fig, axes = plt.subplots(4, 6, figsize=(9, 6.5))
for number, row in enumerate(axes):
    shown, picture, names, asked = episode(np.random.default_rng(number), 2)
    for axis, (example, name) in zip(row, [*shown, (picture, "?")], strict=False):
        axis.imshow(example)
        axis.set_title(name, fontsize=10, weight="bold" if name == "?" else None)
        axis.axis("off")
    bars = row[-1].barh(names, chances(shown, picture, names))
    bars[asked].set_color("C2")
    row[-1].set(xlim=(0, 1), xticks=[])
fig.suptitle("four examples, a question, an answer (green: right)")
fig.tight_layout()
plt.show()

# %% [markdown]
# ## Accuracy over the number of examples
# 60 episodes each, with 95 % intervals. Without examples, and with the examples' words shuffled, nothing tells
# what the words mean: chance. (Not every start learns it in so few steps: of three seeds measured, two did.)


# %%
def accuracy(shots, *, shuffled=False, episodes=60):
    """Return the share of episodes answered rightly, and half of its 95 % interval."""
    right = []
    for number in range(episodes):
        rng = np.random.default_rng([number, 7])
        shown, picture, names, asked = episode(rng, shots)
        if shuffled:
            order = rng.permutation(len(shown))
            shown = [(example, shown[k][1]) for (example, _), k in zip(shown, order, strict=True)]
        right.append(int(chances(shown, picture, names).argmax()) == asked)
    mean = float(np.mean(right))
    return mean, 1.96 * (mean * (1 - mean) / episodes) ** 0.5


fig, axis = plt.subplots(figsize=(6, 3.2))
shots = (0, 1, 2, 3)
values = np.array([accuracy(k) for k in shots])
axis.errorbar([2 * k for k in shots], values[:, 0], values[:, 1], fmt="o-", capsize=3, label="as they are")
mixed = accuracy(2, shuffled=True)
axis.errorbar([4], mixed[0], mixed[1], fmt="s", capsize=3, color="C3", label="words shuffled")
axis.axhline(0.5, color="grey", ls=":", label="chance")
axis.set(xlabel="examples in the prompt", ylabel="accuracy", xticks=[2 * k for k in shots], ylim=(0.2, 1.05))
axis.legend(loc="lower right")
fig.tight_layout()
plt.show()
print(
    {2 * k: round(float(value), 2) for k, value in zip(shots, values[:, 0], strict=True)},
    "shuffled:",
    mixed[0],
)
