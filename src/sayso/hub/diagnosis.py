"""What this machine has, what is missing, and the command that installs it: what ``sayso doctor`` shows."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from sayso.hub.machine import (
    GIB,
    Coder,
    Devices,
    ExtraState,
    HubCache,
    cached_models,
    codecs,
    devices,
    extras,
    ffmpeg,
    packages,
)
from sayso.version import __version__

Section = tuple[str, list[tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What ``sayso doctor`` shows."""

    versions: dict[str, str]
    packages: dict[str, str | None]
    ffmpeg: dict[str, str]
    codecs: dict[str, Coder]
    devices: Devices
    extras: dict[str, ExtraState]
    models: HubCache

    def to_dict(self) -> dict[str, Any]:
        """Return the fields, ready for JSON."""
        return asdict(self)

    def sections(self) -> Iterator[Section]:
        """Yield titles with rows of two columns, for people."""
        versions = self.versions
        yield f"sayso {versions['sayso']}", [("Python", versions["python"]), ("system", versions["system"])]
        yield "Devices", list(_device_rows(self.devices))
        yield "Packages", [(name, version or "missing") for name, version in self.packages.items()]
        yield "FFmpeg libraries (in PyAV)", list(self.ffmpeg.items())
        yield "Codecs", [(name, str(coder)) for name, coder in self.codecs.items()]
        unknown = [("unknown", "sayso runs from a folder where it is not installed; run: pip install .")]
        yield "Extras", [(name, str(extra)) for name, extra in self.extras.items()] or unknown
        yield "Models", list(_model_rows(self.models))


def _device_rows(devices: Devices) -> Iterator[tuple[str, str]]:
    processor = devices.cpu
    memory = f", {processor.memory_gib} GiB" if processor.memory_gib else ""
    yield "cpu", f"{processor.model}, {processor.cores} cores{memory}"
    words = {True: "native", False: "not native", None: "not known without torch"}
    yield "bfloat16", words[processor.bfloat16]
    yield "torch", devices.torch or "missing"
    yield from (
        ("cuda", card) for card in [f"{c.name}, {c.memory_gib} GiB" for c in devices.cuda] or ["none"]
    )
    yield "mps", "available" if devices.mps else "none"


def _model_rows(found: HubCache) -> Iterator[tuple[str, str]]:
    size = f"{found.size_bytes / GIB:.2f} GiB" if found.exists else "empty so far"
    yield "cache", f"{found.cache} ({size})"
    yield from (("cached", name) for name in found.cached)
    allowed = "allowed (SAYSO_OFFLINE=1 forbids them)"
    yield "connections", "forbidden" if found.offline else allowed


def diagnose() -> Diagnosis:
    """Return what is installed here, what is missing, and how to get it."""
    return Diagnosis(
        versions={
            "sayso": __version__,
            "python": platform.python_version(),
            "system": platform.platform(),
        },
        packages=packages(),
        ffmpeg=ffmpeg(),
        codecs=codecs(),
        devices=devices(),
        extras=extras(),
        models=cached_models(),
    )
