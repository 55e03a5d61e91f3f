# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---
# %% [markdown]
# # Localisation: where in the picture, from tags alone
#
# A tag names a picture, not a place in it. A network that scores every cell of a grid, and is trained so that
# its best cell decides about the tag, finds the place by itself (Oquab et al., CVPR 2015).
#
# Scenes of several things are drawn. Their tags are learned from; their boxes are used to measure alone.

# %%
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
from PIL import Image

import sayso
from sayso.evaluation import evaluate
from sayso.toyworld import write_scenes

folder = Path(tempfile.mkdtemp())
scenes = write_scenes(folder / "scenes", train=800, test=24, size=256)
options = {"recipe": "localize-toy", "steps": 160, "warmup": 50, "scales": [0.7, 1.0, 1.4]}
options |= {"save_every": 40, "save_total_limit": 9}
sayso.train("localize", scenes / "train", folder / "run", **options)
checkpoints = sorted((folder / "run").glob("step_*"))
print([path.name for path in checkpoints])

# %% [markdown]
# ## Score maps over training iterations
# One class a row; bright is where the network sees it. No box was learned from.

# %%
models = [sayso.load(str(path)) for path in checkpoints]
names = models[-1].names
pictures = [Image.open(path).convert("RGB") for path in sorted((scenes / "test" / "images").glob("*.png"))]
last = [models[-1].see(picture) for picture in pictures]
certain = sorted(range(len(pictures)), key=lambda n: -last[n].scores.max())[:4]
fig, axes = plt.subplots(len(certain), len(models) + 1, figsize=(11, 9))
for row, number in zip(axes, certain, strict=True):
    k = int(last[number].scores.argmax())
    row[0].imshow(pictures[number])
    row[0].set_title(f"“{names[k]}”?", fontsize=10)
    for axis, model, path in zip(row[1:], models, checkpoints, strict=True):
        seen = model.see(pictures[number])
        axis.imshow(pictures[number])
        axis.imshow(
            seen.maps[k], extent=(0, 256, 256, 0), cmap="inferno", alpha=0.65, interpolation="bilinear"
        )
        axis.plot(*seen.points[k], "c+", markersize=12, markeredgewidth=2)
        axis.set_title(f"step {int(path.name[5:])}: {seen.scores[k]:.1f}", fontsize=9)
for axis in axes.flat:
    axis.axis("off")
fig.tight_layout()
plt.show()

# %% [markdown]
# ## Measured on other scenes
# Naming is mean average precision of "is it there"; in pointing a hit also needs the best cell on the thing.

# %%
rows = [evaluate("weak-localization", model, scenes / "test").rows["mean"] for model in models]
fig, axis = plt.subplots(figsize=(6, 3.5))
at = [int(path.name[5:]) for path in checkpoints]
for column, label in (("classification", "naming"), ("pointing", "pointing")):
    axis.plot(at, [row[column] for row in rows], "o-", label=label)
axis.set(xlabel="steps of training", ylabel="mean average precision", ylim=(0, 1), xticks=at)
axis.legend()
fig.tight_layout()
plt.show()
print({name: round(float(rows[-1][name]), 3) for name in ("classification", "pointing")})
