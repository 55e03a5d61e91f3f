"""CrossTask's release: its format, and what is wrong with a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sayso.core.errors import SaysoError
from sayso.data.datasets.crosstask import read_segments, read_tasks, read_windows, truth


def test_reads_a_miniature_release(tmp_path: Path) -> None:
    (tmp_path / "tasks.txt").write_text("7\nMake Tea\nhttp://x\n2\nboil water,add tea\n\n")
    (tmp_path / "7_a.csv").write_text("1,0.5,1.2\n2,3.0,4.0\n")
    tasks = read_tasks(tmp_path / "tasks.txt")
    assert tasks["7"].steps == ("boil water", "add tea")
    inside = truth(read_segments(tmp_path / "7_a.csv", 2), 6, 2)
    assert np.argwhere(inside).tolist() == [[0, 0], [1, 0], [3, 1]]


def test_constraints_are_rows_as_annotations_are(tmp_path: Path) -> None:
    (tmp_path / "7_a.csv").write_text("1,0.5,2.2\n\n1,4,5\n3,1,99\n")
    windows = read_windows(tmp_path / "7_a.csv", 6, 3)
    assert [np.flatnonzero(column).tolist() for column in windows.T] == [[0, 1, 2, 4], [], [1, 2, 3, 4, 5]]
    (tmp_path / "7_b.csv").write_text("")
    assert not read_windows(tmp_path / "7_b.csv", 6, 3).any()
    (tmp_path / "7_c.csv").write_text("0,1,0\n1,0,0\n")
    with pytest.raises(SaysoError, match="line 1: no step from 1 to 3"):
        read_windows(tmp_path / "7_c.csv", 6, 3)


def test_names_the_bad_line(tmp_path: Path) -> None:
    (tmp_path / "7_a.csv").write_text("1,0,1\n3,1,2\n")
    with pytest.raises(SaysoError, match="line 2"):
        read_segments(tmp_path / "7_a.csv", 2)
    (tmp_path / "tasks.txt").write_text("7\nMake Tea\nhttp://x\n3\nboil water,add tea\n")
    with pytest.raises(SaysoError, match="task '7'"):
        read_tasks(tmp_path / "tasks.txt")
