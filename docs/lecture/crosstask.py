# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---
# %% [markdown]
# # CrossTask: steps of named tasks, learned from narration and order
#
# Here the steps of a task are known by name and in order ("pour water, stir milk, add ice"); no time is. The
# narration mentions some of them, too early, too late, or not at all. A classifier for each step is made of
# components, one a word: what "pour" looks like is learned from all tasks that pour something (Zhukov et al.,
# CVPR 2019). Training alternates between placing the steps in order and learning to tell them apart.
#
# Five tasks of the toy world are drawn as words, times and features, in the layout of the published release.

# %%
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import sayso
from sayso import Caption
from sayso.evaluation import EvaluationOptions, evaluate
from sayso.text import write_vtt
from sayso.toyworld.tasks import TASKS, task_features, task_steps, task_video

SEED, ASIDE, NOISE = 0, 10, 2.5


def write_release(folder, videos):
    """Write lists, narration and features of so many videos a task to learn from, and of others kept aside."""
    for name in ("annotations", "captions", "features"):
        (folder / name).mkdir(parents=True)
    tasks, every, aside = [], [], []
    for task in range(TASKS):
        steps = [" ".join(step) for step in task_steps(SEED, task)]
        tasks.append(f"{task}\ntask {task}\nx\n{len(steps)}\n{','.join(steps)}\n")
        for number in [*range(videos), *range(100, 100 + ASIDE)]:
            video, name = task_video(SEED, task, number), f"t{task}v{number}"
            every.append(f"{task},{name},x\n")
            if number >= 100:
                aside.append(every[-1])
            rows = [f"{s.number + 1},{s.span.start},{s.span.end}\n" for s in video.steps]
            (folder / "annotations" / f"{task}_{name}.csv").write_text("".join(rows))
            captions = [Caption(line.span, line.text) for line in video.lines]
            (folder / "captions" / f"{name}.vtt").write_text(write_vtt(captions))
            np.save(folder / "features" / f"{name}.npy", task_features(SEED, video, noise=NOISE))
    for name, lines in (("tasks_primary.txt", tasks), ("videos.csv", every), ("videos_val.csv", aside)):
        (folder / name).write_text(("\n" if name.startswith("tasks") else "").join(lines))
    return folder


def trained(release, run, **options):
    """Return step classifiers learned from a release."""
    done = sayso.train(
        "crosstask",
        release,
        run,
        features=str(release / "features"),
        windows=str(release / "captions"),
        before_s=6.0,
        after_s=6.0,
        steps=100,
        batch_size=10,
        **options,
    )
    return sayso.load(str(done.folder))


folder = Path(tempfile.mkdtemp())
release = write_release(folder / "release", 12)
model = trained(release, folder / "run")
print({task: ", ".join(steps[:3]) + " ..." for task, steps in model.tasks.items()})

# %% [markdown]
# ## Score maps of a video that was kept aside
# A row a step of the task, a column a second. Frames are where the step is seen, crosses where it is placed:
# one second a step, in order, such that the scores add up to most.

# %%
TASK, NUMBER = 0, 103
video = task_video(SEED, TASK, NUMBER)
features = np.load(release / "features" / f"t{TASK}v{NUMBER}.npy")
scores, places = model.scores(features, str(TASK)), model.place(features, str(TASK))
fig, axis = plt.subplots(figsize=(11, 4))
axis.imshow(scores.T, aspect="auto", cmap="viridis")
for step in video.steps:
    span = step.span
    axis.add_patch(
        plt.Rectangle((span.start - 0.5, step.number - 0.5), span.duration, 1, fill=False, color="w", lw=2)
    )
axis.plot(places, np.arange(len(places)), "rx", markersize=9, markeredgewidth=3)
axis.set_yticks(range(len(places)), model.tasks[str(TASK)])
axis.set_xlabel("seconds")
fig.tight_layout()
plt.show()

# %% [markdown]
# ## What sharing words is worth
# Recall on 50 videos kept aside (the one second placed for a step lies in it), over the videos a task that were
# learned from. The supervised bound was told the seconds.

# %%
counts = (2, 4, 8, 16)
ways = {
    "each step for itself": {"share": "none"},
    "words shared": {"share": "words"},
    "supervised": {"share": "words", "learn": "annotations"},
}
recalls = {way: [] for way in ways}
for count in counts:
    data = write_release(folder / f"release{count}", count)
    for number, (way, options) in enumerate(ways.items()):
        classifier = trained(data, folder / f"run{count}-{number}", **options)
        found = evaluate("crosstask", classifier, data, EvaluationOptions(features=data / "features"))
        recalls[way].append(found.primary.value)
        uniform = found.published[0]["recall"]
fig, axis = plt.subplots(figsize=(6, 3.5))
for way, values in recalls.items():
    axis.plot(counts, values, "o--" if way == "supervised" else "o-", label=way)
axis.axhline(uniform, color="grey", ls=":", label="uniform in time")
axis.set(xlabel="videos a task", ylabel="recall", xticks=counts, ylim=(0, 1))
axis.legend()
fig.tight_layout()
plt.show()
print({way: [round(value, 2) for value in values] for way, values in recalls.items()})

# %% [markdown]
# ## A task that nobody learned
# Its steps are made of the same words in other pairs, so that their classifiers are already there.

# %%
verbs = list(dict.fromkeys(step.split()[0] for steps in model.tasks.values() for step in steps))
things = list(dict.fromkeys(step.split()[1] for steps in model.tasks.values() for step in steps))
new = [f"{verbs[k]} {things[-1 - k]}" for k in range(4)]
print("new steps:", new, "placed at", model.place(features, "new", new).tolist())
