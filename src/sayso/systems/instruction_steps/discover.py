"""From narrated videos to steps with names, places and looks; and from these to the steps of another video.

A video has features, a row for each 1 / rate seconds, and captions. What is found is plain data
(``to_dict``), and what is needed for another video is a model that is saved and loaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Self

import numpy as np

from sayso.core.errors import SaysoError
from sayso.core.progress import Progress
from sayso.core.types import Caption, Span
from sayso.hub.model_folder import Framework, ModelFolder, Reference
from sayso.hub.pretrained import Pretrained
from sayso.solvers.ordered_oracle import Ints
from sayso.systems.instruction_steps.places import Looks, Rows, place_steps, told_windows
from sayso.systems.instruction_steps.script import ScriptStep, discover_script
from sayso.text.language.narration import Mention, mentions
from sayso.text.language.phrases import Embed

_SURE = 0.5  # of the mean score where a step is told of


@dataclass(frozen=True, slots=True)
class Recipe:
    """What can be chosen.

    Args:
        steps: how many; None leaves it to the narrations.
        rate: rows of features a second.
        before_s: how long before it is told of a step may happen; negative: it begins so long after.
        after_s: how long after; negative: it is over so long before.
        iterations: of Frank-Wolfe.
        turns: of regression and rounding; 0 is the published method.
        seed: of random starts.

    Raises:
        SaysoError: if a number makes no sense.
    """

    steps: int | None = None
    rate: float = 1.0
    before_s: float = 0.0
    after_s: float = 10.0
    iterations: int = 650
    turns: int = 20
    seed: int = 0

    def __post_init__(self) -> None:
        if self.before_s + self.after_s < 0:
            raise SaysoError(
                f"a step cannot begin {-self.before_s:g} s after it is told of and be over"
                f" by {self.after_s:g} s; give a longer --before or --after"
            )
        if not self.rate > 0 or min(self.iterations, self.turns) < 0 or (self.steps or 1) < 1:
            raise SaysoError(
                f"rate must be above 0, steps at least 1, iterations and turns at least 0; got {self}"
            )


@dataclass(frozen=True, eq=False)
class NarratedVideo:
    """A video: its name, features (T, D), and captions (none if it is silent)."""

    name: str
    features: Rows
    captions: Sequence[Caption] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a step is in a video.

    Args:
        step: its number, from 0.
        time_s: when it is surest.
        span: how far it goes on around that, seconds.
        score: how much it looks like the step.
        said: what is said of it here, None if nothing is.
        sure: whether it is told of, or looks at least half as much like the step as where it is.
    """

    step: int
    time_s: float
    span: Span
    score: float
    said: str | None
    sure: bool


@dataclass(frozen=True, eq=False)
class StepModel(Pretrained):
    """The steps of a task, ready for another video.

    Args:
        names: K, in order.
        phrases: for each step how it is called.
        looks: how the steps look.
        typical: (K,) mean score where each step is told of; 1 where only videos that are too short do.
        recipe: how it was made.
        encoder: whose embeddings its features are, as ``--model`` takes it; ``files``: they were given.
        name: what ``sayso.load`` takes to get it again.
        card: where it comes from, for the model card.
    """

    kind: ClassVar[str] = "step_model"
    framework: ClassVar[Framework] = "numpy"

    names: tuple[str, ...]
    phrases: tuple[tuple[str, ...], ...]
    looks: Looks
    typical: tuple[float, ...]
    recipe: Recipe
    encoder: str = "files"
    name: str = "step model"
    card: str = ""

    def to_folder(self) -> ModelFolder:
        """Return all that the model folder holds but the reference outputs."""
        parts = ("encoder", "names", "phrases", "typical")
        options = {"recipe": asdict(self.recipe), **{part: getattr(self, part) for part in parts}}
        looks = self.looks
        weights = {"mean": looks.mean, "scale": np.array([looks.scale]), "W": looks.W}
        return ModelFolder(self.kind, options, weights, card=self.card)

    @classmethod
    def from_folder(cls, saved: ModelFolder, *, name: str, device: str) -> Self:  # noqa: ARG003  numpy alone
        """Return the steps of a model folder.

        Args:
            saved: what the folder holds.
            name: what to call them.
            device: is not used.

        Raises:
            SaysoError: if the weights do not fit the options.
        """
        try:
            options, arrays = saved.options, saved.weights
            made = cls(
                tuple(options["names"]),
                tuple(map(tuple, options["phrases"])),
                Looks(arrays["mean"], float(arrays["scale"][0]), arrays["W"]),
                tuple(map(float, options["typical"])),
                Recipe(**options["recipe"]),
                encoder=str(options["encoder"]),
                name=name,
                card=saved.card,
            )
        except (ValueError, KeyError, TypeError) as error:
            raise SaysoError(f"the steps {name} do not fit their config.json: {error}") from error
        K = len(made.names)
        shapes = made.looks.W.shape == (len(made.looks.mean), K)
        if not shapes or not K == len(made.phrases) == len(made.typical):
            raise SaysoError(f"the steps {name} hold weights of other steps or features")
        return made

    def reference_outputs(self) -> Reference:
        """Return the scores of the steps in three rows of features that are a sine wave."""
        wave = np.sin(np.arange(3.0 * len(self.looks.mean))).reshape(3, -1)
        return {"of_features": self.looks.scores(wave).ravel().tolist()}

    def find(self, video: NarratedVideo, parser: Any = None) -> list[Place]:
        """Return where the steps are in a video, which may be silent; none in one that is too short.

        Args:
            video: its features must be those of the model's encoder.
            parser: as ``sayso.text.language.narration.mentions``.
        """
        told = self.told(mentions(video.captions, parser))
        script = [
            ScriptStep(((name, 1),), {0: told[k]} if k in told else {}) for k, name in enumerate(self.names)
        ]
        how = self.recipe
        [windows] = told_windows(
            script, [len(video.features)], rate=how.rate, before_s=how.before_s, after_s=how.after_s
        )
        return self.places(video, self.looks.place(video.features, windows), told)

    def told(self, said: Sequence[Mention]) -> dict[int, Mention]:
        """Return which mention tells of which step: most of them, in order."""
        K, M = len(self.names), len(said)
        most = np.zeros((K + 1, M + 1), dtype=np.int64)
        for k in reversed(range(K)):
            for m in reversed(range(M)):
                both = most[k + 1, m + 1] + 1 if said[m].phrase in self.phrases[k] else 0
                most[k, m] = max(most[k + 1, m], most[k, m + 1], both)
        found, k, m = {}, 0, 0
        while k < K and m < M:
            if said[m].phrase in self.phrases[k] and most[k, m] == most[k + 1, m + 1] + 1:
                found[k] = said[m]
                k, m = k + 1, m + 1
            elif most[k, m] == most[k + 1, m]:
                k += 1
            else:
                m += 1
        return found

    def places(self, video: NarratedVideo, times: Ints, told: dict[int, Mention]) -> list[Place]:
        """Return times as places, with how far each goes on and how sure it is."""
        scores, rate = self.looks.scores(video.features), self.recipe.rate
        found = []
        for k, time in enumerate(times):
            if time < 0:
                continue
            low = int(times[k - 1]) + 1 if k and times[k - 1] >= 0 else 0
            high = int(times[k + 1]) if k + 1 < len(times) else len(scores)
            first, end = _extent(scores[:, k], int(time), low, high)
            score = float(scores[time, k])
            found.append(
                Place(
                    k,
                    round((int(time) + 0.5) / rate, 3),
                    Span(round(first / rate, 3), round(end / rate, 3)),
                    round(score, 4),
                    told[k].text if k in told else None,
                    k in told or score >= _SURE * self.typical[k],
                )
            )
        return found


