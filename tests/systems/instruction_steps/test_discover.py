"""The steps of a task: discovered, placed, saved, and found again in another video."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import sayso
from sayso.core.errors import SaysoError
from sayso.core.types import Caption, Span
from sayso.metrics.steps import step_f1
from sayso.solvers.ordered_oracle import OrderedOracle
from sayso.systems.instruction_steps import (
    NarratedVideo,
    StepModel,
    StepsRecipe,
    discover_script,
    discover_steps,
    localize_steps,
)
from sayso.systems.instruction_steps.localization import step_windows
from sayso.systems.instruction_steps.script import ScriptStep, _standing_out
from sayso.text.language.narration import Mention
from sayso.toyworld.tasks import task_features, task_steps, task_truth, task_video


def told(*phrases: str) -> list[Mention]:
    return [Mention(*p.split(), Span(5.0 * n, 5.0 * n + 1), f"now {p}") for n, p in enumerate(phrases)]


def toy(
    numbers: range, *, silent: bool = False, noise: float = 0.7
) -> tuple[list[NarratedVideo], list[np.ndarray]]:
    """Videos of a toy task, and where its steps are."""
    made = [task_video(20, 0, n) for n in numbers]
    captions = [[] if silent else [Caption(line.span, line.text) for line in video.lines] for video in made]
    videos = [
        NarratedVideo(f"v{n}", task_features(20, video, noise=noise), said)
        for n, video, said in zip(numbers, made, captions, strict=True)
    ]
    return videos, [task_truth(video, len(task_steps(20, 0))) for video in made]


@pytest.fixture(scope="module")
def discovery():
    videos, inside = toy(range(20))
    recipe = StepsRecipe(num_steps=len(task_steps(20, 0)), before_s=5, after_s=5, iterations=100)
    return discover_steps(videos, recipe), videos, inside


def test_the_script_is_what_narrations_share_in_their_order():
    one = told("loosen nut", "greet friend", "jack car", "remove wheel", "tighten nut")
    two = told("loosen nut", "jack car", "eat sandwich", "remove wheel", "tighten nut")
    script = discover_script([one, two, one[:1] + one[2:], two, one], 4)
    assert [step.name for step in script] == ["loosen nut", "jack car", "remove wheel", "tighten nut"]
    assert [len(step.mentions) for step in script] == [5, 5, 5, 5]
    assert script[0].mentions[1].text == "now loosen nut"


def test_swapped_steps_are_joined_and_synonyms_share_a_slot():
    usual, swapped = told("cut ham", "boil egg", "eat dish"), told("boil egg", "cut ham", "eat dish")
    other = told("slice ham", "boil egg", "eat dish")
    script = discover_script([usual] * 5 + [swapped] * 2 + [other] * 4, 3)
    assert [step.name for step in script] == ["cut ham", "boil egg", "eat dish"]
    assert script[0].phrases == (("cut ham", 7), ("slice ham", 4))


def test_what_is_done_again_is_one_step_where_most_do_it():
    once = told("add top", "pour soil", "water plant")
    again = told("add top", "pour soil", "add top", "water plant", "add top")
    script = discover_script([once] * 4 + [again] * 6)
    assert [step.name for step in script] == ["add top", "pour soil", "water plant"]
    assert [len(step.mentions) for step in script] == [10, 10, 10]


@pytest.mark.parametrize("seed", range(5))
def test_no_list_names_a_step_twice(seed):
    draws = np.random.default_rng(seed)
    words = [f"{verb} {noun}" for verb in ("add", "stir", "pour") for noun in ("milk", "soil", "top")]
    videos = [told(*draws.choice(words, size=8)) for _ in range(12)]
    names = [step.name for step in discover_script(videos, 9)]
    assert len(names) == len(set(names))


def test_narrations_with_nothing_in_common_are_told_of():
    with pytest.raises(SaysoError, match="no two of these videos name the same action"):
        discover_script([told("cut ham"), told("boil egg")])


@pytest.mark.parametrize(
    ("support", "steps"),
    [
        ([20, 19, 18, 17, 3, 2], 4),
        ([10, 9, 8, 7, 7, 6], 6),
        ([2, 1], 1),
        ([20, 20, 19, 18, 18, 6, 5], 6),
        ([], 1),
    ],
)
def test_as_many_steps_as_stand_out(support, steps):
    assert _standing_out(support) == steps


def test_windows_lie_around_what_is_told():
    step = ScriptStep((("a b", 1),), {0: Mention("a", "b", Span(10, 11), "")})
    [first, second] = step_windows([step], [30, 9], rate=2.0, before_s=2, after_s=3)
    assert first.tolist() == [[16, 28]]
    assert second.tolist() == [[0, 9]]
    [late] = step_windows([step], [15], rate=2.0, before_s=2, after_s=3)
    assert late.tolist() == [[14, 15]]  # told after the end of the features


def test_turns_never_raise_the_objective_and_keep_the_constraints():
    videos, _ = toy(range(6))
    features = [video.features for video in videos]
    windows = [np.array([[0, 30], [5, 40], [20, len(X)]]) for X in features]
    values = [
        localize_steps(features, windows, iterations=20, alternations=count).value for count in (0, 1, 5, 20)
    ]
    assert all(a >= b - 1e-12 for a, b in itertools.pairwise(values))
    found = localize_steps(features, windows, iterations=50)
    assert found.relaxed <= found.value + 1e-9
    for times, window in zip(found.times, windows, strict=True):
        assert (np.diff(times) > 0).all()
        assert ((times >= window[:, 0]) & (times < window[:, 1])).all()


def test_the_best_of_all_rounded_scores_is_kept():
    videos, _ = toy(range(5))
    features = [video.features for video in videos]
    windows = [np.array([[0, 30], [5, 40], [20, len(X)]]) for X in features]
    values = [
        localize_steps(features, windows, iterations=n, gap=0, alternations=0, rounding="scores").value
        for n in range(7)
    ]
    assert all(a >= b - 1e-12 for a, b in itertools.pairwise(values))
    assert values[0] > values[-1]
    last = localize_steps(features, windows, iterations=6, gap=0, alternations=0).value
    assert values[-1] <= last * 1.05


@pytest.mark.parametrize("seed", range(8))
def test_few_times_are_better_than_the_ones_found_on_a_tiny_problem(seed):
    """Against every answer; the problem is not convex, so the best is not promised."""
    draws = np.random.default_rng(seed)
    looks = 3 * draws.normal(size=(2, 2))
    features = []
    for _ in range(3):
        X = draws.normal(size=(5, 2))
        X[[1, 3]] += looks
        features.append(X)
    window = np.array([[0, 4], [1, 5]])
    found = localize_steps(features, [window] * 3, lam=0.1)
    X = (np.concatenate(features) - found.scorer.mean) * found.scorer.scale
    gram = np.linalg.inv(X.T @ X + len(X) * 0.1 * np.eye(2))

    def value(times):
        Z = np.concatenate([OrderedOracle(5, 2).labels(np.array(t)) for t in times])
        Z = Z - Z.mean(0)
        return (np.square(Z).sum() - np.trace(Z.T @ X @ gram @ X.T @ Z)) / len(X)

    pairs = [(a, b) for a, b in itertools.combinations(range(5), 2) if a < 4]
    every = np.array([value(times) for times in itertools.product(pairs, repeat=3)])
    assert found.value == pytest.approx(value(found.times), rel=1e-5)
    assert found.relaxed <= every.min() + 1e-3
    assert np.mean(every < found.value - 1e-6) < 0.1


def test_toy_steps_are_found_with_names_and_places(discovery):
    found, _, inside = discovery
    times = [[int(step.time_s) for step in steps] for steps in found.locations]
    assert step_f1(list(zip(inside, times, strict=True))).f1 > 0.6
    assert len(found.script) == len(task_steps(20, 0))
    for steps in found.locations:
        assert all(step.span.start <= step.time_s <= step.span.end for step in steps)
        assert all(a.span.end <= b.time_s for a, b in itertools.pairwise(steps))
        assert all(step.present for step in steps if step.text)


def test_the_model_finds_the_steps_of_other_videos_and_survives_a_file(discovery, tmp_path):
    found, _, _ = discovery
    found.model.save_pretrained(tmp_path / "steps" / "model")
    model = sayso.load(str(tmp_path / "steps"))
    assert isinstance(model, StepModel)
    assert (model.encoder, model.sha256) == ("files", found.model.sha256)
    assert model.recipe == found.model.recipe
    scores = {}
    for silent in (False, True):
        videos, inside = toy(range(20, 35), silent=silent, noise=3.0)
        pairs = [
            (Y, [int(step.time_s) for step in model.locate(video)])
            for video, Y in zip(videos, inside, strict=True)
        ]
        scores[silent] = step_f1(pairs).f1
        assert [model.locate(video) for video in videos] == [found.model.locate(video) for video in videos]
    assert scores[False] > scores[True] > 0.35


def test_most_mentions_that_are_in_order_tell_of_steps(discovery):
    model = discovery[0].model
    first, second, third = (phrases[0] for phrases in model.phrases[:3])
    narration = told(second, first, "eat sandwich", second, third)
    assert {k: round(m.span.start) for k, m in model.align_mentions(narration).items()} == {
        0: 5,
        1: 15,
        2: 20,
    }
    assert model.align_mentions([]) == {}


def test_videos_that_are_too_short_are_told_but_not_placed(discovery, tmp_path):
    videos = discovery[1]
    short = [NarratedVideo("short", videos[0].features[:4], videos[0].captions), *videos[1:6]]
    found = discover_steps(short, StepsRecipe(num_steps=5, iterations=5))
    assert found.locations[0] == []
    assert all(len(steps) == 5 for steps in found.locations[1:])
    found.model.save_pretrained(tmp_path / "model")
    assert "Infinity" not in (tmp_path / "model" / "config.json").read_text()
    with pytest.raises(SaysoError, match="no video is long enough for 5 steps"):
        discover_steps(
            [NarratedVideo("short", v.features[:4], v.captions) for v in videos], StepsRecipe(num_steps=5)
        )


def test_a_video_that_is_too_short_has_no_steps(discovery):
    model = discovery[0].model
    assert model.locate(NarratedVideo("short", np.zeros((3, 64)))) == []
    with pytest.raises(SaysoError, match="64 features a row"):
        model.locate(NarratedVideo("other", np.zeros((30, 8))))


@pytest.mark.parametrize("broken", ["", "{}", '{"sayso": 1, "kind": "step_model", "options": {"names": 3}}'])
def test_a_broken_model_is_told_of(discovery, tmp_path, broken):
    discovery[0].model.save_pretrained(tmp_path / "model")
    (tmp_path / "model" / "config.json").write_text(broken)
    with pytest.raises(SaysoError, match=r"cannot be read|do not fit their config\.json"):
        StepModel.from_pretrained(tmp_path)
