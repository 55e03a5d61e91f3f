"""A reel as editing programs read it: CMX 3600 EDL, Final Cut Pro X's XML, OpenTimelineIO.

Written here, to the frame, because the adapters of OpenTimelineIO put 23.98 in the place of 24000/1001 into
FCPXML and no drop-frame mark into an EDL; the tests read all of it back with them.
"""

from __future__ import annotations

import json
import re
import unicodedata
from fractions import Fraction
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET  # only written, never read

from sayso.export.frame_rates import drops_frames, time_code
from sayso.export.reel import Reel, Shot, Source

_REEL_LETTERS = 8


def edl(reel: Reel) -> str:
    """Return a CMX 3600 edit decision list; all time codes count at the reel's rate, drop-frame at 29.97."""
    mode = "DROP FRAME" if drops_frames(reel.rate) else "NON-DROP FRAME"
    lines = [f"TITLE: {_ascii(reel.name)[:70]}", f"FCM: {mode}", ""]
    for number, shot in enumerate(reel.shots, start=1):
        first = round(shot.first / shot.source.rate * reel.rate)
        times = (first, first + shot.frames, shot.at, shot.at + shot.frames)
        codes = " ".join(time_code(frame, reel.rate) for frame in times)
        tracks = "B" if shot.source.has_audio else "V"
        lines.append(f"{number:03d}  {_reel_name(shot):{_REEL_LETTERS}} {tracks:5} C        {codes}")
        lines.append(f"* FROM CLIP NAME: {_one_line(Path(shot.source.path).name)}")
        lines.append(f"* SOURCE FILE: {_one_line(shot.source.path)}")
        lines += [f"* COMMENT: {shot.note[:200]}"] if shot.note else []
        lines.append("")
    return "\n".join(lines)


def _reel_name(shot: Shot) -> str:
    letters = re.sub(r"[^A-Za-z0-9]", "", _ascii(Path(shot.source.path).stem)).upper()
    return letters[:_REEL_LETTERS] or "AX"


def _ascii(text: str) -> str:
    return unicodedata.normalize("NFKD", _one_line(text)).encode("ascii", "ignore").decode()


def _one_line(text: str) -> str:
    return " ".join(text.split())


def fcpxml(reel: Reel) -> str:
    """Return an XML project of Final Cut Pro X (version 1.8, which DaVinci Resolve reads too)."""
    root = ET.Element("fcpxml", version="1.8")
    resources = ET.SubElement(root, "resources")
    formats: dict[tuple[Any, ...], str] = {}
    first = next((shot.source for shot in reel.shots if shot.source.rate == reel.rate), reel.shots[0].source)
    sequence_format = _format(resources, formats, reel.rate, first)
    assets: dict[str, str] = {}
    for shot in reel.shots:
        if shot.source.path not in assets:
            assets[shot.source.path] = _asset(resources, formats, shot)
    event = ET.SubElement(ET.SubElement(root, "library"), "event", name="sayso")
    sequence = ET.SubElement(
        ET.SubElement(event, "project", name=_xml(reel.name)),
        "sequence",
        format=sequence_format,
        duration=_rational(reel.frames, reel.rate),
        tcStart="0s",
        tcFormat=_mode(reel.rate),
    )
    spine = ET.SubElement(sequence, "spine")
    for shot in reel.shots:
        _clip(spine, shot, assets[shot.source.path], reel.rate)
    ET.indent(root)
    text = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>\n{text}\n'


def _format(
    resources: ET.Element, formats: dict[tuple[Any, ...], str], rate: Fraction, source: Source
) -> str:
    key = (rate, source.width, source.height)
    if key not in formats:
        formats[key] = f"f{len(formats) + 1}"
        size: dict[str, Any] = (
            {"width": str(source.width), "height": str(source.height)} if source.width else {}
        )
        ET.SubElement(resources, "format", id=formats[key], frameDuration=_rational(1, rate), **size)
    return formats[key]


