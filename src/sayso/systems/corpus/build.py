"""Pairs of clips and captions, written in the form that training reads: the last stage of a corpus.

Each caption and its time is a pair (HowTo100M, section 3.3). Three forms:

    release   videos.csv, task_ids.csv, caption.json: HowTo100M's, beside the videos
    shards    shards/000000.tar ...: WebDataset, a video and its captions in JSON
    ids       ids.csv: ids, addresses, tasks and ranks alone, which may be published and is a catalogue again
"""

from __future__ import annotations

import csv
import io
import json
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sayso.core.errors import SaysoError
from sayso.core.io import atomic_file
from sayso.core.progress import Progress, Silent
from sayso.systems.corpus.captions import SILENT, count_words
from sayso.systems.corpus.ledger import LedgerRow
from sayso.systems.corpus.source import Found
from sayso.systems.corpus.state import CorpusState
from sayso.systems.corpus.storage import SUFFIX, FolderOfVideos, is_bucket, video_files
from sayso.text.captions.caption_file import read_caption_file
from sayso.text.captions.sidecar import find_subtitles

Form = Literal["release", "shards", "ids"]
Only = Literal["captions"]
LISTED, CAPTIONS, TASKS, IDS = "videos.csv", "caption.json", "task_ids.csv", "ids.csv"
SHARD_VIDEOS = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildPlan:
    """What is written.

    Args:
        corpus: the folder of the corpus.
        captions: the folder of the captions that were got.
        form: see the module.
        only: ``captions``: videos count that were not fetched, too.
        min_words: captions that were heard have at least so many.
    """

    corpus: Path
    captions: Path
    form: Form = "release"
    only: Only | None = None
    min_words: int = 100


@dataclass(frozen=True, slots=True)
class NarratedEntry:
    """A video of the corpus.

    Args:
        video: as it was found.
        rank: its best.
        task: the title of the task that gave it that rank.
        number: of that task.
        tasks: all that found it.
        at: where the video is; None if it was not fetched.
        columns: ``start``, ``end`` in seconds and ``text`` of its captions.
    """

    video: Found
    rank: int
    task: str
    number: int
    tasks: tuple[str, ...]
    at: str | None
    columns: dict[str, list[Any]]


def build_corpus(state: CorpusState, plan: BuildPlan, *, progress: Progress | None = None) -> None:
    """Write the corpus in a form, and record how many clips each video has.

    Silent videos count as soon as captions lie beside them (``sayso transcribe``).

    Args:
        state: of the corpus.
        plan: what is written.
        progress: updated with how many videos are written.

    Raises:
        SaysoError: if nothing lies where it was got; what is there stays.
    """
    _check_place(state, plan)
    entries = _entries(state, plan, progress or Silent())
    if plan.form == "release":
        _write_release(plan.corpus, entries)
    elif plan.form == "shards":
        _write_shards(plan, entries)
    else:
        _write_ids(plan.corpus, entries)


def _check_place(state: CorpusState, plan: BuildPlan) -> None:
    """Refuse a folder with none of the captions, or silent videos, that were got: they lie elsewhere."""
    there: dict[str, bool] = {}
    for key, *_ in state.ranked():
        heard, fetched = state.row("captions", key), state.row("fetch", key)
        if heard is not None and "captions" in heard.facts:
            kind, place = "captions", str(heard.facts["captions"])
        elif fetched is not None and fetched.status == "done" and not is_bucket(str(fetched.facts["at"])):
            kind, place = "videos", str(fetched.facts["at"])
        else:
            continue
        there[kind] = there.get(kind, False) or (plan.captions / place).is_file()
        if there.get("captions"):
            return
    if there and not there.get("captions", there.get("videos")):
        raise SaysoError(
            f"{plan.captions} holds none of the {min(there)} that were got; "
            "give the --to FOLDER that they went to"
        )


def _entries(state: CorpusState, plan: BuildPlan, progress: Progress) -> Iterator[NarratedEntry]:
    """Yield the videos that have captions, and record what became of the others."""
    for done, (key, rank, task, number) in enumerate(state.ranked(), 1):
        progress.update(done, note=f"building: {key}")
        heard, fetched = state.row("captions", key), state.row("fetch", key)
        got = fetched is not None and fetched.status == "done"
        if heard is None or heard.status != "done" or not (got or plan.only):
            continue
        at = str(fetched.facts["at"]) if fetched is not None and got else None
        captions = _captions_file(heard, at, plan)
        if captions is None:
            continue  # silent still
        columns, why = _columns(captions, plan.min_words if heard.why == SILENT else 0)
        if why:
            state.record(LedgerRow("build", key, "rejected", why))
        else:
            state.record(LedgerRow("build", key, "done", facts={"clips": len(columns["text"])}))
        if not why:
            facts = state.find_row(key).facts
            tasks = tuple(sorted(facts["tasks"]))
            yield NarratedEntry(Found.of(key, facts), rank, task, number, tasks, at, columns)


