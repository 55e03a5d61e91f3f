# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---
# %% [markdown]
# # MIL-NCE: learning when what is said is not what is shown
#
# Narration is early or late, and half of it is about nothing visible. MIL-NCE (Miech, Alayrac et al., CVPR
# 2020) takes a *bag* of the lines nearest to a clip and asks that the bag as a whole scores higher than the
# lines of other clips: one right line in it is enough. With one line a bag it is the usual contrastive loss.
#
#     loss = - log  sum over the bag of exp(f.g)  /  (the same + sum over all other pairs of exp(f.g))
#
# Narrated videos are drawn; first as features, so that bags can be compared in seconds.

# %%
import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn

from sayso.data.features import pool_span
from sayso.losses import mil_nce
from sayso.toyworld import Narration, held_out_videos, training_video
from sayso.toyworld.tasks import task_features

SEED, VIDEOS, HALF_S, MOST = 0, 200, 1.6, 9

# %% [markdown]
# ## How far narration is off
# One video: bars are steps, dots are lines about them, joined with the step; crosses are chatter.

# %%
video = training_video(SEED, 5, narration=Narration(-1.0, 3.0))
fig, axis = plt.subplots(figsize=(11, 2.4))
for number, step in enumerate(video.steps):
    axis.barh(0, step.span.duration, left=step.span.start, color=f"C{number}", height=0.6)
    axis.text(step.span.start, 0.38, f"{step.verb}\n{step.thing}", fontsize=8, va="bottom")
for line in video.lines:
    middle = (line.span.start + line.span.end) / 2
    if line.about is None:
        axis.plot(middle, -0.9, "x", color="grey")
    else:
        step = video.steps[line.about].span
        axis.plot([middle, (step.start + step.end) / 2], [-0.9, -0.3], "-", color=f"C{line.about}", lw=1)
        axis.plot(middle, -0.9, "o", color=f"C{line.about}")
axis.set(yticks=[-0.9, 0], yticklabels=["said", "shown"], ylim=(-1.2, 1.2), xlabel="seconds")
fig.tight_layout()
plt.show()


# %% [markdown]
# ## What a bag is worth
# The same small model (a linear layer for the clip; word vectors, a layer and a maximum over words for the
# text) trained with bags of 1 to 9 lines, where narration is off by more and more. The test has pairs of a verb
# and a thing that no training video shows or names: 49 clips, one of them is right.


# %%
def examples(lag_s):
    """Return clips around lines, (N, D), and the lines nearest to each, N lists of MOST texts."""
    clips, bags = [], []
    for number in range(VIDEOS):
        film = training_video(SEED, number, narration=Narration(0.0, lag_s))
        rows = task_features(SEED, film, noise=1.5)
        middles = np.array([(line.span.start + line.span.end) / 2 for line in film.lines])
        for middle in middles if len(middles) >= MOST else ():
            start = max(0.0, min(middle, len(rows) - 2) - HALF_S)
            clips.append(pool_span(rows, 1.0, start, start + 2 * HALF_S))
            bags.append(
                [film.lines[k].text for k in np.argsort(np.abs(middles - middle), kind="stable")[:MOST]]
            )
    return torch.from_numpy(np.stack(clips)), bags


class TextNet(nn.Module):
    """Words, a layer, the maximum over words, a layer: as in the paper, but small."""

    def __init__(self, words):
        super().__init__()
        self.known = {word: n + 1 for n, word in enumerate(words)}
        self.vectors, self.hidden, self.out = (
            nn.Embedding(len(words) + 1, 32),
            nn.Linear(32, 128),
            nn.Linear(128, 64),
        )

    def tokens(self, texts):
        """Return numbers of words (N, 14); 0 is none."""
        rows = [[self.known.get(word, 0) for word in text.split()][:14] for text in texts]
        return torch.tensor([row + [0] * (14 - len(row)) for row in rows])

    def forward(self, tokens):
        """Return (..., 64)."""
        hidden = self.hidden(self.vectors(tokens)).relu() * (tokens > 0)[..., None]
        return self.out(hidden.amax(-2))


tests = {}
for film in held_out_videos(SEED, 392):
    rows = task_features(SEED, film, noise=1.5)
    for step in film.steps:
        feature = pool_span(rows, 1.0, step.span.start, step.span.end)
        tests.setdefault(f"{step.verb} the {step.thing}", feature)
asked, shown = list(tests), torch.from_numpy(np.stack(list(tests.values())))


def recall_at_5(clips, bags, size, seed, steps=200):
    """Train with so many lines a bag; return how often the right clip is among the first five."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    text = TextNet(sorted({word for bag in bags for line in bag for word in line.split()}))
    see = nn.Linear(clips.shape[1], 64)
    optimizer = torch.optim.Adam([*text.parameters(), *see.parameters()], lr=3e-3)
    tokens = torch.stack([text.tokens(bag[:size]) for bag in bags])
    for _ in range(steps):
        batch = torch.from_numpy(rng.choice(len(clips), 128, replace=False))
        loss = mil_nce(see(clips[batch]), text(tokens[batch]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.inference_mode():
        scores = text(text.tokens(asked)) @ see(shown).T
    return float(((scores > scores.diagonal()[:, None]).sum(1) < 5).double().mean())


sizes, lags, seeds = (1, 3, 5, 9), (0.5, 2.0, 4.0), (0, 1)
worlds = [examples(lag) for lag in lags]
table = np.array(
    [[[recall_at_5(*world, size, seed) for seed in seeds] for size in sizes] for world in worlds]
)
fig, axis = plt.subplots(figsize=(6, 3.5))
for lag, values in zip(lags, table, strict=True):
    axis.errorbar(sizes, values.mean(1), values.std(1), fmt="o-", capsize=3, label=f"off by ± {lag} s")
axis.axhline(5 / len(asked), color="grey", ls=":", label="chance")
axis.set(xlabel="lines in a bag", ylabel="R@5 of unseen pairs", xticks=sizes, ylim=(0, 1))
axis.legend()
fig.tight_layout()
plt.show()
for lag, values in zip(lags, table, strict=True):
    print(f"off by {lag} s:", dict(zip(sizes, values.mean(1).round(2).tolist(), strict=True)))

# %% [markdown]
# Where narration is nearly right, few lines are enough, and a large bag costs: it lets the clip off with what
# is said about its neighbours. The more it is off, the less one line is worth.
#
# ## From pixels
# The method itself learns from pixels, for which a notebook is too short. Eight minutes on two quiet cores find
# 0.31 to 0.48 of 240 unseen clips among the first ten (three seeds; chance 0.04):
#
#     sayso toyworld --out toy --videos 1600 --size 48 --fps 5 --lag 2
#     sayso train mil-nce toy/train --recipe mil-nce-toy --test toy/test/manifest.csv --out runs/toy