def _asset(resources: ET.Element, formats: dict[tuple[Any, ...], str], shot: Shot) -> str:
    source = shot.source
    its_format = _format(resources, formats, source.rate, source)
    name = f"a{sum(one.tag == 'asset' for one in resources) + 1}"
    sound: dict[str, Any] = {"hasAudio": "1", "audioSources": "1"} if source.has_audio else {}
    ET.SubElement(
        resources,
        "asset",
        id=name,
        name=_xml(Path(source.path).name),
        src=source.url,
        start="0s",
        duration=_rational(source.frames, source.rate),
        hasVideo="1",
        format=its_format,
        **sound,
    )
    return name


def _clip(spine: ET.Element, shot: Shot, asset: str, rate: Fraction) -> None:
    clip = ET.SubElement(
        spine,
        "asset-clip",
        ref=asset,
        name=_xml(shot.name),
        offset=_rational(shot.at, rate),
        start=_rational(shot.first, shot.source.rate),
        duration=_rational(shot.frames, rate),
        tcFormat=_mode(shot.source.rate),
    )
    if shot.note:
        ET.SubElement(clip, "note").text = _xml(shot.note)
    if shot.source.rate != rate:
        ET.SubElement(clip, "conform-rate", scaleEnabled="0")  # keep its speed


def _mode(rate: Fraction) -> str:
    return "DF" if drops_frames(rate) else "NDF"


def _rational(frames: int, rate: Fraction) -> str:
    """Return a time as a multiple of the frame's duration, as Final Cut demands: 100100/30000s."""
    if frames == 0:
        return "0s"
    return f"{frames * rate.denominator}/{rate.numerator}s"


def _xml(text: str) -> str:
    """Return a text without what XML cannot hold."""
    return re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", text)


def otio(reel: Reel) -> str:
    """Return an OpenTimelineIO file: a timeline with a track of pictures and one of sound."""
    kinds = ["Video", *(["Audio"] if any(shot.source.has_audio for shot in reel.shots) else [])]
    tracks = [_track(reel, kind) for kind in kinds]
    stack = {"OTIO_SCHEMA": "Stack.1", "name": "tracks", "children": tracks, **_plain()}
    timeline = {
        "OTIO_SCHEMA": "Timeline.1",
        "name": reel.name,
        "metadata": {},
        "global_start_time": _otio_time(0, reel.rate),
        "tracks": stack,
    }
    return json.dumps(timeline, ensure_ascii=False, indent=2) + "\n"


def _plain() -> dict[str, Any]:
    return {"metadata": {}, "source_range": None, "effects": [], "markers": [], "enabled": True}


def _track(reel: Reel, kind: str) -> dict[str, Any]:
    children = [
        _otio_clip(shot, reel.rate)
        if kind == "Video" or shot.source.has_audio
        else _otio_gap(shot, reel.rate)
        for shot in reel.shots
    ]
    return {"OTIO_SCHEMA": "Track.1", "name": kind, "kind": kind, "children": children, **_plain()}


def _otio_clip(shot: Shot, rate: Fraction) -> dict[str, Any]:
    source = shot.source
    reference = {
        "OTIO_SCHEMA": "ExternalReference.1",
        "name": Path(source.path).name,
        "metadata": {},
        "available_range": _otio_range(0, source.frames, source.rate, source.rate),
        "available_image_bounds": None,
        "target_url": source.url,
    }
    return {
        "OTIO_SCHEMA": "Clip.2",
        "name": shot.name,
        **_plain(),
        "metadata": {"sayso": {"note": shot.note}} if shot.note else {},
        "source_range": _otio_range(shot.first, shot.frames, source.rate, rate),
        "media_references": {"DEFAULT_MEDIA": reference},
        "active_media_reference_key": "DEFAULT_MEDIA",
    }


def _otio_gap(shot: Shot, rate: Fraction) -> dict[str, Any]:
    held = {**_plain(), "source_range": _otio_range(0, shot.frames, rate, rate)}
    return {"OTIO_SCHEMA": "Gap.1", "name": "", **held}


def _otio_range(first: int, frames: int, rate: Fraction, frames_rate: Fraction) -> dict[str, Any]:
    return {
        "OTIO_SCHEMA": "TimeRange.1",
        "start_time": _otio_time(first, rate),
        "duration": _otio_time(frames, frames_rate),
    }


def _otio_time(frame: int, rate: Fraction) -> dict[str, Any]:
    return {"OTIO_SCHEMA": "RationalTime.1", "value": float(frame), "rate": float(rate)}
