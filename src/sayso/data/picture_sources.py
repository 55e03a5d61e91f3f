"""Captioned pictures as they are listed, one after the other and in bounded memory, whatever holds them.

* a folder of pictures with a ``.txt`` or ``.json`` of the same name beside each (``picture_texts``), also
  as img2dataset writes it with ``output_format=files``;
* WebDataset shards (``.tar``), those of img2dataset among them (``sayso.data.datasets.img2dataset``);
* a JSON file of captions in COCO's format, pictures in ``images/`` beside it;
* CC3M's and CC12M's ``.tsv``, joined to files (``sayso.data.datasets.conceptual_captions``);
* a manifest, ``.csv``, ``.jsonl`` or ``.parquet``, with ``path`` and ``text`` (or ``caption``): a row a
  caption, those of one picture one after the other; also what ``sayso curate`` kept.

Nothing is decoded. Pictures are ``.jpg``, ``.png`` and ``.webp`` in shards, any that can be read elsewhere.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from sayso.core.errors import MediaError, SaysoError
from sayso.data.archives import is_there, read_whole
from sayso.data.datasets.conceptual_captions import read_url_table
from sayso.data.datasets.img2dataset import failed_downloads, read_picture_shards
from sayso.data.listed_picture import ListedPicture
from sayso.data.manifest import MANIFESTS, Failure, ListedFile, manifest_rows
from sayso.data.picture_texts import captions_in, original_size, read_texts
from sayso.data.problems import RecordProblem
from sayso.data.shards import LARGEST_TEXT, find_shards
from sayso.data.sources import Skipped, walk_files

_WHAT = (
    "name a folder of pictures with captions beside them, a .json in COCO's format, .tar shards, "
    "a .tsv of captions and URLs, or a manifest"
)


def list_pictures(path: Path, images: Path | None = None) -> Iterator[ListedPicture | RecordProblem]:
    """Yield the captioned pictures at a place, always in the same order, and what of it cannot be used.

    Args:
        path: a folder, a ``.json``, a ``.tar``, a ``.tsv`` or a manifest; see above.
        images: the folder of the pictures, for COCO's format and ``.tsv``, if they are not beside it.

    Raises:
        SaysoError: if nothing is there, or it is none of these.
    """
    kind = path.suffix.lower()
    if path.is_dir():
        return _of_folder(path)
    if not path.exists():
        raise SaysoError(f"there is nothing at {path}; {_WHAT}")
    if kind == ".tar":
        return read_picture_shards([path])
    if kind == ".json":
        return _of_coco(path, images)
    if kind == ".tsv":
        return read_url_table(path, images)
    if kind in MANIFESTS:
        return _of_manifest(path)
    raise SaysoError(f"{path} holds no captioned pictures; {_WHAT}")


def _of_folder(folder: Path) -> Iterator[ListedPicture | RecordProblem]:
    tars = find_shards(folder) or sorted(folder.glob("*/*.tar"))
    if tars:
        return read_picture_shards(tars)
    listed = folder / "captions.json"
    return _of_coco(listed, None) if listed.is_file() else _walk(folder)


def _of_coco(path: Path, images: Path | None) -> Iterator[ListedPicture | RecordProblem]:
    from sayso.data.datasets.coco_captions import read_captioned

    found = read_captioned(path, images)
    captions: list[list[str]] = [[] for _ in found.pictures]
    for text, owner in zip(found.texts, found.owners, strict=True):
        captions[owner].append(text)
    for failure in found.failures:
        yield RecordProblem(f"{path}: {failure.error}", "its record in the file of captions is wrong")
    for picture, texts in zip(found.pictures, captions, strict=True):
        if not is_there(picture):
            yield RecordProblem(str(picture), "there is no such file", missing=True)
        elif not texts:
            yield RecordProblem(str(picture), "has no caption", missing=True)
        else:
            full = os.path.abspath(picture)  # noqa: PTH100
            yield ListedPicture(full, full, tuple(" ".join(text.split()) for text in texts))


def _walk(folder: Path) -> Iterator[ListedPicture | RecordProblem]:
    full = os.path.abspath(folder)  # noqa: PTH100
    for _, together in groupby(walk_files(full), key=lambda one: os.path.dirname(one.path)):  # noqa: PTH120
        yield from _of_one_folder(list(together))


def _of_one_folder(entries: list[ListedFile | Failure | Skipped]) -> Iterator[ListedPicture | RecordProblem]:
    """Yield the pictures of one folder, each with the texts of its name."""
    from sayso.media import kind_of

    texts: dict[str, dict[str, str]] = {}
    for entry in entries:
        stem, suffix = os.path.splitext(entry.path)  # noqa: PTH122
        if isinstance(entry, Failure):
            yield RecordProblem(entry.path, "the folder cannot be read")
        elif suffix.lower() in (".txt", ".json"):
            texts.setdefault(stem, {})[suffix.lower()[1:]] = entry.path
        elif suffix.lower() == ".parquet":
            yield from failed_downloads(Path(entry.path))
    for entry in entries:
        if isinstance(entry, ListedFile) and kind_of(entry.path) == "picture":
            yield _with_texts(entry.path, texts.get(os.path.splitext(entry.path)[0], {}), texts)  # noqa: PTH122
    for beside in texts.values():
        if beside and not (beside.keys() == {"json"} and _is_stats(beside["json"])):
            yield RecordProblem(next(iter(beside.values())), "has no picture", missing=True)


def _with_texts(
    path: str, beside: dict[str, str], texts: dict[str, dict[str, str]]
) -> ListedPicture | RecordProblem:
    """Return a picture with the texts beside it, which are then spoken for."""
    if not beside:
        return RecordProblem(path, "has no caption", missing=True)
    try:
        told = read_texts({suffix: _text_of(name) for suffix, name in beside.items()})
    except MediaError:
        return RecordProblem(path, "its caption cannot be read")
    except SaysoError as error:
        return RecordProblem(path, str(error))
    finally:
        texts[os.path.splitext(path)[0]] = {}  # noqa: PTH122
    return ListedPicture(path, path, told.captions, url=told.url, original=told.original)


def _part_of(row: dict[str, Any]) -> tuple[int, int] | None:
    """Return first byte and size of a row's picture in its file, (0, -1) if it is all; None if wrong."""
    offset, size = row.get("offset"), row.get("size")
    if size is None or (type(size) is int and size == -1):
        return 0, -1
    if not isinstance(offset, int) or not isinstance(size, int):
        return None
    return (offset, size) if min(offset, size) >= 0 and max(offset, size) < 1 << 62 else None


