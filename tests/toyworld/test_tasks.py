"""Many videos of one task: what they are said to be."""

from __future__ import annotations

import numpy as np

from sayso.toyworld import Narration
from sayso.toyworld.tasks import TASKS, VIDEOS, Variation, task_features, task_steps, task_truth, task_video
from sayso.toyworld.words import CHATTER, OBJECTS, VERBS


def test_tasks_are_lists_of_steps_and_the_same_every_time():
    tasks = [task_steps(3, task) for task in range(TASKS)]
    assert tasks == [task_steps(3, task) for task in range(TASKS)]
    assert all(8 <= len(steps) <= 12 and len(set(steps)) == len(steps) for steps in tasks)
    assert len({tuple(steps) for steps in tasks}) == TASKS
    assert task_video(3, 1, 4) == task_video(3, 1, 4) != task_video(3, 1, 5)


def test_videos_leave_out_swap_and_time_as_asked():
    known = task_steps(0, 0)
    videos = [task_video(0, 0, n) for n in range(VIDEOS)]
    orders = [[step.number for step in video.steps] for video in videos]
    shown = np.mean([len(order) for order in orders]) / len(known)
    assert 0.75 < shown < 0.95
    assert 0 < sum(order != sorted(order) for order in orders) < VIDEOS
    for video in videos:
        assert all(known[step.number] == (step.verb, step.thing) for step in video.steps)
        ends = [step.span.end for step in video.steps]
        assert ends == sorted(ends)
        assert ends[-1] <= video.duration_s
        assert all(a.span.end <= b.span.start for a, b in zip(video.lines, video.lines[1:], strict=False))


def test_narration_names_its_step_and_chatters_as_often_as_asked():
    quiet = Variation(Narration(0.0, 0.0, dropped=0.0, chatter=0.0), left_out=0, swapped=0, usual=1.0)
    video = task_video(0, 2, 0, quiet)
    assert [line.about for line in video.lines] == list(range(len(task_steps(0, 2))))
    for line, step in zip(video.lines, video.steps, strict=True):
        assert VERBS[step.verb][0] in line.text
        assert OBJECTS[step.thing][0] in line.text
    lines = [line for n in range(VIDEOS) for line in task_video(0, 2, n).lines]
    idle = [line for line in lines if line.about is None]
    assert 0.4 < len(idle) / len(lines) < 0.6
    assert all(line.text in CHATTER for line in idle)


def test_a_step_looks_like_itself_and_not_like_others():
    videos = [task_video(1, 0, n) for n in range(8)]
    steps = len(task_steps(1, 0))
    rows = [task_features(1, video, noise=0.3) for video in videos]
    inside = [task_truth(video, steps) for video in videos]
    for video, X, Y in zip(videos, rows, inside, strict=True):
        assert len(X) == len(Y) == np.ceil(video.duration_s)
    both = [(X, Y) for X, Y in zip(rows, inside, strict=True) if Y[:, [0, 2]].any(0).all()]
    seen = np.array([[X[Y[:, k]].mean(0) for k in (0, 2)] for X, Y in both])
    assert len(seen) >= 3
    near = np.linalg.norm(seen[0, 0] - seen[1, 0])
    assert near < np.linalg.norm(seen[0, 0] - seen[1, 1])


def test_the_truth_says_which_step_is_when():
    video = task_video(1, 0, 0)
    inside = task_truth(video, len(task_steps(1, 0)), rate=2.0)
    for step in video.steps:
        middle = int((step.span.start + step.span.end) / 2 * 2)
        assert inside[middle].nonzero()[0].tolist() == [step.number]
