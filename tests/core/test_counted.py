"""A number and what it counts."""

from __future__ import annotations

import pytest

from sayso.core.counted import counted


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ((0, "file"), "0 files"),
        ((1, "file"), "1 file"),
        ((2, "file"), "2 files"),
        ((1_234, "new clip"), "1,234 new clips"),
        ((1, "file was", "files were"), "1 file was"),
        ((2, "file was", "files were"), "2 files were"),
    ],
)
def test_one_is_singular(asked, said):
    assert counted(*asked) == said
