# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---
# %% [markdown]
# # HowTo100M: a joint embedding from narrated videos alone
#
# A hundred million clips and what was said in them; half of the pairs are wrong. A shallow model over fixed
# features of the clips learns through that noise, if there is enough of it: clip and sentence become vectors
# that are near if they belong together (Miech et al., ICCV 2019). Half of the weight of the negatives is on
# clips of the *same* video, which only what is done in a clip tells apart.
#
# Narrated videos are drawn as words, times and features. What the test asks for, pairs of a verb and a
# thing, no training video shows or names.

# %%
import csv
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import sayso
from sayso.data.features import pool_span
from sayso.toyworld import held_out_videos, render, training_video
from sayso.toyworld.tasks import task_features

SEED = 0
folder = Path(tempfile.mkdtemp())


def write_corpus(out, videos):
    """Write narration as a manifest and features of a second each; the videos need not be there."""
    (out / "features").mkdir(parents=True)
    with (out / "captions.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("path", "start_s", "end_s", "text"))
        for number in range(videos):
            video = training_video(SEED, number)
            for line in video.lines:
                table.writerow((f"v{number}.mp4", line.span.start, line.span.end, line.text))
            np.save(out / "features" / f"v{number}.npy", task_features(SEED, video, noise=1.5))
    return out


first = training_video(SEED, 0)
for line in first.lines[:6]:
    about = "chatter" if line.about is None else f"shown at {first.steps[line.about].span.start:.1f} s"
    print(f"{line.span.start:5.1f} s  {line.text:48} {about}")

# %% [markdown]
# ## The test: clips of pairs that were never shown or named
# Each clip has one description; how often is the right one of 49 clips the first that comes up (R@1), or one of
# the first five (R@5)?

# %%
clips = {}
for video in held_out_videos(SEED, 392):
    rows = task_features(SEED, video, noise=1.5)
    for step in video.steps:
        feature = pool_span(rows, 1.0, step.span.start, step.span.end)
        clips.setdefault((step.verb, step.thing), (feature, step, video))
features = np.stack([feature for feature, _, _ in clips.values()])
texts = [f"{verb} the {thing}" for verb, thing in clips]


def trained(videos, **options):
    """Return the model of a run over so many videos."""
    name = f"{videos}-{len(options)}"
    corpus = write_corpus(folder / f"corpus-{name}", videos)
    done = sayso.train(
        "howto100m",
        corpus / "captions.csv",
        folder / f"run-{name}",
        features=[str(corpus / "features")],
        feature_rates=[1.0],
        join_s=5.0,
        dim=128,
        word_dim=64,
        lr=2e-3,
        per_video=4,
        batch_size=64,
        steps=250,
        warmup=20,
        workers=0,
        **options,
    )
    return sayso.load(str(done.folder))


def recall(model):
    """Return R@1 and R@5 of texts among the clips."""
    scores = model.encode_text(texts) @ model.encode_features(features).T
    rank = (scores > np.diagonal(scores)[:, None]).sum(1)
    return [float(np.mean(rank < k)) for k in (1, 5)]


# %% [markdown]
# ## The curve over scale
# The same model and the same number of steps, over more and more videos.

# %%
counts = (16, 64, 256, 512)
models = [trained(count) for count in counts]
found = np.array([recall(model) for model in models])
fig, axis = plt.subplots(figsize=(6, 3.5))
for column, k in enumerate((1, 5)):
    line = axis.plot(counts, found[:, column], "o-", label=f"R@{k}")[0]
    axis.axhline(k / len(clips), color=line.get_color(), ls=":", lw=1)
axis.set_xscale("log", base=2)
axis.set_xticks(counts, [str(count) for count in counts])
axis.set(xlabel="narrated videos (dotted: chance)", ylabel="recall of unseen pairs", ylim=(0, 1))
axis.legend()
fig.tight_layout()
plt.show()
print({count: [round(float(v), 2) for v in row] for count, row in zip(counts, found, strict=True)})

# %% [markdown]
# ## Retrieved clips for a query
# The best five of 49 with the most videos. Clips are shown in their middle; the right one has a green frame.


# %%
def middle_of(step, video):
    """Return the frame in the middle of a step, (H, W, 3) uint8."""
    frames = np.concatenate(list(render(video, size=96, fps=5)))
    return frames[int((step.span.start + step.span.end) / 2 * 5)]


queries = [texts[k] for k in (3, 17, 30, 44)]
shown = models[-1].encode_features(features)
fig = plt.figure(figsize=(9, 8), layout="constrained")
for part, query in zip(fig.subfigures(len(queries), 1), queries, strict=True):
    part.suptitle(f"“{query}”", x=0.01, ha="left", weight="bold")
    scores = models[-1].encode_text([query])[0] @ shown.T
    for axis, k in zip(part.subplots(1, 5), np.argsort(-scores)[:5], strict=True):
        _, step, video = list(clips.values())[k]
        axis.imshow(middle_of(step, video))
        axis.set_title(f"{scores[k]:.2f}  {step.verb} {step.thing}", fontsize=9)
        axis.set(xticks=[], yticks=[])
        for side in axis.spines.values():
            side.set(color="limegreen" if texts[k] == query else "none", linewidth=4)
plt.show()
