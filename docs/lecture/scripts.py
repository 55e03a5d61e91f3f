# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---
# %% [markdown]
# # Scripts: times for a screenplay, speakers for the subtitles
#
# A screenplay says who speaks and what is done, but not when. Subtitles say when, but not who. Their words are
# nearly the same, so aligning the words carries times one way and names the other (Everingham et al., BMVC
# 2006; Laptev et al., CVPR 2008). What the script describes between two speeches then has a time, too: a
# label for an action, at no cost.
#
# A short film is drawn here, with its screenplay and its subtitles; `sayso sample DIR` writes the same.

# %%
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from sayso import Caption
from sayso.alignment import align_script
from sayso.media.clip import read_clip
from sayso.solvers import align_words
from sayso.text import parse_screenplay
from sayso.toyworld.film import film_captions, film_shots, render_film, screenplay_text
from sayso.toyworld.write import write_video

shots = film_shots(0)
film = Path(tempfile.mkdtemp()) / "film.mp4"
write_video(film, render_film(shots, 0, 160, 10), 10)
screenplay, subtitles = parse_screenplay(screenplay_text(shots)), film_captions(shots)
print(screenplay_text(shots)[:330])
for caption in subtitles[:3]:
    print(f"{caption.span.start:5.1f} to {caption.span.end:4.1f} s  {caption.text}")

# %% [markdown]
# ## The alignment of the words
# A row a word of the script, a column a word of the subtitles; a dot where both are the same word, a ring
# where the best monotone alignment pairs them. Gaps are where the actor said something else.

# %%
written = " ".join(shot.written for shot in shots if shot.heard).lower().split()
heard = " ".join(caption.text for caption in subtitles).lower().split()
written, heard = ([word.strip(".,?!") for word in words] for words in (written, heard))
same = np.array([[a == b for b in heard] for a in written])
pairs = align_words(written, heard)
fig, axis = plt.subplots(figsize=(7, 7))
axis.plot(*np.argwhere(same).T[::-1], ".", color="silver", markersize=5)
axis.plot(pairs[:, 1], pairs[:, 0], "o", color="C1", markersize=5, fillstyle="none")
axis.set(xlabel="word of the subtitles", ylabel="word of the script", aspect="equal")
axis.invert_yaxis()
fig.tight_layout()
plt.show()
print(f"{len(pairs)} of {len(written)} words of the script found among {len(heard)} that are said")

# %% [markdown]
# ## Along time: what is drawn, and what the alignment says
# Speeches in their speaker's colour, descriptions in green. Below, the times that the alignment found.

# %%
aligned = align_script(screenplay, subtitles)
speakers = {"ANNA": "C3", "BEN": "C0", None: "C2"}
fig, axis = plt.subplots(figsize=(11, 2.6))
for shot in shots:
    who = shot.who if shot.heard else None
    axis.barh(1, shot.span.duration, left=shot.span.start, color=speakers[who], edgecolor="w", height=0.8)
for item in aligned.elements:
    if item.span is not None and item.element.kind in ("dialogue", "description"):
        colour = speakers[item.element.speaker]
        axis.barh(0, item.span.duration, left=item.span.start, color=colour, edgecolor="w", height=0.8)
axis.set(yticks=[0, 1], yticklabels=["aligned", "drawn"], xlabel="seconds")
for name, colour in speakers.items():
    axis.barh(0, 0, color=colour, label=name or "description")
axis.legend(ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1))
fig.tight_layout()
plt.show()
right = [line.speaker for line in aligned.lines] == [shot.who for shot in shots if shot.heard]
print("every line has its speaker:", right)

# %% [markdown]
# ## Labels at no cost
# The middle of the time of each description, and what the script says is done there.

# %%
described = [e for e in aligned.elements if e.element.kind == "description" and e.span is not None]
fig, axes = plt.subplots(1, len(described), figsize=(11, 2.6))
for axis, item in zip(axes, described, strict=True):
    middle = (item.span.start + item.span.end) / 2
    axis.imshow(read_clip(film, middle, middle + 0.1, frames=1, size=160).frames[0])
    axis.set_title(f"{item.element.text}\n{middle:.1f} s, {item.confidence:.2f}", fontsize=7)
    axis.axis("off")
fig.tight_layout()
plt.show()

# %% [markdown]
# ## How much may be lost
# Words of the subtitles are replaced by others, as a bad recogniser would. How many of the descriptions and the
# speeches keep a time that overlaps the true one by half (intersection over union), over ten seeds?


# %%
def spoilt(share, seed):
    """Return the subtitles with a share of their words replaced."""
    rng = np.random.default_rng(seed)
    other = ["water", "seven", "perhaps", "window", "running", "blue", "because", "paper"]
    return [
        Caption(
            caption.span,
            " ".join(rng.choice(other) if rng.random() < share else word for word in caption.text.split()),
        )
        for caption in subtitles
    ]


def kept(captions, *, speech):
    """Return the share of the shots whose element overlaps them by half."""
    elements = align_script(screenplay, captions).elements
    wanted = ("dialogue",) if speech else ("description",)
    found = [item.span for item in elements if item.element.kind in wanted]
    true = [shot.span for shot in shots if bool(shot.heard) == speech]
    overlaps = []
    for span, truth in zip(found, true, strict=True):
        common = 0.0 if span is None else min(span.end, truth.end) - max(span.start, truth.start)
        every = truth.duration + (span.duration if span else 0) - max(0.0, common)
        overlaps.append(max(0.0, common) / every > 0.5)
    return np.mean(overlaps)


shares = np.linspace(0, 0.8, 9)
fig, axis = plt.subplots(figsize=(6, 3.2))
for speech, label in ((True, "speeches"), (False, "descriptions")):
    curve = np.array([[kept(spoilt(share, seed), speech=speech) for seed in range(10)] for share in shares])
    axis.errorbar(shares, curve.mean(1), curve.std(1), fmt="o-", capsize=3, label=label)
axis.set(xlabel="share of the words misheard", ylabel="share with the right time", ylim=(-0.05, 1.05))
axis.legend()
fig.tight_layout()
plt.show()
