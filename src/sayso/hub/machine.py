"""Facts of this machine: packages, extras, codecs, devices, the hub's cache.

Nothing is fetched or changed, and what is not installed is not imported.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from sayso.core.device import cores, native_bfloat16
from sayso.core.install import install_command
from sayso.core.offline import offline

CODECS = {
    "h264": (("h264",), ("libx264", "h264_videotoolbox", "libopenh264")),
    "hevc": (("hevc",), ("libx265", "hevc_videotoolbox")),
    "av1": (("libdav1d", "libaom-av1", "libgav1"), ("libsvtav1", "libaom-av1")),
    "vp9": (("vp9", "libvpx-vp9"), ("libvpx-vp9",)),
    "vp8": (("vp8", "libvpx"), ("libvpx",)),
    "mpeg4": (("mpeg4",), ("mpeg4",)),
    "prores": (("prores",), ("prores_ks", "prores")),
    "mjpeg": (("mjpeg",), ("mjpeg",)),
    "aac": (("aac",), ("aac",)),
    "opus": (("opus", "libopus"), ("libopus", "opus")),
    "mp3": (("mp3", "mp3float"), ("libmp3lame",)),
}
"""Codecs of the files people have: the decoders that need no special hardware, then the encoders."""

GIB = 2**30


@dataclass(frozen=True, slots=True)
class Coder:
    """PyAV's decoder and encoder for a codec, None where it has none."""

    decoder: str | None
    encoder: str | None

    def __str__(self) -> str:
        decodes = f"decodes ({self.decoder})" if self.decoder else "no decoder"
        return f"{decodes}, encodes ({self.encoder})" if self.encoder else f"{decodes}, no encoder"


@dataclass(frozen=True, slots=True)
class Processor:
    """The processor; ``bfloat16`` is whether it computes in it, None without torch."""

    model: str
    cores: int
    memory_gib: float | None
    bfloat16: bool | None


@dataclass(frozen=True, slots=True)
class Gpu:
    """A CUDA device."""

    name: str
    memory_gib: float


@dataclass(frozen=True, slots=True)
class Devices:
    """What models can run on; ``torch`` is its version, or why it cannot be loaded, or None."""

    cpu: Processor
    torch: str | None
    cuda: list[Gpu]
    mps: bool


@dataclass(frozen=True, slots=True)
class ExtraState:
    """Whether an extra is complete, what is missing, and the command that installs it."""

    complete: bool
    missing: list[str]
    install: str

    def __str__(self) -> str:
        return "complete" if self.complete else f"{self.install}   # brings {', '.join(self.missing)}"


@dataclass(frozen=True, slots=True)
class HubCache:
    """Where hub models are cached, which, how much room they take, and whether connections are forbidden."""

    cache: str
    exists: bool
    size_bytes: int
    cached: list[str]
    offline: bool


def packages() -> dict[str, str | None]:
    """Return the version of every package that sayso or an extra for users asks for, None if missing."""
    names = {requirement.name for requirement, extra in _requirements() if extra != "dev"} - {"sayso"}
    return {name: _version(name) for name in sorted(names)}


@cache
def _requirements() -> tuple[tuple[Any, str | None], ...]:
    """Return the requirements in sayso's own metadata, each with the extra it belongs to."""
    from packaging.requirements import Requirement

    try:
        lines = metadata.requires("sayso") or []
        names = metadata.metadata("sayso").get_all("Provides-Extra") or []
    except metadata.PackageNotFoundError:  # run from a source tree that is not installed
        return ()
    found: list[tuple[Any, str | None]] = []
    for requirement in map(Requirement, lines):
        marker = requirement.marker
        if marker is None or marker.evaluate({"extra": ""}):
            found.append((requirement, None))
        else:
            found += [(requirement, extra) for extra in names if marker.evaluate({"extra": extra})]
    return tuple(found)


