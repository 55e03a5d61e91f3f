"""From narrated videos to steps with names, times and classifiers; and to the steps of another video.

A video has features, a row for each 1 / rate seconds, and captions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np

from sayso.core.arrays import Ints
from sayso.core.errors import SaysoError
from sayso.core.progress import Progress
from sayso.core.types import Caption, Span
from sayso.hub.model_folder import Framework, ModelFolder, Reference
from sayso.hub.pretrained import Pretrained
from sayso.systems.instruction_steps.lag import PAPER_S, estimate_window
from sayso.systems.instruction_steps.localization import (
    Rows,
    StepScorer,
    localize_steps,
    step_extent,
    step_windows,
)
from sayso.systems.instruction_steps.recipe import StepsRecipe
from sayso.systems.instruction_steps.script import ScriptStep, discover_script
from sayso.text.language.narration import Mention, mentions
from sayso.text.language.phrases import Embed

GIVEN = "files"  # the encoder's name where features were given as files
_PRESENT = 0.5  # of the mean score where a step is mentioned


@dataclass(frozen=True, eq=False)
class NarratedVideo:
    """A video: its name, features (T, D), and captions (none if it is silent)."""

    name: str
    features: Rows
    captions: Sequence[Caption] = ()


@dataclass(frozen=True, slots=True)
class StepLocation:
    """Where a step is in a video.

    Args:
        step: its number, from 0.
        time_s: of its highest score, seconds.
        span: around that, while the score stays above half of it.
        score: of the step's classifier at ``time_s``.
        text: the narration's sentence that mentions it here; None if none does.
        present: whether it is mentioned, or scores at least half as high as where it is mentioned.
    """

    step: int
    time_s: float
    span: Span
    score: float
    text: str | None
    present: bool

    def to_dict(self) -> dict[str, object]:
        """Return the fields, ready for JSON."""
        return {
            "step": self.step,
            "time_s": self.time_s,
            "start_s": self.span.start,
            "end_s": self.span.end,
            "score": self.score,
            "present": self.present,
            "text": self.text,
        }


@dataclass(frozen=True, eq=False)
class StepModel(Pretrained):
    """The steps of a task, ready for another video.

    Args:
        names: C, in order.
        phrases: for each step its names.
        scorer: their classifiers.
        mean_positive_scores: (C,) mean score where each step is mentioned; 1 where only videos that are
            too short mention it.
        recipe: how it was made.
        encoder: whose embeddings the features are, as ``--model`` takes it; ``files``: they were given.
        name: what ``sayso.load`` takes to get it again.
        card: where it comes from, for the model card.
    """

    kind: ClassVar[str] = "step_model"
    framework: ClassVar[Framework] = "numpy"

    names: tuple[str, ...]
    phrases: tuple[tuple[str, ...], ...]
    scorer: StepScorer
    mean_positive_scores: tuple[float, ...]
    recipe: StepsRecipe
    encoder: str = GIVEN
    name: str = "step model"
    card: str = ""

    def to_folder(self) -> ModelFolder:
        """Return all that the model folder holds but the reference outputs."""
        parts = ("encoder", "names", "phrases", "mean_positive_scores")
        options = {"recipe": asdict(self.recipe), **{part: getattr(self, part) for part in parts}}
        scorer = self.scorer
        weights = {"mean": scorer.mean, "scale": np.array([scorer.scale]), "W": scorer.W}
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
                StepScorer(arrays["mean"], float(arrays["scale"][0]), arrays["W"]),
                tuple(map(float, options["mean_positive_scores"])),
                StepsRecipe(**options["recipe"]),
                encoder=str(options["encoder"]),
                name=name,
                card=saved.card,
            )
        except (ValueError, KeyError, TypeError) as error:
            raise SaysoError(f"the steps {name} do not fit their config.json: {error}") from error
        C = len(made.names)
        shapes = made.scorer.W.shape == (len(made.scorer.mean), C)
        if not shapes or not C == len(made.phrases) == len(made.mean_positive_scores):
            raise SaysoError(f"the steps {name} hold weights of other steps or features")
        return made

    def reference_outputs(self) -> Reference:
        """Return the scores of the steps in three rows of features that are a sine wave."""
        wave = np.sin(np.arange(3.0 * len(self.scorer.mean))).reshape(3, -1)
        return {"of_features": self.scorer.scores(wave).ravel().tolist()}

    def locate(self, video: NarratedVideo, parser: Any = None) -> list[StepLocation]:
        """Return where the steps are in a video, which may be silent; none in one that is too short.

        Args:
            video: its features must be those of the model's encoder.
            parser: as ``sayso.text.language.narration.mentions``.
        """
        mentioned = self.align_mentions(mentions(video.captions, parser))
        script = [
            ScriptStep(((name, 1),), {0: mentioned[k]} if k in mentioned else {})
            for k, name in enumerate(self.names)
        ]
        before_s, after_s = self.recipe.window_s or PAPER_S
        [windows] = step_windows(
            script, [len(video.features)], rate=self.recipe.rate, before_s=before_s, after_s=after_s
        )
        return self.locations(video, self.scorer.times(video.features, windows), mentioned)

    def align_mentions(self, narration: Sequence[Mention]) -> dict[int, Mention]:
        """Return which mention is of which step: as many as possible, in order (a common subsequence)."""
        C, M = len(self.names), len(narration)
        most = np.zeros((C + 1, M + 1), dtype=np.int64)
        for k in reversed(range(C)):
            for m in reversed(range(M)):
                both = most[k + 1, m + 1] + 1 if self._tells(narration[m], k) else 0
                most[k, m] = max(most[k + 1, m], most[k, m + 1], both)
        found, k, m = {}, 0, 0
        while k < C and m < M:
            if self._tells(narration[m], k) and most[k, m] == most[k + 1, m + 1] + 1:
                found[k] = narration[m]
                k, m = k + 1, m + 1
            elif most[k, m] == most[k + 1, m]:
                k += 1
            else:
                m += 1
        return found

    def _tells(self, mention: Mention, k: int) -> bool:
        """Tell whether a mention is of step k, whose phrases have a particle where one decides."""
        directed = f"{mention.verb} {mention.particle} {mention.object}"
        known = self.phrases[k]
        others = any(directed in phrases for phrases in self.phrases)
        return directed in known or (mention.phrase in known and not others)

    def locations(
        self, video: NarratedVideo, times: Ints, mentioned: dict[int, Mention]
    ) -> list[StepLocation]:
        """Return the steps at given times, with their extent, score and presence.

        Args:
            video: with features (T, D).
            times: (C,) rows, -1 for a step that has none.
            mentioned: step -> its mention.
        """
        scores, rate = self.scorer.scores(video.features), self.recipe.rate
        found = []
        for k, time in enumerate(times):
            if time < 0:
                continue
            low = int(times[k - 1]) + 1 if k and times[k - 1] >= 0 else 0
            high = int(times[k + 1]) if k + 1 < len(times) else len(scores)
            first, end = step_extent(scores[:, k], int(time), low, high)
            score = float(scores[time, k])
            found.append(
                StepLocation(
                    k,
                    round((int(time) + 0.5) / rate, 3),
                    Span(round(first / rate, 3), round(end / rate, 3)),
                    round(score, 4),
                    mentioned[k].text if k in mentioned else None,
                    k in mentioned or score >= _PRESENT * self.mean_positive_scores[k],
                )
            )
        return found


@dataclass(frozen=True, eq=False)
class Discovery:
    """The model, the script, and for each video where its steps are."""

    model: StepModel
    script: list[ScriptStep]
    locations: list[list[StepLocation]]


def discover_steps(
    videos: Sequence[NarratedVideo],
    recipe: StepsRecipe | None = None,
    *,
    embed: Embed | None = None,
    parser: Any = None,
    progress: Progress | None = None,
) -> Discovery:
    """Find the steps of the task that all videos show.

    Args:
        videos: two at least, with captions and features of one encoder.
        recipe: how.
        embed: texts -> embeddings with cosine similarity, for synonyms; None: only those that
            the narrations themselves show.
        parser: a spaCy pipeline; None uses rules.
        progress: reports each iteration of stage 2.

    Raises:
        SaysoError: if the narrations have nothing in common, or no video is long enough for the steps.
    """
    how = recipe or StepsRecipe()
    narrations = [mentions(video.captions, parser) for video in videos]
    script = discover_script(narrations, how.num_steps, embed=embed, seed=how.seed)
    C = len(script)
    kept = [n for n, video in enumerate(videos) if len(video.features) >= C]
    if not kept:
        raise SaysoError(f"no video is long enough for {C} steps; give longer ones, or fewer --steps")
    lengths = [len(video.features) for video in videos]
    window_s = how.window_s or estimate_window([v.features for v in videos], script, rate=how.rate)
    how = replace(how, before_s=window_s[0], after_s=window_s[1])
    windows = step_windows(script, lengths, rate=how.rate, before_s=window_s[0], after_s=window_s[1])
    found = localize_steps(
        [videos[n].features for n in kept],
        [windows[n] for n in kept],
        iterations=how.iterations,
        alternations=how.alternations,
        rounding=how.rounding,
        progress=progress,
    )
    times = dict(zip(kept, found.times, strict=True))
    names = tuple(step.name for step in script)
    phrases = tuple(tuple(phrase for phrase, _ in step.phrases) for step in script)
    means = _mean_positive_scores(script, found.scorer, videos, times)
    model = StepModel(names, phrases, found.scorer, means, how)
    locations = []
    for n, video in enumerate(videos):
        mentioned = {k: step.mentions[n] for k, step in enumerate(script) if n in step.mentions}
        locations.append(model.locations(video, times[n], mentioned) if n in times else [])
    return Discovery(model, script, locations)


def _mean_positive_scores(
    script: Sequence[ScriptStep],
    scorer: StepScorer,
    videos: Sequence[NarratedVideo],
    times: Mapping[int, Ints],
) -> tuple[float, ...]:
    """Return for each step its mean score over the videos that mention it; 1 where none has a time."""
    scores = {n: scorer.scores(videos[n].features) for n in times}
    return tuple(
        float(np.mean([scores[n][times[n][k], k] for n in step.mentions if n in times] or [1.0]))
        for k, step in enumerate(script)
    )
