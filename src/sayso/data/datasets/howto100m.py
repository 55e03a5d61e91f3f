"""HowTo100M as released: videos in a CSV, captions in JSON, and what was downloaded of the videos.

* The CSV lists videos by ``video_id`` (with ``category_1``, ``category_2``, ``rank``,
  ``task_id``), or, in MIL-NCE's code, by ``video_path``.
* The captions are one object ``{video_id: {"start": [], "end": [], "text": []}}`` (``caption.json``,
  ``raw_caption.json``), read entry by entry as it is larger than memory, or a folder with one
  such file, or one CSV (``start,end,text``), a video. A text of digits alone is a number there, and an
  empty one NaN. A broken entry costs its video alone.
* Videos, or features (``.npy``), lie anywhere below a folder and are found by their ids.

Miech et al., ICCV 2019, https://www.di.ens.fr/willow/research/howto100m/
"""

from __future__ import annotations

import csv
import json
import math
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sayso.core.errors import SaysoError
from sayso.core.progress import Progress
from sayso.data.corpus import CorpusBuilder, RawCaption
from sayso.data.json_stream import json_entries

_LISTED = ("video_id", "video_path")
_FEATURES = ".npy"


@dataclass(frozen=True, slots=True)
class Release:
    """Where the parts of a release lie.

    Args:
        listed: the CSV of videos.
        captions: one JSON file, or a folder with one file a video.
        videos: the folder below which videos or features lie.
    """

    listed: Path
    captions: Path
    videos: Path


def find_release(
    path: Path,
    videos: str | os.PathLike[str] | None = None,
    captions: str | os.PathLike[str] | None = None,
) -> Release | None:
    """Return the release that a path names, the CSV or its folder; None if it is something else.

    Args:
        path: the CSV, or the folder that holds it.
        videos: where they lie; by default anywhere beside the CSV.
        captions: where they are; by default beside the CSV, ``caption.json`` before others.

    Raises:
        SaysoError: if the CSV is named, but its captions are not there.
    """
    tables = sorted(path.glob("*.csv")) if path.is_dir() else [path] if path.suffix.lower() == ".csv" else []
    listed = next((table for table in tables if _lists_videos(table)), None)
    if listed is None:
        return None
    found = Path(captions) if captions is not None else _captions_beside(listed)
    if found is None and path.is_dir():
        return None
    if found is None or not found.exists():
        raise SaysoError(
            f"{listed} lists videos of HowTo100M, but {found or 'caption.json'} is not there; "
            "put the captions' JSON, or their folder, beside it, or say where it is"
        )
    return Release(listed, found, listed.parent if videos is None else Path(videos))


def read_release(release: Release, builder: CorpusBuilder, progress: Progress, *, files: bool = True) -> None:
    """Add the listed videos with their captions, in the captions' order.

    Args:
        release: where its parts lie.
        builder: takes the videos.
        progress: told how many were read.
        files: leave out videos that are not there; otherwise the id stands for the file.

    Raises:
        SaysoError: if the list cannot be read, or nothing of the captions.
    """
    wanted = dict.fromkeys(_ids(release.listed))
    there = _files(release.videos) if files else {}
    done = 0
    try:
        for video, read_one in _captions(release.captions, wanted):
            if video not in wanted:
                continue
            del wanted[video]
            done += 1
            progress.update(done, done + len(wanted), note=video)
            if files and video not in there:
                builder.miss(video, "there is no such video")
            else:
                _add(builder, video, there.get(video, video), read_one)
    except SaysoError as error:
        if not done:
            raise
        builder.fail(str(release.captions), str(error))
    if builder.failures and not builder.videos:
        raise SaysoError(builder.failures[0].error)
    for video in wanted:
        builder.miss(video, "has no captions")


def _add(builder: CorpusBuilder, video: str, path: str, read_one: Callable[[], list[RawCaption]]) -> None:
    """Add a video; one whose captions are broken fails alone."""
    try:
        captions = read_one()
    except SaysoError as error:
        builder.fail(video, str(error))
    else:
        builder.add(video, path, captions)


def _lists_videos(table: Path) -> bool:
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            columns = next(csv.reader(file), [])
    except (OSError, ValueError, csv.Error):
        return False
    return any(name in columns for name in _LISTED) and "path" not in columns


def _captions_beside(listed: Path) -> Path | None:
    found = [path for path in listed.parent.glob("*caption*") if path.is_dir() or path.suffix == ".json"]
    return min(found, key=lambda path: (path.name != "caption.json", path.is_dir(), path.name), default=None)


def _ids(listed: Path) -> Iterator[str]:
    try:
        with listed.open(newline="", encoding="utf-8-sig") as file:
            for row in csv.DictReader(file):
                name = row.get("video_id") or Path(row.get("video_path") or "").stem
                if name:
                    yield name
    except (OSError, ValueError, csv.Error) as error:
        raise SaysoError(f"the list of videos {listed} cannot be read: {error}") from error


def _files(folder: Path) -> dict[str, str]:
    """Return the videos and features below a folder by id: the name without its suffix."""
    from sayso.media import kind_of

    found: dict[str, str] = {}
    for here, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            stem, suffix = os.path.splitext(name)  # noqa: PTH122
            if kind_of(name) == "video" or suffix == _FEATURES:
                found.setdefault(stem, os.path.join(here, name))  # noqa: PTH118
    return found


def _captions(path: Path, wanted: Mapping[str, None]) -> Iterator[tuple[str, Callable[[], list[RawCaption]]]]:
    """Yield videos with what reads their captions, of one JSON file, or of a folder's files of the wanted."""
    if not path.is_dir():
        for video, columns in json_entries(path):
            yield video, partial(_rows, columns, f"{path}, entry {video}")
        return
    for video in list(wanted):
        for suffix, read_one in ((".csv", _read_csv), (".json", _read_json)):
            file = path / f"{video}{suffix}"
            if file.is_file():
                yield video, partial(read_one, file)
                break


def _rows(columns: Any, where: str) -> list[RawCaption]:
    """Return (start, end, text) from the columns; what has no time or no text is an empty caption.

    Raises:
        SaysoError: if there are no such columns of equal length.
    """
    try:
        rows = list(zip(columns["start"], columns["end"], columns["text"], strict=True))
    except (KeyError, TypeError, ValueError) as error:
        raise SaysoError(f"{where}: expected start, end and text of equal length ({error})") from error
    return [(_seconds(start, math.inf), _seconds(end, -math.inf), _text(text)) for start, end, text in rows]


def _seconds(value: Any, none: float) -> float:
    """Return a time, or ``none`` where it is none."""
    try:
        seconds = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return none
    return none if math.isnan(seconds) else seconds


def _text(value: object) -> str:
    """Return what is said; a caption of digits alone is a number in the file, and an empty one is NaN."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return str(value) if isinstance(value, bool) else ""
    return str(int(value)) if value == int(value) else str(value)


def _read_csv(file: Path) -> list[RawCaption]:
    try:
        with file.open(newline="", encoding="utf-8-sig") as opened:
            rows = list(csv.DictReader(opened))
    except (OSError, ValueError, csv.Error) as error:
        raise SaysoError(f"the captions {file} cannot be read: {error}") from error
    if rows and not {"start", "end", "text"} <= rows[0].keys():
        raise SaysoError(f"{file}: expected the columns start, end and text")
    columns = {name: [row.get(name) for row in rows] for name in ("start", "end", "text")}
    return _rows(columns, str(file))


def _read_json(file: Path) -> list[RawCaption]:
    try:
        columns = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise SaysoError(f"the captions {file} cannot be read: {error}") from error
    return _rows(columns, str(file))
