"""WebDataset shards: tar files in which a video, or a picture, and its captions share a name.

``000001.mp4`` goes with ``000001.txt`` (a caption of the whole video), ``000001.vtt`` or ``000001.en.vtt``
(or another caption format), or ``000001.json``: HowTo100M's ``{"start": [], "end": [], "text": []}``, a list
of ``{"start", "end", "text"}``, that list under ``captions``, or one ``caption`` or ``text``. WebDataset ends
a name at its first dot; where that leaves it open, names have dots: ``talk.v1.mp4`` goes with
``talk.v1.srt``. A shard is listed once by its headers; a video is then read at random from where it lies,
without unpacking. What pictures' texts mean, ``sayso.data.picture_texts`` says.
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
from sayso.media.kinds import RESOURCE_FORK, VIDEO_SUFFIXES
from sayso.text.captions.sidecar import SUFFIXES

LARGEST_TEXT = 32 << 20
Reports = list[tuple[str, str]]  # where something is wrong, and what


def find_shards(path: Path) -> list[Path]:
    """Return the shards that a path names: itself, or the tar files of a folder, by name."""
    if path.is_dir():
        return sorted(tar for tar in path.glob("*.tar") if not tar.name.startswith("."))
    return [path] if path.suffix.lower() == ".tar" and path.is_file() else []


def read_shards(tars: list[Path], builder: CorpusBuilder, progress: Progress) -> None:
    """Add the videos of shards, in order; what of a shard cannot be read is a failure.

    Args:
        tars: the shards.
        builder: takes videos and failures.
        progress: reports shards.
    """
    for done, tar in enumerate(tars, 1):
        progress.update(done, len(tars), note=tar.name)
        reports: Reports = []
        broken = None
        try:
            for sample in shard_samples(tar, VIDEO_SUFFIXES, reports):
                _add(sample, os.path.abspath(tar), builder)  # noqa: PTH100
        except (OSError, tarfile.TarError, SaysoError) as error:
            broken = (str(tar), f"cannot be read further: {error}")
        for where, why in [*reports, *([broken] if broken else [])]:
            builder.fail(where, why)


@dataclass(slots=True)
class Sample:
    """What shares a name in a shard.

    Args:
        key: the name.
        media: first byte and size of the video or picture; None if there is none.
        texts: its texts by what follows the name, such as ``txt`` and ``en.vtt``.
    """

    key: str
    media: tuple[int, int] | None = None
    texts: dict[str, bytes] = field(default_factory=dict)


def _add(sample: Sample, tar: str, builder: CorpusBuilder) -> None:
    name = f"{tar}: {sample.key}"
    if sample.media is None:
        builder.fail(name, "has no video")
        return
    try:
        builder.add(sample.key, tar, _captions(sample.texts), sample.media)
    except SaysoError as error:
        builder.fail(name, str(error))


@dataclass(slots=True)
class _Group:
    """The files that WebDataset takes as one: their names are the same up to the first dot."""

    key: str
    media: dict[str, tuple[int, int]] = field(default_factory=dict)  # by name without its last suffix
    texts: dict[str, bytes] = field(default_factory=dict)  # by name

    def samples(self) -> Iterator[Sample]:
        """Yield the media with the texts whose names begin with theirs, the longest that does."""
        dotted = [name for name in self.media if any(text.startswith(f"{name}.") for text in self.texts)]
        if len(self.media) < 2 and not (dotted and self.key not in self.media):
            media = next(iter(self.media.values()), None)
            yield Sample(self.key, media, {_after(name, self.key): t for name, t in self.texts.items()})
            return
        found = {name: Sample(name, media) for name, media in self.media.items()}
        for name, text in self.texts.items():
            owners = [media for media in found if name.startswith(f"{media}.")] or [
                media for media in found if len(found) == 1
            ]
            if owners:
                owner = max(owners, key=len)
                found[owner].texts[_after(name, owner if name.startswith(f"{owner}.") else self.key)] = text
            else:
                yield Sample(name)
        yield from found.values()


def shard_samples(tar: Path, suffixes: frozenset[str], reports: Reports) -> Iterator[Sample]:
    """Yield the samples of a shard; those that were listed before it breaks off, too.

    Args:
        tar: the shard.
        suffixes: of the media to look for, with their dots.
        reports: gets what is wrong with single files.

    Raises:
        OSError: if the shard cannot be read.
        TarError: if it is none, or damaged; what stands before is yielded first.
    """
    groups: dict[str, _Group] = {}
    broken: Exception | None = None
    try:
        with tarfile.open(tar, "r:") as shard:
            for member in shard:
                if member.isfile():
                    _list(member, shard, groups, suffixes, reports)
                shard.members.clear()  # type: ignore[attr-defined]  # it keeps every header
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
    suffixes: frozenset[str],
    reports: Reports,
) -> None:
    """Note a file of a shard, if it is one to look for or a text; of two with one name the last counts."""
    folder, slash, file = member.name.rpartition("/")
    stem, dot, suffix = file.rpartition(".")
    if not dot or file.startswith(RESOURCE_FORK):
        return
    key = folder + slash + file.partition(".")[0]
    name, kind, where = folder + slash + stem, suffix.lower(), f"{shard.name!s}: {member.name}"
    is_media = f".{kind}" in suffixes
    group = groups.setdefault(key, _Group(key))
    if (is_media and name in group.media) or f"{name}.{kind}" in group.texts:
        reports.append((where, "is there twice, the last counts"))
    if is_media:
        group.media[name] = (member.offset_data, member.size)
    elif _is_text(kind) and member.size > LARGEST_TEXT:
        reports.append((where, f"is a text of {member.size:,} bytes, which is too large"))
    elif _is_text(kind) and (content := shard.extractfile(member)):
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