def _text_of(path: str) -> bytes:
    """Return the content of a text; an empty one has none."""
    return read_whole(path, LARGEST_TEXT) if is_there(path) and os.path.getsize(path) else b""  # noqa: PTH202


def _is_stats(path: str) -> bool:
    """Tell whether a file is img2dataset's count of a shard."""
    return path.endswith("_stats.json")


@dataclass(slots=True)
class _Pending:
    """The rows of one picture, which follow each other."""

    place: tuple[str, tuple[int, int]] | None = None
    row: dict[str, Any] | None = None
    texts: list[str] = field(default_factory=list)

    def picture(self) -> Iterator[ListedPicture]:
        if self.place is not None and self.row is not None and self.texts:
            path, part = self.place
            key, url = self.row.get("key"), self.row.get("url")
            yield ListedPicture(
                key if isinstance(key, str) and part[1] >= 0 else path,
                path,
                tuple(self.texts),
                part,
                url if isinstance(url, str) else "",
                original_size(self.row),
            )


def _of_manifest(path: Path) -> Iterator[ListedPicture | RecordProblem]:
    pending, there = _Pending(), ("", False)
    for number, row in manifest_rows(path):
        where = f"{path}, row {number}"
        if not isinstance(row, dict):
            yield RecordProblem(where, "is no object")
            continue
        if row.get("dropped_by"):
            continue
        name = row.get("path")
        if not isinstance(name, str) or not name:
            yield RecordProblem(where, "names no file")
            continue
        full = os.path.abspath(path.parent / os.path.expanduser(name))  # noqa: PTH100, PTH111
        if there[0] != full:
            there = (full, is_there(full))
        try:
            texts = captions_in(row)
        except SaysoError as error:
            yield RecordProblem(where, str(error))
            continue
        if not texts or not there[1]:
            why = (
                "there is no such file"
                if texts
                else "has no caption"
                if texts is None
                else "its caption is empty"
            )
            yield RecordProblem(full if texts else where, why, missing=bool(texts))
            continue
        part = _part_of(row)
        if part is None:
            yield RecordProblem(where, "its place in an archive is wrong")
            continue
        place = (full, part)
        if place != pending.place:
            yield from pending.picture()
            pending = _Pending(place, row)
        pending.texts += texts
    yield from pending.picture()
