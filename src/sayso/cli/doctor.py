"""``sayso doctor``: what this machine has, what is missing, and the command that installs it."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from sayso.cli.options import Json
from sayso.core.device import cores, native_bfloat16
from sayso.core.offline import offline
from sayso.version import __version__

# Codecs of the files people have: the decoders that need no special hardware, then the encoders.
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
GIB = 2**30

Section = tuple[str, list[tuple[str, str]]]


def doctor(as_json: Json = False) -> None:
    """Say what is installed, what is missing, and how to get it.

    Prints versions, devices, codecs, extras with the command that installs each,
    and where models are cached. It opens no connection and changes nothing.

    Examples:

      sayso doctor

      sayso doctor --json
    """
    report = gather()
    if as_json:
        print(json.dumps(report, ensure_ascii=False))
    else:
        _print(list(sections(report)))


def gather() -> dict[str, Any]:
    """Return everything that ``sayso doctor`` tells, as JSON can hold it."""
    return {
        "versions": {
            "sayso": __version__,
            "python": platform.python_version(),
            "system": platform.platform(),
        },
        "packages": packages(),
        "ffmpeg": ffmpeg(),
        "codecs": codecs(),
        "devices": {"cpu": cpu(), **accelerators()},
        "extras": extras(),
        "models": models(),
    }


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
        known = metadata.metadata("sayso").get_all("Provides-Extra") or []
    except metadata.PackageNotFoundError:  # run from a source tree that is not installed
        return ()
    found: list[tuple[Any, str | None]] = []
    for requirement in map(Requirement, lines):
        marker = requirement.marker
        if marker is None or marker.evaluate({"extra": ""}):
            found.append((requirement, None))
        else:
            found += [(requirement, extra) for extra in known if marker.evaluate({"extra": extra})]
    return tuple(found)


def extras() -> dict[str, dict[str, Any]]:
    """Return, for each extra, whether it is complete, what is missing, and the command that installs it."""
    names = sorted({extra for _, extra in _requirements() if extra is not None})
    found = {}
    for name in names:
        wanted = [requirement for requirement, extra in _requirements() if extra == name]
        missing = sorted({text for requirement in wanted for text in _lacking(requirement)})
        command = f"pip install 'sayso[{name}]'"
        found[name] = {"complete": not missing, "missing": missing, "install": command}
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


def codecs() -> dict[str, dict[str, str | None]]:
    """Return, for each codec people have, PyAV's decoder and encoder for it, None if it has none."""
    return {
        name: {"decoder": _codec(decoders, "r"), "encoder": _codec(encoders, "w")}
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


def cpu() -> dict[str, Any]:
    """Return the processor: model, usable cores, memory in GiB, and whether it computes in bfloat16."""
    facts = _cpuinfo()
    return {
        "model": facts.get("model name") or platform.processor() or platform.machine(),
        "cores": cores(),
        "memory_gib": _memory_gib(),
        "bfloat16": _bfloat16(),
    }


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


def accelerators() -> dict[str, Any]:
    """Return what torch can compute on; torch is imported only if it is installed."""
    if _version("torch") is None:
        return {"torch": None, "cuda": [], "mps": False}
    try:
        import torch

        cuda = [torch.cuda.get_device_properties(i) for i in range(torch.cuda.device_count())]
        mps = torch.backends.mps.is_available()
    except (ImportError, OSError, RuntimeError) as error:
        return {"torch": f"cannot be loaded: {error}", "cuda": [], "mps": False}
    devices = [{"name": card.name, "memory_gib": round(card.total_memory / GIB, 1)} for card in cuda]
    return {"torch": torch.__version__, "cuda": devices, "mps": mps}


def models() -> dict[str, Any]:
    """Return where hub models are cached, which, how much room they take, and whether sayso is offline."""
    from sayso.hub.cache import hub_cache

    folder = hub_cache()
    names = sorted(path.name for path in folder.glob("models--*")) if folder.is_dir() else []
    return {
        "cache": str(folder),
        "exists": folder.is_dir(),
        "size_bytes": _size(folder),
        "cached": [name.removeprefix("models--").replace("--", "/") for name in names],
        "offline": offline(),
    }


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


def sections(report: dict[str, Any]) -> Iterator[Section]:
    """Yield the report as titles with rows of two columns."""
    versions = report["versions"]
    yield f"sayso {versions['sayso']}", [("Python", versions["python"]), ("system", versions["system"])]
    yield "Devices", list(_device_rows(report["devices"]))
    yield "Packages", [(name, version or "missing") for name, version in report["packages"].items()]
    yield "FFmpeg libraries (in PyAV)", list(report["ffmpeg"].items())
    yield "Codecs", [(name, _coder(coder)) for name, coder in report["codecs"].items()]
    unknown = [("unknown", "sayso runs from a folder where it is not installed; run: pip install .")]
    yield "Extras", [(name, _extra(extra)) for name, extra in report["extras"].items()] or unknown
    cached = report["models"]
    size = f"{cached['size_bytes'] / GIB:.2f} GiB" if cached["exists"] else "empty so far"
    rows = [("cache", f"{cached['cache']} ({size})"), *(("cached", name) for name in cached["cached"])]
    allowed = "no (set SAYSO_OFFLINE=1 to forbid connections)"
    yield "Models", [*rows, ("offline", "yes: no connection is opened" if cached["offline"] else allowed)]


def _device_rows(devices: dict[str, Any]) -> Iterator[tuple[str, str]]:
    processor = devices["cpu"]
    memory = f", {processor['memory_gib']} GiB" if processor["memory_gib"] else ""
    yield "cpu", f"{processor['model']}, {processor['cores']} cores{memory}"
    known = {True: "native", False: "not native", None: "not known without torch"}
    yield "bfloat16", known[processor["bfloat16"]]
    yield "torch", devices["torch"] or "missing"
    cards = [f"{card['name']}, {card['memory_gib']} GiB" for card in devices["cuda"]]
    yield from (("cuda", card) for card in cards or ["none"])
    yield "mps", "available" if devices["mps"] else "none"


def _coder(codec: dict[str, str | None]) -> str:
    decoder, encoder = codec["decoder"], codec["encoder"]
    decodes = f"decodes ({decoder})" if decoder else "no decoder"
    return f"{decodes}, encodes ({encoder})" if encoder else f"{decodes}, no encoder"


def _extra(extra: dict[str, Any]) -> str:
    return "complete" if extra["complete"] else f"{extra['install']}   # brings {', '.join(extra['missing'])}"


def _print(report: list[Section]) -> None:
    """Print sections: with bold titles on a terminal, as plain columns elsewhere."""
    bold, plain = ("\033[1m", "\033[0m") if sys.stdout.isatty() and "NO_COLOR" not in os.environ else ("", "")
    for i, (title, rows) in enumerate(report):
        print(("\n" if i else "") + bold + title + plain)
        width = max((len(name) for name, _ in rows), default=0)
        for name, value in rows:
            print(f"  {name:{width}}  {value}")
