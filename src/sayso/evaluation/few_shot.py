"""Few-shot evaluation of what answers in words: a task's examples stand in the prompt, nothing is trained.

    0 shots                     the question alone
    0 shots, 2 texts            two examples without their pictures: what is published as zero-shot
    4 shots                     four examples, drawn anew for each item from 2,048 of the training set
    4 shots, RICES              the four most similar ones, the most similar last

A number stands beside its controls, made with the same examples: the pictures asked about swapped among the
items, blank pictures, and the examples' answers swapped. A model that does as well on those has not looked.

Sources
    [1] Alayrac et al., NeurIPS 2022, Flamingo, section 3.2 and appendix B. https://arxiv.org/abs/2204.14198
    [2] Awadalla et al. 2023, OpenFlamingo, section 4. https://arxiv.org/abs/2308.01390
    [3] Yang et al., AAAI 2022 (RICES). https://arxiv.org/abs/2109.05014
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import fmean, stdev
from typing import TYPE_CHECKING

import numpy as np

from sayso.core.errors import SaysoError
from sayso.core.io import make_folder, write_atomic
from sayso.core.ownership import refuse_foreign
from sayso.core.progress import Progress, Silent
from sayso.evaluation.evaluator import Count, EvaluationOptions, EvaluationResult, Number, Primary
from sayso.evaluation.few_shot_data import Answer, FewShotData, FewShotTask, Item
from sayso.evaluation.few_shot_examples import (
    blank_picture,
    count_orders,
    draw_examples,
    nearest_examples,
    orders,
    read_pixels,
    readable,
    with_other_answers,
)
from sayso.generators.prompt import Exchange, Prompt

if TYPE_CHECKING:
    from sayso.core.arrays import Pixels
    from sayso.generators.base import Generator

SHOTS, SEEDS = (0, 4), (42, 43, 44)
POOL, TEXT_SHOTS, BATCH = 2048, 2, 8
CONTROLS = ("shuffled pictures", "blank pictures", "shuffled answers")


@dataclass(frozen=True, slots=True)
class _Setting:
    """A row of the table: how many examples, and how they are chosen."""

    shots: int
    texts_only: bool = False
    rices: bool = False

    @property
    def name(self) -> str:
        if self.texts_only:
            return f"0 shots, {self.shots} texts"
        return f"{self.shots} shot{'' if self.shots == 1 else 's'}{', RICES' if self.rices else ''}"

    @property
    def controls(self) -> tuple[str, ...]:
        return CONTROLS if self.shots else CONTROLS[:2]


def evaluate_few_shot(
    model: Generator,
    task: FewShotTask,
    data: FewShotData,
    options: EvaluationOptions,
    progress: Progress | None,
    *,
    protocol: str,
    published: tuple[dict[str, object], ...] = (),
) -> EvaluationResult:
    """Answer every item with each number of examples, and with the controls.

    Args:
        model: what answers.
        task: how it is asked and scored.
        data: what is asked.
        options: ``shots``, ``seeds``, ``rices``, ``permutations``, ``predictions``.
        progress: updated with how many answers there are.
        protocol: what is measured, a few words.
        published: rows of others.

    Raises:
        SaysoError: if no item can be used, or there are fewer examples than shots.
    """
    run = _Run(model, task, data, options, progress or Silent())
    rows: dict[str, dict[str, Number]] = {setting.name: run.row(setting) for setting in run.settings}
    last = list(rows.values())[-1]
    return EvaluationResult(
        protocol=protocol,
        primary=Primary(task.metric, last[task.metric]),
        columns=(task.metric, "sd", *CONTROLS),
        rows=rows,
        counts={
            "items": Count(len(run.items), len(data.test)),
            "examples": Count(len(run.pool), len(data.train)),
        },
        missing=run.missing,
        unreadable=(*run.wrong.values(), *data.problems),
        definition={
            **data.source,
            "template": task.template,
            "seeds": list(run.seeds),
            "examplesdraw_examplesn_from": min(POOL, len(run.pool)),
            "text_shots": TEXT_SHOTS,
            "orders": options.permutations or 1,
            "rices_encoder": run.rices_encoder,
            "made_by": model.made_by,
        },
        published=published,
    )


@dataclass(eq=False)
class _Run:
    model: Generator
    task: FewShotTask
    data: FewShotData
    options: EvaluationOptions
    progress: Progress
    items: list[Item] = field(init=False)
    pool: list[Item] = field(init=False)
    missing: tuple[str, ...] = field(init=False)
    wrong: dict[Path, str] = field(default_factory=dict)
    rices_encoder: str | None = None
    done: int = 0

    def __post_init__(self) -> None:
        self.items = [item for item in self.data.test if readable(item.picture, self.wrong)]
        self.pool = [item for item in self.data.train if item.picture.is_file() and item.answers]
        self.missing = tuple(str(item.picture) for item in self.data.test if not item.picture.is_file())
        if not self.items:
            example = next(iter((*self.wrong.values(), *self.missing)), "nothing is listed")
            raise SaysoError(f"none of {len(self.data.test):,} pictures can be read, such as: {example}")
        if max(self.shots) >= len(self.pool):
            raise SaysoError(
                f"{max(self.shots)} shots need more than the {len(self.pool)} examples that are here"
            )

    @property
    def shots(self) -> tuple[int, ...]:
        return self.options.shots or SHOTS

    @property
    def seeds(self) -> tuple[int, ...]:
        return self.options.seeds or SEEDS

    @property
    def settings(self) -> list[_Setting]:
        settings = []
        for shots in self.shots:
            if shots:
                settings.append(_Setting(shots, rices=bool(self.options.rices)))
            else:
                settings += [_Setting(0), _Setting(TEXT_SHOTS, texts_only=True)]
        return settings

    def seeds_of(self, setting: _Setting) -> tuple[int, ...]:
        """Return the seeds that a row is averaged over: one where nothing is drawn."""
        return self.seeds if setting.shots and not setting.rices else self.seeds[:1]

    @property
    def total(self) -> int:
        """How many answers there will be."""
        return len(self.items) * sum(
            len(self.seeds_of(one))
            * (1 + len(one.controls))
            * count_orders(one.shots, self.options.permutations)
            for one in self.settings
        )

    def row(self, setting: _Setting) -> dict[str, Number]:
        """Return a row: the mean over seeds, its standard deviation, and the controls' means."""
        columns: dict[str, list[float]] = {}
        for seed in self.seeds_of(setting):
            examples = self.examples(setting, seed)
            for control in (None, *setting.controls):
                answers = self.answers(examples, setting, seed, control)
                columns.setdefault(control or self.task.metric, []).append(
                    self.task.score(answers, self.items)
                )
                if control is None:
                    self.keep(answers, setting, seed)
        values = columns[self.task.metric]
        spread = stdev(values) if len(values) > 1 else None
        return {name: fmean(column) for name, column in columns.items()} | {"sd": spread}

    def examples(self, setting: _Setting, seed: int) -> list[tuple[Item, ...]]:
        """Return the examples of each item."""
        if not setting.shots:
            return [()] * len(self.items)
        if setting.rices:
            return self.nearest(setting.shots)
        size = min(POOL, len(self.pool))
        rng = np.random.default_rng(seed)
        drawn = rng.choice(len(self.pool), size, replace=False)
        pool = [self.pool[k] for k in drawn if readable(self.pool[k].picture, self.wrong)]
        return [draw_examples(pool, setting.shots, item, rng) for item in self.items]

    def nearest(self, shots: int) -> list[tuple[Item, ...]]:
        """Return the most similar examples of each item, by the encoder that is taken where none is named."""
        from sayso.hub import load

        encoder = load("auto")
        self.rices_encoder = encoder.name
        return nearest_examples(encoder, self.items, self.pool, shots, self.options.cache)

    def answers(
        self, examples: Sequence[tuple[Item, ...]], setting: _Setting, seed: int, control: str | None
    ) -> list[Answer]:
        """Return an answer to each item, the mean over orders where they are numbers."""
        rng = np.random.default_rng(seed)
        pictures = self.shown(control, rng)
        shown = with_other_answers(examples, rng) if control == "shuffled answers" else examples
        turns = [orders(len(some), self.options.permutations, rng) for some in shown]
        per_order = []
        for nth in range(len(turns[0])):
            in_order = [tuple(some[k] for k in order[nth]) for some, order in zip(shown, turns, strict=True)]
            per_order.append(self.in_batches(in_order, pictures, setting))
        if len(per_order) == 1:
            return per_order[0]
        return [fmean(float(one) for one in answers) for answers in zip(*per_order, strict=True)]

    def shown(self, control: str | None, rng: np.random.Generator) -> list[Callable[[], Pixels]]:
        """Return for each item what makes its picture."""
        paths = [item.picture for item in self.items]
        if control == "shuffled pictures":
            turn = rng.permutation(len(paths))
            swapped = dict(zip(turn, np.roll(turn, 1), strict=True))
            paths = [paths[swapped[k]] for k in range(len(paths))]
        if control == "blank pictures":
            return [partial(blank_picture, path) for path in paths]
        return [partial(read_pixels, path) for path in paths]

    def in_batches(
        self,
        examples: Sequence[tuple[Item, ...]],
        pictures: Sequence[Callable[[], Pixels]],
        setting: _Setting,
    ) -> list[Answer]:
        """Return an answer to each item, in the order of the items."""
        total = len(self.items)
        answers: list[Answer] = []
        for start in range(0, total, BATCH):
            numbers = range(start, min(start + BATCH, total))
            prompts = [self.prompt(self.items[k], pictures[k](), examples[k], setting) for k in numbers]
            answers += self.task.answer(self.model, prompts)
            self.done += len(prompts)
            self.progress.update(self.done, self.total, setting.name)
        return answers

    def prompt(self, item: Item, pixels: Pixels, examples: Iterable[Item], setting: _Setting) -> Prompt:
        """Return what is asked about an item."""
        shots = [
            Exchange(one.text, () if setting.texts_only else (read_pixels(one.picture),), one.answers[0])
            for one in examples
        ]
        return Prompt.ask(item.text, [pixels], shots=shots, template=self.task.template)

    def keep(self, answers: Sequence[Answer], setting: _Setting, seed: int) -> None:
        """Write the answers as the benchmark's server takes them, if that was asked for."""
        if self.options.predictions is None:
            return
        folder = make_folder(self.options.predictions)
        text = self.task.upload(answers, self.items)
        suffix = "csv" if text.startswith("id,") else "json"
        path = folder / f"{setting.name.replace(', ', '_').replace(' ', '-')}_seed-{seed}.{suffix}"
        refuse_foreign(path)
        write_atomic(path, text)
