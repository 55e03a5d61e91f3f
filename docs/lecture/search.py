# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---
# %% [markdown]
# # Search: from words to the moment
#
# Pictures, clips and texts become vectors of one space, in which near means alike. A query is a text; its
# nearest clips are the answer. What people *say* in a video is searched as words, beside what is seen.
#
# The data is drawn here: `sayso sample DIR` writes the same folder. The model is `offline`, which comes with
# packages and knows photographs better than drawings.

# %%
import tempfile
import textwrap
from pathlib import Path

import av
import matplotlib.pyplot as plt
import numpy as np

import sayso
from sayso.toyworld import write_sample
from sayso.toyworld.captioned import draw_things

folder = write_sample(Path(tempfile.mkdtemp()) / "sample")
index = sayso.Index.open(folder / "my.index", "offline")
report = index.add(folder / "film", folder / "howto", folder / "captioned" / "test")
print(report.added, "files,", index.info()["clips"], "clips")


# %% [markdown]
# ## What a query finds
# Above each picture: the score, and what it is of. From 0.5 on a hit counts as found; below are guesses. Under
# it: what is said there, where that made it a hit. People name a step before or after they do it, so that the
# middle of such a moment may show nothing of it.


# %%
def frame_at(path, second):
    """Return the picture, or the frame of a video at a second, (H, W, 3)."""
    if Path(path).suffix == ".png":
        return plt.imread(path)
    with av.open(str(path)) as video:
        return next(
            frame.to_ndarray(format="rgb24") for frame in video.decode(video=0) if frame.time >= second
        )


queries = ("grandmother brought it from Lisbon", "paint the cross", "lift the star", "a moon")
fig = plt.figure(figsize=(11, 12), layout="constrained")
for part, query in zip(fig.subfigures(len(queries), 1), queries, strict=True):
    part.suptitle(f"“{query}”", x=0.01, ha="left", weight="bold")
    axes = part.subplots(1, 5)
    for axis in axes:
        axis.axis("off")
    for axis, hit in zip(axes, index.search(query, limit=5), strict=False):
        axis.imshow(frame_at(hit.path, hit.best_s))
        where = Path(hit.path).stem + (f" {hit.best_s:.0f} s" if hit.end_s else "")
        axis.set_title(f"{hit.score:.2f}  {where}", fontsize=9)
        if hit.spoken:
            said = "\n".join(textwrap.wrap(hit.text, 28, max_lines=3))
            axis.text(0.5, -0.04, said, transform=axis.transAxes, ha="center", va="top", fontsize=7)
plt.show()

# %% [markdown]
# ## The space itself
# Twelve drawn things against twelve names: the cosine of each pair. A perfect model would have a bright
# diagonal and nothing else. This one was made for photographs: of drawings it tells some outlines apart, and
# hardly their colours.

# %%
encoder = sayso.load_encoder("offline")
kinds = [(colour, thing) for colour in ("red", "green", "blue") for thing in ("ball", "cup", "key", "star")]
rng = np.random.default_rng(0)
pictures = [draw_things(rng, 128, (kind,)) for kind in kinds]
names = [" ".join(kind) for kind in kinds]


def unit(rows):
    """Return rows of length 1."""
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


seen, said = unit(encoder.encode_images(pictures)), unit(encoder.encode_text(names))
cosines = seen @ said.T
fig, axis = plt.subplots(figsize=(7, 6))
shown = axis.imshow(cosines, cmap="viridis")
axis.set_xticks(range(12), names, rotation=60, ha="right")
axis.set_yticks(range(12), names)
axis.set(xlabel="text", ylabel="picture", title="cosine of picture and text, model offline")
fig.colorbar(shown)
fig.tight_layout()
plt.show()
right = np.mean(cosines.argmax(1) == np.arange(12))
print(f"nearest name is right for {right:.2f} of the pictures; chance {1 / 12:.2f}")
