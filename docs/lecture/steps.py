# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---
# %% [markdown]
# # Steps: what narrated videos of one task have in common
#
# Many people film the same task and narrate it. First their narrations are aligned: what most of them
# mention, in the same order, are the steps. Then each step gets a time in each video, near its mention and in
# order, such that a linear classifier explains all times at once: discriminative clustering (Alayrac et al.,
# CVPR 2016). Nobody labels anything.
#
# Thirty videos of a task are drawn as words, times and features, so that the truth is known.

# %%
import matplotlib.pyplot as plt
import numpy as np

from sayso import Caption
from sayso.metrics.steps import step_f1
from sayso.systems.instruction_steps import NarratedVideo, StepsRecipe, discover_steps
from sayso.toyworld.tasks import task_features, task_steps, task_truth, task_video

SEED, TASK = 0, 1
videos = [task_video(SEED, TASK, number) for number in range(30)]
steps = [" ".join(step) for step in task_steps(SEED, TASK)]
features = [task_features(SEED, video, noise=1.0) for video in videos]
captions = [[Caption(line.span, line.text) for line in video.lines] for video in videos]
for line in captions[0][:8]:
    print(f"{line.span.start:5.1f} s  {line.text}")

# %% [markdown]
# ## The script: steps found in the narrations

# %%
narrated = [
    NarratedVideo(str(n), rows, lines) for n, (rows, lines) in enumerate(zip(features, captions, strict=True))
]
recipe = StepsRecipe(num_steps=len(steps), before_s=5, after_s=5)
found = discover_steps(narrated, recipe)
for number, (true, step) in enumerate(zip(steps, found.script, strict=True), 1):
    print(f"{number:2}  drawn: {true:18} found: {step.name}")

# %% [markdown]
# ## Truth and prediction along time
# Bars are where a step is seen, in its own colour; dots are where it was found, a cross where it is held to
# be absent. A dot over a bar of its colour is right. Where two steps change places, the order costs one.

# %%
fig, axes = plt.subplots(6, 1, figsize=(11, 8), sharex=True)
colours = plt.get_cmap("tab20")(np.linspace(0, 1, len(steps)))
for axis, number in zip(axes, range(6), strict=True):
    for step in videos[number].steps:
        axis.barh(
            0, step.span.end - step.span.start, left=step.span.start, color=colours[step.number], height=0.8
        )
    for place in found.locations[number]:
        mark = "o" if place.present else "x"
        colour = colours[place.step] if place.present else "grey"
        axis.plot(place.time_s, 0.65, mark, color=colour, markersize=8, clip_on=False)
    axis.set(yticks=[], ylim=(-0.5, 0.9), ylabel=f"video {number}")
axes[0].set(xlim=(0, None), title="bars: truth; dots: where the step was found; crosses: held to be absent")
axes[-1].set_xlabel("seconds")
fig.tight_layout()
plt.show()

# %% [markdown]
# ## What it is worth
# F1 over all thirty videos, by the paper's protocol, beside two ways that look at nothing.

# %%
truth = [task_truth(video, len(steps)) for video in videos]
lengths = [len(rows) for rows in features]
rng = np.random.default_rng(0)
ways = {
    "uniform in time": [((np.arange(len(steps)) + 0.5) * T / len(steps)).astype(int) for T in lengths],
    "random, in order": [np.sort(rng.choice(T, len(steps), replace=False)) for T in lengths],
    "text and video": [np.array([int(place.time_s) for place in places]) for places in found.locations],
}
scores = {way: step_f1(list(zip(truth, times, strict=True))).f1 for way, times in ways.items()}
fig, axis = plt.subplots(figsize=(6, 2.5))
bars = axis.barh(list(scores), list(scores.values()), color=["grey", "grey", "C1"])
axis.bar_label(bars, fmt="%.2f", padding=3)
axis.set(xlim=(0, 1), xlabel="F1")
fig.tight_layout()
plt.show()
