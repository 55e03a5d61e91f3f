"""Step recall, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from sayso.metrics.steps import mean_recall, step_recall


def test_recall_counts_steps_over_videos_then_averages_tasks() -> None:
    inside = np.array([[True, False, False], [False, True, False]])
    recalls = step_recall({"a": [(inside, [0, 0, 0]), (inside[:, :1], [0])], "b": [(inside, [1, 0, 0])]})
    assert recalls == {"a": pytest.approx(2 / 3), "b": 0.0}
    assert mean_recall(recalls) == pytest.approx(1 / 3)


@pytest.mark.parametrize("times", [[0, 0], [0, 0, 2], [0, 0, -1], [0.0, 0.0, 0.0]])
def test_bad_times_are_refused(times: list[float]) -> None:
    with pytest.raises(ValueError, match="task a, video 0"):
        step_recall({"a": [(np.ones((2, 3), dtype=bool), times)]})
