"""WebDataset shards: tar files in which a video and its captions share a name.

``000001.mp4`` goes with ``000001.txt`` (a caption of the whole video), ``000001.vtt`` (or another
caption format), or ``000001.json``: HowTo100M's ``{"start": [], "end": [], "text": []}``, a list of
``{"start", "end", "text"}``, that list under ``captions``, or one ``caption`` or ``text``. A shard is
listed once by its headers; a video is then read at random from where it lies, without unpacking.
"""

from __future__ import annotations

import json
import os
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sayso.core.errors import SaysoError
from sayso.core.progress import Progress
from sayso.data.corpus import CorpusBuilder, RawCaption
from sayso.text.captions.sidecar import SUFFIXES

_LARGEST_TEXT = 32 << 20


def find_shards(path: Path) -> list[Path]:
    """Return the shards that a path names: itself, or the tar files of a folder, by name."""
    if path.is_dir():
        return sorted(path.glob("*.tar"))
    return [path] if path.suffix.lower() == ".tar" and path.is_file() else []


def read_shards(tars: list[Path], builder: CorpusBuilder, progress: Progress) -> None:
    """Add the videos of shards, in order; a shard that cannot be read is counted as missing."""
    for done, tar in enumerate(tars, 1):
        progress.update(done, len(tars), note=tar.name)
        try:
            for sample in _samples(tar):
                sample.add_to(builder, os.path.abspath(tar))  # noqa: PTH100
        except (OSError, tarfile.TarError, SaysoError) as error:
            builder.miss(str(tar), f"cannot be read further: {error}")


@dataclass(slots=True)
class _Sample:
    """Files of one name: where the video lies, and its captions."""

    key: str
    video: tuple[int, int] | None = None
    texts: dict[str, bytes] = field(default_factory=dict)

    def add_to(self, builder: CorpusBuilder, tar: str) -> None:
        name = f"{tar}: {self.key}"
        if self.video is None:
            builder.miss(name, "has no video")
            return
        try:
            builder.add(self.key, tar, _captions(self.texts), self.video)
        except SaysoError as error:
            builder.miss(name, str(error))


def _samples(tar: Path) -> Iterator[_Sample]:
    """Yield the samples of a shard; by convention the files of one stand together."""
    from sayso.media.kinds import VIDEO_SUFFIXES

    sample: _Sample | None = None
    with tarfile.open(tar, "r:") as shard:
        for member in shard:
            if not member.isfile():
                continue
            key, suffix = _split(member.name)
            if sample is None or sample.key != key:
                if sample is not None:
                    yield sample
                sample = _Sample(key)
            if f".{suffix.rpartition('.')[2]}" in VIDEO_SUFFIXES:
                sample.video = (member.offset_data, member.size)
            elif _is_text(suffix) and member.size <= _LARGEST_TEXT and (file := shard.extractfile(member)):
                sample.texts[suffix] = file.read()
    if sample is not None:
        yield sample


def _split(name: str) -> tuple[str, str]:
    """Return WebDataset's key, up to the first dot of the file's name, and the rest, in lower case."""
    folder, slash, file = name.rpartition("/")
    stem, _, suffix = file.partition(".")
    return folder + slash + stem, suffix.lower()


def _is_text(suffix: str) -> bool:
    return suffix.rpartition(".")[2] in {"txt", "json", *SUFFIXES}


def _captions(texts: Mapping[str, bytes]) -> list[RawCaption]:
    """Return the captions: those with times before the one of the whole video."""
    timed = next((suffix for suffix in texts if suffix.rpartition(".")[2] in SUFFIXES), None)
    if timed is not None:
        return _subtitles(texts[timed])
    captions = _from_json(texts["json"]) if "json" in texts else []
    if captions and captions[0][1] != float("inf"):
        return captions
    if "txt" in texts:
        return [(0.0, float("inf"), texts["txt"].decode("utf-8", "replace"))]
    return captions


def _subtitles(content: bytes) -> list[RawCaption]:
    from sayso.text import read_caption_file

    with tempfile.NamedTemporaryFile(prefix="sayso-") as copy:
        copy.write(content)
        copy.flush()
        captions = read_caption_file(copy.name).captions
    return [(caption.span.start, caption.span.end, caption.text) for caption in captions]


def _from_json(content: bytes) -> list[RawCaption]:
    try:
        found = json.loads(content)
        if isinstance(found, dict) and isinstance(found.get("captions"), list | dict):
            found = found["captions"]
        if isinstance(found, list):
            return [(float(one["start"]), float(one["end"]), str(one["text"])) for one in found]
        if isinstance(found.get("start"), list):
            columns = (found["start"], found["end"], found["text"])
            return [(float(s), float(e), str(text)) for s, e, text in zip(*columns, strict=True)]
        return _whole(found)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise SaysoError(f"its JSON holds no captions that can be understood ({error})") from error


def _whole(found: Mapping[str, Any]) -> list[RawCaption]:
    text = found.get("caption") or found.get("text")
    return [(0.0, float("inf"), text)] if isinstance(text, str) else []
