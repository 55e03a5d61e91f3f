"""Fixtures of the encoders' tests: tiny hub models, a hub cache of one's own, pictures."""

from __future__ import annotations

from pathlib import Path

import hubs
import numpy as np
import pytest


@pytest.fixture(scope="session")
def tiny(tmp_path_factory) -> dict[str, Path]:
    """One folder a kind of model."""
    root = tmp_path_factory.mktemp("models")
    return {kind: hubs.save_tiny(root / kind, kind) for kind in hubs.KINDS}


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """An empty hub cache that the environment points to."""
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_ENDPOINT", "SAYSO_OFFLINE", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("TRANSFORMERS_OFFLINE", raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    return tmp_path / "hf" / "hub"


@pytest.fixture
def no_sockets(monkeypatch) -> None:
    """Any socket that is made raises."""
    import socket

    def refuse(*args, **kwargs):
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture(scope="session")
def pictures() -> list[np.ndarray]:
    """Five smooth pictures of different sizes, (H, W, 3) uint8."""
    rng = np.random.default_rng(0)
    sizes = [(48, 64), (64, 48), (40, 40), (100, 33), (32, 32)]
    made = []
    for height, width in sizes:
        y, x = np.mgrid[:height, :width]
        phase = rng.uniform(0, 6, (3, 1, 1))
        wave = np.sin(x / rng.uniform(3, 20) + phase) + np.cos(y / rng.uniform(3, 20) + phase)
        made.append(np.ascontiguousarray((wave.transpose(1, 2, 0) * 63 + 128).astype(np.uint8)))
    return made
