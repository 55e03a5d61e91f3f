"""Fixtures of the generators' tests: tiny random models, pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from generators import vlms


@pytest.fixture(scope="session")
def kin(tmp_path_factory) -> dict[str, Path]:
    """One folder a kind of visual language model."""
    root = tmp_path_factory.mktemp("kin")
    return {kind: vlms.save_vlm(root / kind, kind, seed=2) for kind in vlms.KINDS}


@pytest.fixture(scope="session")
def photos() -> list[np.ndarray]:
    """Four pictures of different sizes, (H, W, 3) uint8."""
    rng = np.random.default_rng(0)
    sizes = [(20, 30), (16, 16), (40, 24), (33, 17)]
    return [rng.integers(0, 256, (*size, 3), dtype=np.uint8) for size in sizes]
