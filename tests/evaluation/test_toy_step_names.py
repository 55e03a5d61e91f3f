"""The list of steps of a small toy task, and the objective that no start makes worse."""

from __future__ import annotations

from sayso.evaluation.evaluator import EvaluationOptions
from sayso.evaluation.toy_step_names import ToyStepNames, meaning


def test_names_are_understood_by_meaning():
    from sayso.toyworld.words import OBJECTS, VERBS

    for verb, words in VERBS.items():
        for thing, names in OBJECTS.items():
            for word in words:
                said = word.replace("let ", "").split()[0]
                assert meaning(f"{said} {names[-1]}")[1] == thing
                assert said in {w.replace("let ", "").split()[0] for w in VERBS[meaning(f"{said} x")[0]]}
        assert verb in VERBS


def test_a_small_task():
    found = ToyStepNames(tasks=1, videos=12)(None, None, EvaluationOptions(seeds=(0,)))
    row = found.rows["seed 0, task 0"]
    assert row["recall"] > 0.7 and row["precision"] > 0.7
    assert row["f, three starts"] <= row["f, Frank-Wolfe"] <= row["f, progressive"] < 0
    assert found.rows["mean"] == row and found.primary.value == row["recall"]
