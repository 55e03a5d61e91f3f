# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---
# %% [markdown]
# # Zero-shot: a classifier made of words
#
# CLIP (Radford et al., 2021) learns from pictures and what people wrote beside them: in each batch, which
# text belongs to which picture? A class is then a name. Put into a few sentences and embedded, it is the weight
# of a classifier: no picture of the class is needed, and none was shown in training.
#
# Pictures of one or two things are drawn, with captions in many words. A quarter of the kinds (a colour and
# a thing) is held out: training never shows or names them, though each colour and each thing comes in others.

# %%
import json
import tempfile
import textwrap
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

import sayso
from sayso.toyworld import write_captioned
from sayso.toyworld.captioned import CAPTION_TEMPLATES, kinds_of_things
from sayso.toyworld.words import COLOURS

folder = Path(tempfile.mkdtemp())
world = write_captioned(folder / "world", train=2400, test=224, size=64)
captions = json.loads((world / "train" / "captions.json").read_text())
fig, axes = plt.subplots(1, 6, figsize=(11, 2.4))
for axis, row, picture in zip(axes, captions["annotations"], captions["images"], strict=False):
    axis.imshow(Image.open(world / "train" / "images" / picture["file_name"]))
    axis.set_title("\n".join(textwrap.wrap(row["caption"], 24)), fontsize=8)
    axis.axis("off")
fig.tight_layout()
plt.show()

# %% [markdown]
# ## Training, and what it is worth on the way
# As in LiT (Zhai et al., 2022) two networks stay as they are, one for pictures and one for texts, which come with
# packages; two heads learn to bring them together. At each checkpoint every picture of a kind *never shown* is
# given the likeliest of all 112 names; how often is the colour right, the thing, both?

# %%
done = sayso.train(
    "clip", world / "train" / "captions.json", folder / "run", recipe="lit", dim=256, batch_size=256, steps=160, warmup=20,
    save_every=20, save_total_limit=9, log_every=20,
)  # fmt: skip
every = sorted(" ".join(kind) for test in (True, False) for kind in kinds_of_things(test=test))
files = sorted((world / "zero_shot").rglob("*.png"))
pictures = [Image.open(path).convert("RGB") for path in files]
right = [path.parent.name for path in files]
TEMPLATES = [template.replace("{}", "{c}") for template in CAPTION_TEMPLATES]


def shares(model, templates):
    """Return how often the colour is right, the thing, and both."""
    what = sayso.classifier(model, every, templates)
    found = [what.names[k] for k in what(pictures).argmax(1)]
    pairs = [(a.split(), b.split()) for a, b in zip(found, right, strict=True)]
    return [np.mean([a[0] == b[0] for a, b in pairs]), np.mean([a[1] == b[1] for a, b in pairs]),
            np.mean([a == b for a, b in pairs])]  # fmt: skip


checkpoints = sorted((folder / "run").glob("step_*"))
at = [int(path.name[5:]) for path in checkpoints]
models = [sayso.load_encoder(str(path)) for path in checkpoints]
curve = np.array([shares(model, TEMPLATES) for model in models])
fig, axis = plt.subplots(figsize=(6, 3.5))
for column, (label, chance) in enumerate((("colour", 1 / 8), ("thing", 1 / 14), ("both", 1 / 112))):
    line = axis.plot(at, curve[:, column], "o-", label=label)[0]
    axis.axhline(chance, color=line.get_color(), ls=":", lw=1)
axis.set(xlabel="steps of training (dotted: chance)", ylabel="top-1, kinds never shown", ylim=(0, 1))
axis.legend()
fig.tight_layout()
plt.show()
print("seven sentences:", dict(zip(("colour", "thing", "both"), curve[-1].round(3).tolist(), strict=True)))
one = shares(models[-1], ["a photo of a {c}"])
print("one sentence:   ", dict(zip(("colour", "thing", "both"), np.round(one, 3).tolist(), strict=True)))

# %% [markdown]
# A network that begins with random weights learns colours first and things hardly, in so few steps: the page
# of CLIP has the numbers.

# %% [markdown]
# ## Eight pictures, and the likeliest names

# %%
what = sayso.classifier(models[-1], every, TEMPLATES)
chosen = list(range(0, len(files), len(files) // 8))[:8]
fig, axes = plt.subplots(2, 8, figsize=(12, 3.6))
for (top, low), k in zip(axes.T, chosen, strict=True):
    top.imshow(pictures[k])
    top.set_title(right[k], fontsize=9)
    top.axis("off")
    chances = what([pictures[k]])[0]
    best = np.argsort(-chances)[:4][::-1]
    names = [what.names[n] for n in best]
    low.barh(range(4), chances[best], color=["C2" if name == right[k] else "silver" for name in names])
    for n, name in enumerate(names):
        low.text(0.02 * chances.max(), n, name, fontsize=8, va="center")
    low.set(xticks=[], yticks=[])
fig.tight_layout()
plt.show()

# %% [markdown]
# ## Which colours are taken for which
# A row a true colour; what the classifier says of pictures of kinds never shown.

# %%
colours = list(COLOURS)
table = np.zeros((len(colours), len(colours)))
for k, answer in enumerate(what(pictures).argmax(1)):
    table[colours.index(right[k].split()[0]), colours.index(what.names[answer].split()[0])] += 1
fig, axis = plt.subplots(figsize=(5, 4.4))
shown = axis.imshow(table / table.sum(1, keepdims=True), vmin=0, vmax=1, cmap="Blues")
axis.set_xticks(range(len(colours)), colours, rotation=60)
axis.set_yticks(range(len(colours)), colours)
axis.set(xlabel="said", ylabel="drawn")
fig.colorbar(shown)
fig.tight_layout()
plt.show()