@dataclass(frozen=True, eq=False)
class Discovery:
    """What was found: the model, the script, and for each video where its steps are."""

    model: StepModel
    script: list[ScriptStep]
    places: list[list[Place]]


def discover_steps(
    videos: Sequence[NarratedVideo],
    recipe: Recipe | None = None,
    *,
    embed: Embed | None = None,
    parser: Any = None,
    progress: Progress | None = None,
) -> Discovery:
    """Find the steps of the task that all videos show.

    Args:
        videos: two at least, with captions and features of one encoder.
        recipe: what can be chosen.
        embed: texts -> embeddings with cosine similarity, for synonyms; None: none but those that
            the narrations themselves give away.
        parser: a spaCy pipeline; None uses rules.
        progress: told of each iteration of stage 2.

    Raises:
        SaysoError: if the narrations have nothing in common, or no video is long enough for the steps.
    """
    how = recipe or Recipe()
    said = [mentions(video.captions, parser) for video in videos]
    script = discover_script(said, how.steps, embed=embed, seed=how.seed)
    K = len(script)
    kept = [n for n, video in enumerate(videos) if len(video.features) >= K]
    if not kept:
        raise SaysoError(f"no video is long enough for {K} steps; give longer ones, or fewer --steps")
    lengths = [len(video.features) for video in videos]
    windows = told_windows(script, lengths, rate=how.rate, before_s=how.before_s, after_s=how.after_s)
    found = place_steps(
        [videos[n].features for n in kept],
        [windows[n] for n in kept],
        iterations=how.iterations,
        turns=how.turns,
        progress=progress,
    )
    times = dict(zip(kept, found.times, strict=True))
    names = tuple(step.name for step in script)
    phrases = tuple(tuple(phrase for phrase, _ in step.phrases) for step in script)
    scores = {n: found.looks.scores(videos[n].features) for n in kept}
    typical = tuple(
        float(np.mean([scores[n][times[n][k], k] for n in step.mentions if n in times] or [1.0]))
        for k, step in enumerate(script)
    )
    model = StepModel(names, phrases, found.looks, typical, how)
    places = []
    for n, video in enumerate(videos):
        told = {k: step.mentions[n] for k, step in enumerate(script) if n in step.mentions}
        places.append(model.places(video, times[n], told) if n in times else [])
    return Discovery(model, script, places)


def _extent(score: np.ndarray, time: int, low: int, high: int) -> tuple[int, int]:
    """Return the rows around a time, within bounds, that look at least half as much like the step."""
    enough = score >= max(0.0, 0.5 * float(score[time]))
    first, end = time, time + 1
    while first > low and enough[first - 1]:
        first -= 1
    while end < high and enough[end]:
        end += 1
    return first, end