def extras() -> dict[str, ExtraState]:
    """Return, for each extra, whether it is complete, what is missing, and the command that installs it."""
    names = sorted({extra for _, extra in _requirements() if extra is not None})
    found = {}
    for name in names:
        wanted = [requirement for requirement, extra in _requirements() if extra == name]
        missing = sorted({text for requirement in wanted for text in _lacking(requirement)})
        found[name] = ExtraState(not missing, missing, install_command(name))
    return found


def _lacking(requirement: Any) -> Iterator[str]:
    """Yield what a requirement lacks: nothing, the package, or a version that is new enough."""
    if requirement.name == "sayso":  # an extra made of others
        for other, extra in _requirements():
            if extra in requirement.extras and other.name != "sayso":
                yield from _lacking(other)
        return
    version = _version(requirement.name)
    wanted = f"{requirement.name}{requirement.specifier}"
    if version is None:
        yield wanted
    elif not requirement.specifier.contains(version, prereleases=True):
        yield f"{wanted} ({version} is installed)"


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def ffmpeg() -> dict[str, str]:
    """Return the versions of the FFmpeg libraries that PyAV carries, or why it cannot be loaded."""
    try:
        import av
    except (ImportError, OSError) as error:
        return {"error": f"PyAV cannot be loaded: {error}"}
    return {name: ".".join(map(str, version)) for name, version in av.library_versions.items()}


def codecs() -> dict[str, Coder]:
    """Return, for each codec people have, PyAV's decoder and encoder for it, None if it has none."""
    return {
        name: Coder(_codec(decoders, "r"), _codec(encoders, "w"))
        for name, (decoders, encoders) in CODECS.items()
    }


def _codec(names: tuple[str, ...], mode: Any) -> str | None:
    try:
        from av.codec import Codec
    except (ImportError, OSError):
        return None
    for name in names:
        try:
            return Codec(name, mode).name
        except ValueError:
            continue
    return None


def _processor() -> Processor:
    return Processor(
        model=_cpuinfo().get("model name") or platform.processor() or platform.machine(),
        cores=cores(),
        memory_gib=_memory_gib(),
        bfloat16=_bfloat16(),
    )


def _bfloat16() -> bool | None:
    """Tell whether torch computes in bfloat16 on this processor; None where torch cannot be loaded."""
    if _version("torch") is None:
        return None
    try:
        import torch

        return native_bfloat16(torch.device("cpu"))
    except (ImportError, OSError, RuntimeError):
        return None


def _cpuinfo() -> dict[str, str]:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    lines = (line.partition(":") for line in text.partition("\n\n")[0].splitlines())
    return {key.strip(): value.strip() for key, _, value in lines}


def _memory_gib() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB, 1)
    except (AttributeError, ValueError, OSError):
        return None


def devices() -> Devices:
    """Return what models can run on; torch is imported only if it is installed."""
    if _version("torch") is None:
        return Devices(_processor(), None, [], mps=False)
    try:
        import torch

        cuda = [torch.cuda.get_device_properties(i) for i in range(torch.cuda.device_count())]
        mps = torch.backends.mps.is_available()
    except (ImportError, OSError, RuntimeError) as error:
        return Devices(_processor(), f"cannot be loaded: {error}", [], mps=False)
    cards = [Gpu(card.name, round(card.total_memory / GIB, 1)) for card in cuda]
    return Devices(_processor(), torch.__version__, cards, mps=mps)


def cached_models() -> HubCache:
    """Return where hub models are cached, which, how much room they take, and whether sayso is offline."""
    from sayso.hub.cache import hub_cache

    folder = hub_cache()
    names = sorted(path.name for path in folder.glob("models--*")) if folder.is_dir() else []
    return HubCache(
        cache=str(folder),
        exists=folder.is_dir(),
        size_bytes=_size(folder),
        cached=[name.removeprefix("models--").replace("--", "/") for name in names],
        offline=offline(),
    )


def _size(folder: Path) -> int:
    """Return the bytes that the files under a folder take; a link counts as itself, not as its target."""
    total = 0
    for parent, _, files in os.walk(folder):
        for name in files:
            try:
                total += (Path(parent) / name).lstat().st_size
            except OSError:  # removed meanwhile
                continue
    return total
