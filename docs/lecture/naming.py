# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---
# %% [markdown]
# # Naming: whose face is whose, from a script alone
#
# Once a script is aligned with the subtitles, each line names somebody who is *probably* among the faces on
# screen: a bag. The listener may be shown instead. Discriminative clustering (Bojanowski et al., ICCV 2013)
# looks for names, for all bags at once, that a linear rule on the faces' looks can tell apart; lips that move
# in a line are further evidence (Everingham et al., BMVC 2006). No face is labelled by hand.
#
# A film of two people is drawn. In a third of the shots the one on screen only listens.

# %%
import tempfile
from dataclasses import replace
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from sayso.alignment import align_script
from sayso.core.types import Span
from sayso.people import write_tracks
from sayso.people.crops import face_pictures
from sayso.systems.name_actors import NameOptions, name_actors, run
from sayso.text import parse_screenplay, write_srt
from sayso.toyworld.film import FilmShot, film_captions, film_tracks_of, render_film
from sayso.toyworld.write import write_video

PARTS = (
    ("my uncle", "the sheriff", "your sister", "nobody", "our doctor", "that pilot", "the old baker"),
    ("sold", "painted", "buried", "borrowed", "repaired", "forgot", "found"),
    ("a piano", "seven horses", "the letters", "some yellow scarf", "two clocks", "my bicycle"),
    ("near the harbour", "behind the church", "under the bridge", "in Chile", "by the garden wall"),
    ("last winter", "on Tuesday night", "before Christmas", "in March", "this morning"),
)
SIZE, FPS, SHOT_S = 160, 10, 3.0
SHOTS, PEOPLE = 30, ("ANNA", "BEN")


def story(listening, seed):
    """Return who speaks and who is shown, each as shots, and the face tracks."""
    rng = np.random.default_rng(seed)
    spoken = []
    for n in range(SHOTS):
        text = " ".join(str(rng.choice(part)) for part in PARTS) + "."
        span = Span(SHOT_S * n + 1.5, SHOT_S * (n + 1) + 1.5)
        spoken.append(FilmShot(PEOPLE[rng.integers(2)], text, text, "", "red", "cup", span))
    other = rng.permutation(SHOTS) < round(listening * SHOTS)
    shown = [
        replace(shot, who=PEOPLE[1 - PEOPLE.index(shot.who)]) if swap else shot
        for shot, swap in zip(spoken, other, strict=True)
    ]
    tracks = []
    for track, swap in zip(film_tracks_of(shown, seed, SIZE), other, strict=True):
        looks = track.descriptor + 0.5 * rng.standard_normal(len(track.descriptor))
        second = np.linspace(0, SHOT_S, len(track.lips))
        speaks = (second > 0.3) & (second < SHOT_S - 0.3) & ~swap
        lips = track.lips * np.where(speaks, 1, 0.05)
        seen = rng.random() < 0.3  # the mouth is seen in three shots of ten
        tracks.append(replace(track, descriptor=looks, lips=lips if seen else np.full(len(lips), np.nan)))
    return spoken, shown, tracks


def script_of(spoken):
    """Return what a writer would have typed."""
    return "INT. KITCHEN - DAY\n\n" + "\n".join(f"{shot.who}\n{shot.written}\n" for shot in spoken)


folder = Path(tempfile.mkdtemp())
spoken, shown, tracks = story(1 / 3, 0)
write_video(folder / "film.mp4", render_film(shown, 0, SIZE, FPS), FPS)
(folder / "film.txt").write_text(script_of(spoken), encoding="utf-8")
(folder / "film.srt").write_text(write_srt(film_captions(spoken)), encoding="utf-8")
write_tracks(folder / "tracks.json", tracks)
options = NameOptions(tracks=folder / "tracks.json")
result = run(folder / "film.mp4", folder / "film.txt", folder / "film.srt", options)
print("\n".join(result.table()))

# %% [markdown]
# ## A strip of faces a character
# Surest first, with the probability. A red frame: the name is wrong. "listens": somebody else speaks there.

# %%
pictures = face_pictures(folder / "film.mp4", dict(enumerate(result.tracks)))
strips = {
    name: sorted((row for row in result.rows if row["name"] == name.title()), key=lambda row: -row["score"])
    for name in PEOPLE
}
lines = [
    (name, rows[start : start + 10]) for name, rows in strips.items() for start in range(0, len(rows), 10)
]
fig, axes = plt.subplots(len(lines), 10, figsize=(12, 1.6 * len(lines)), squeeze=False)
for row_axes, (name, rows) in zip(axes, lines, strict=True):
    for axis in row_axes:
        axis.set(xticks=[], yticks=[])
        axis.set_frame_on(False)
    for axis, row in zip(row_axes, rows, strict=False):
        number = row["track"]
        axis.imshow(pictures[number])
        listens = shown[number].who != spoken[number].who
        axis.set_title(
            f"{row['score']:.2f}" + "\nlistens" * listens, fontsize=8, color="C0" if listens else "k"
        )
        if shown[number].who != name:
            axis.set_frame_on(True)
            for side in axis.spines.values():
                side.set(color="red", linewidth=3)
    row_axes[0].set_ylabel(name, weight="bold")
fig.tight_layout()
plt.show()

# %% [markdown]
# ## Names along time
# Above, who is on screen; in the middle, who speaks, which is all that script and subtitles tell; below, the
# names. Where the middle and the upper row differ, taking the speaker for the face on screen is wrong.

# %%
colours = {"ANNA": "C3", "BEN": "C0"}
fig, axis = plt.subplots(figsize=(11, 2.4))
for n, (seen, says) in enumerate(zip(shown, spoken, strict=True)):
    for height, who in ((2, seen.who), (1, says.who), (0, result.rows[n]["name"].upper())):
        axis.barh(height, SHOT_S, left=seen.span.start, color=colours[who], edgecolor="w", height=0.85)
for who in PEOPLE:
    axis.barh(0, 0, color=colours[who], label=who)
axis.set(yticks=[0, 1, 2], yticklabels=["named", "speaks", "on screen"], xlabel="seconds")
axis.legend(ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1), fontsize=8)
fig.tight_layout()
plt.show()

# %% [markdown]
# ## When the listener is shown more often
# Share of the faces with the right name, mean and standard deviation over ten films. Naming everybody after the
# speaker falls in step; looks and lips hold longer. At one half the speaker says nothing about the face.


# %%
def accuracy(listening, seed):
    """Return how many faces get their name: from the speaker alone, and by the method."""
    spoken, shown, tracks = story(listening, seed)
    aligned = align_script(parse_screenplay(script_of(spoken)), film_captions(spoken))
    naming = name_actors(tracks, aligned.lines)
    by_method = np.mean([(naming.name(n) or "").upper() == shot.who for n, shot in enumerate(shown)])
    return np.mean([a.who == b.who for a, b in zip(spoken, shown, strict=True)]), by_method


shares = np.arange(0, 0.51, 0.1)
table = np.array([[accuracy(share, seed) for seed in range(10)] for share in shares])
fig, axis = plt.subplots(figsize=(6, 3.2))
for column, label in enumerate(("named after the speaker", "sayso name")):
    values = table[..., column]
    axis.errorbar(shares, values.mean(1), values.std(1), fmt="o-", capsize=3, label=label)
axis.set(xlabel="share of the shots that show the listener", ylabel="accuracy", ylim=(0, 1.1))
axis.legend()
fig.tight_layout()
plt.show()
print(
    {
        f"{share:.1f}": [round(float(v), 2) for v in row.mean(0)]
        for share, row in zip(shares, table, strict=True)
    }
)
