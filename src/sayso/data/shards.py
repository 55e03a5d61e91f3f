"""WebDataset shards: tar files in which a video and its captions share a name.

``000001.mp4`` goes with ``000001.txt`` (a caption of the whole video), ``000001.vtt`` or ``000001.en.vtt``
(or another caption format), or ``000001.json``: HowTo100M's ``{"start": [], "end": [], "text": []}``, a list
of ``{"start", "end", "text"}``, that list under ``captions``, or one ``caption`` or ``text``. WebDataset ends
a name at its first dot; where that leaves it open, names have dots: ``talk.v1.mp4`` goes with
``talk.v1.srt``. A shard is listed once by its headers; a video is then read at random from where it lies,
without unpacking.
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
    """Add the videos of shards, in order; what of a shard cannot be read is a failure."""
    for done, tar in enumerate(tars, 1):
        progress.update(done, len(tars), note=tar.name)
        try:
            for sample in _samples(tar, builder):
                sample.add_to(builder, os.path.abspath(tar))  # noqa: PTH100
        except (OSError, tarfile.TarError, SaysoError) as error:
            builder.fail(str(tar), f"cannot be read further: {error}")


@dataclass(slots=True)
class _Sample:
    """A video, where it lies, and its captions by what follows its name."""

    key: str
    video: tuple[int, int] | None = None
    texts: dict[str, bytes] = field(default_factory=dict)

    def add_to(self, builder: CorpusBuilder, tar: str) -> None:
        name = f"{tar}: {self.key}"
        if self.video is None:
            builder.fail(name, "has no video")
            return
        try:
            builder.add(self.key, tar, _captions(self.texts), self.video)
        except SaysoError as error:
            builder.fail(name, str(error))


@dataclass(slots=True)
class _Group:
    """The files that WebDataset takes as one: their names are the same up to the first dot."""

    key: str
    videos: dict[str, tuple[int, int]] = field(default_factory=dict)  # by name without its last suffix
    texts: dict[str, bytes] = field(default_factory=dict)  # by name

    def samples(self) -> Iterator[_Sample]:
        """Yield the videos with the captions whose names begin with theirs, the longest that does."""
        dotted = [name for name in self.videos if any(text.startswith(f"{name}.") for text in self.texts)]
        if len(self.videos) < 2 and not (dotted and self.key not in self.videos):
            video = next(iter(self.videos.values()), None)
            yield _Sample(self.key, video, {_after(name, self.key): t for name, t in self.texts.items()})
            return
        found = {name: _Sample(name, video) for name, video in self.videos.items()}
        for name, text in self.texts.items():
            owners = [video for video in found if name.startswith(f"{video}.")] or [
                video for video in found if len(found) == 1
            ]
            if owners:
                owner = max(owners, key=len)
                found[owner].texts[_after(name, owner if name.startswith(f"{owner}.") else self.key)] = text
            else:
                yield _Sample(name)
        yield from found.values()


def _samples(tar: Path, builder: CorpusBuilder) -> Iterator[_Sample]:
    """Yield the samples of a shard; those that were listed before it breaks off, too."""
    groups: dict[str, _Group] = {}
    broken: Exception | None = None
    try:
        with tarfile.open(tar, "r:") as shard:
            for member in shard:
                if member.isfile():
                    _list(member, shard, groups, tar, builder)
            _check_end(tar, shard.offset)
    except (OSError, tarfile.TarError) as error:
        broken = error
    for group in groups.values():
        yield from group.samples()
    if broken is not None:
        raise broken


def _check_end(tar: Path, offset: int) -> None:
    """Check that a shard ends where no further header was found: tarfile passes over a damaged one.

    Raises:
        TarError: if it does not.
    """
    with tar.open("rb") as file:
        file.seek(offset)
        block = file.read(tarfile.BLOCKSIZE)
    if len(block) < tarfile.BLOCKSIZE or any(block):
        what = "the header there is damaged" if block else "it has no end mark and may be cut off"
        raise tarfile.ReadError(f"{what} (byte {offset:,})")


def _list(
    member: tarfile.TarInfo,
    shard: tarfile.TarFile,
    groups: dict[str, _Group],
    tar: Path,
    builder: CorpusBuilder,
) -> None:
    """Note a file of a shard, if it is a video or a text; of two with one name the last counts."""
    from sayso.media.kinds import VIDEO_SUFFIXES

    folder, slash, file = member.name.rpartition("/")
    stem, dot, suffix = file.rpartition(".")
    if not dot:
        return
    key = folder + slash + file.partition(".")[0]
    group = groups.setdefault(key, _Group(key))
    name, kind = folder + slash + stem, suffix.lower()
    is_video = f".{kind}" in VIDEO_SUFFIXES
    if (is_video and name in group.videos) or f"{name}.{kind}" in group.texts:
        builder.fail(f"{tar}: {member.name}", "is there twice, the last counts")
    if is_video:
        group.videos[name] = (member.offset_data, member.size)
    elif _is_text(kind):
        if member.size > _LARGEST_TEXT:
            builder.fail(f"{tar}: {member.name}", f"is a text of {member.size:,} bytes, which is too large")
        elif content := shard.extractfile(member):
            group.texts[f"{name}.{kind}"] = content.read()


def _after(name: str, key: str) -> str:
    """Return what follows a key and its dot in a name."""
    return name[len(key) + 1 :].lower()


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
        return [(0.0, float("inf"), texts["txt"].decode("utf-8-sig", "replace"))]
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
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise SaysoError(f"its JSON holds no captions that can be understood ({error})") from error


def _whole(found: Mapping[str, Any]) -> list[RawCaption]:
    text = found.get("caption") or found.get("text")
    return [(0.0, float("inf"), text)] if isinstance(text, str) else []