def _captions_file(heard: LedgerRow, at: str | None, plan: BuildPlan) -> Path | None:
    """Return the captions of a video: those that were got, else those that lie beside it now."""
    if heard.why != SILENT:
        return plan.captions / str(heard.facts["captions"])
    return find_subtitles(plan.captions / at) if at is not None and not is_bucket(at) else None


def _columns(captions: Path, min_words: int) -> tuple[dict[str, list[Any]], str]:
    """Return the columns of the captions, or why they do not count."""
    try:
        read = read_caption_file(captions).captions
    except SaysoError:
        return {}, "captions that cannot be read"
    if count_words(read) < min_words:
        return {}, "words"
    spoken = [one for one in read if one.text.strip()]
    return {
        "start": [round(one.span.start, 3) for one in spoken],
        "end": [round(one.span.end, 3) for one in spoken],
        "text": [" ".join(one.text.split()) for one in spoken],
    }, "" if spoken else "no captions"


def _write_release(corpus: Path, entries: Iterator[NarratedEntry]) -> None:
    """Write HowTo100M's files; none of them is in memory as a whole."""
    titles: dict[int, str] = {}
    with atomic_file(corpus / LISTED) as listed, atomic_file(corpus / CAPTIONS) as captions:
        listed.write(_row("video_id", "category_1", "category_2", "rank", "task_id"))
        captions.write(b"{")
        for count, one in enumerate(entries):
            listed.write(_row(one.video.id, "", "", one.rank, one.number))
            entry = f"{json.dumps(one.video.id)}: {json.dumps(one.columns, ensure_ascii=False)}"
            captions.write((",\n" if count else "\n").encode() + entry.encode("utf-8", "replace"))
            titles[one.number] = one.task
        captions.write(b"\n}\n")
        with atomic_file(corpus / TASKS) as tasks:
            for number, title in sorted(titles.items()):
                tasks.write(_row(number, title))


def _write_ids(corpus: Path, entries: Iterator[NarratedEntry]) -> None:
    with atomic_file(corpus / IDS) as listed:
        listed.write(_row("id", "url", "task", "rank"))
        for one in entries:
            listed.write(_row(one.video.id, one.video.url, one.task, one.rank))


def _write_shards(plan: BuildPlan, entries: Iterator[NarratedEntry]) -> None:
    """Write tar files of some hundred videos; those of an earlier run that are more go."""
    number, used, folder = 0, 0, plan.corpus / "shards"
    with ExitStack() as stack:
        shard: tarfile.TarFile | None = None
        for one in entries:
            if one.at is None:
                raise SaysoError(
                    f"{one.video.id} was not fetched, and shards hold videos; take another --form"
                )
            if shard is None or used == SHARD_VIDEOS:
                stack.close()
                file = stack.enter_context(atomic_file(folder / f"{number:06d}.tar"))
                shard = stack.enter_context(tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT))
                number, used = number + 1, 0
            _add(shard, one, one.at, plan.captions)
            used += 1
    for old in folder.glob("*.tar"):
        if old.stem.isdecimal() and int(old.stem) >= number:
            old.unlink()


def _add(shard: tarfile.TarFile, one: NarratedEntry, at: str, folder: Path) -> None:
    files = video_files(at if is_bucket(at) else str(folder))
    name = one.video.id.replace(".", "%2E")  # WebDataset ends a name at its first dot
    if isinstance(files, FolderOfVideos) and not (folder / at).is_file():
        raise SaysoError(f"{folder / at} is not there; give the --to FOLDER that the videos went to")
    with files.open(at) as file:
        file.seek(0, io.SEEK_END)
        size = file.tell()
        file.seek(0)
        _member(shard, f"{name}{SUFFIX}", file, size)
    facts = {**one.columns, "task": one.task, "tasks": one.tasks, "rank": one.rank, "url": one.video.url}
    said = json.dumps(facts, ensure_ascii=False).encode("utf-8", "replace")
    _member(shard, f"{name}.json", io.BytesIO(said), len(said))


def _member(shard: tarfile.TarFile, name: str, file: Any, size: int) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o644
    shard.addfile(info, file)


def _row(*cells: object) -> bytes:
    """Return a line of a CSV."""
    held = io.StringIO()
    csv.writer(held, lineterminator="\n").writerow(cells)
    return held.getvalue().encode("utf-8", "replace")
