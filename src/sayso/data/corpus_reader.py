"""Making a corpus from what people have; what it is, follows from what is there.

* a corpus that was saved (``Corpus.save``);
* a folder of videos with caption files beside them (``talk.mp4``, ``talk.en.vtt``);
* a manifest: CSV, JSONL or Parquet, one row a caption or a video (``sayso.data.manifest``);
* HowTo100M as released: a CSV of videos, their captions in one file or one file each, and the
  videos, or their features, in a folder (``sayso.data.datasets.howto100m``);
* WebDataset shards, ``.tar`` (``sayso.data.shards``).
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from sayso.core.counted import counted
from sayso.core.errors import SaysoError, nothing_at
from sayso.core.progress import Progress, Silent
from sayso.data.corpus import MARK, Corpus, CorpusBuilder, RawCaption
from sayso.data.datasets.howto100m import find_release, read_release
from sayso.data.manifest import MANIFESTS, Failure, ListedFile, Row, read_manifest
from sayso.data.shards import find_shards, read_shards
from sayso.data.sources import find_sources

log = logging.getLogger(__name__)


def read_corpus(
    path: str | os.PathLike[str],
    *,
    videos: str | os.PathLike[str] | None = None,
    captions: str | os.PathLike[str] | None = None,
    split: str | None = None,
    files: bool = True,
    progress: Progress | None = None,
) -> Corpus:
    """Return the videos with captions that are at a place.

    What is listed but missing (no such file, no captions) is counted in ``corpus.missing``; what of it is
    broken is in ``corpus.failures``, too.

    Args:
        path: a folder, a manifest, a CSV of HowTo100M's, or a tar shard.
        videos: HowTo100M only: the folder of the videos or their features, if not beside the CSV.
        captions: HowTo100M only: the captions' JSON or folder, if not beside the CSV.
        split: manifests only: take the rows with this in the column ``split``.
        files: whether the videos must be there; not where features stand in for them.
        progress: updated with how many videos were read.

    Raises:
        SaysoError: if nothing is there, or it is none of these.
    """
    here = Path(path).expanduser()
    builder, progress = CorpusBuilder(), progress or Silent()
    if (here / MARK).is_file():
        return Corpus.open(here)
    release = find_release(here, videos, captions)
    tars = find_shards(here)
    if release is not None:
        read_release(release, builder, progress, files=files)
    elif tars:
        read_shards(tars, builder, progress)
    elif here.is_dir() or here.suffix.lower() in MANIFESTS:
        _read_sources(here, split, builder, progress, files=files)
    elif here.exists():
        raise SaysoError(f"{here} is no corpus; name a folder of videos, a manifest or a tar shard")
    else:
        raise SaysoError(nothing_at(here, "name a folder of videos, a manifest or a tar shard"))
    if builder.failures:
        first = builder.failures[0]
        count = f"{len(builder.failures):,}"
        log.warning("%s: left out %s, such as %s: %s", here, count, first.path, first.error)
    return builder.finish()


def read_training_corpus(path: Path, *, files: bool = True, progress: Progress | None = None) -> Corpus:
    """Return videos with captions to learn from, and log how many there are; see ``read_corpus``.

    Args:
        path: a folder, a manifest, a CSV of HowTo100M's, or a tar shard.
        files: whether the videos must be there; not where features stand in for them.
        progress: updated with how many videos were read.

    Raises:
        SaysoError: if there are none.
    """
    corpus = read_corpus(path, files=files, progress=progress)
    log.info(
        "%s, %s, %s missing",
        counted(len(corpus), "video"),
        counted(corpus.captions, "caption"),
        f"{len(corpus.missing):,}",
    )
    if not corpus.captions:
        raise SaysoError(f"{path} holds no video with captions beside it; see: sayso train --help")
    return corpus


def _read_sources(
    here: Path, split: str | None, builder: CorpusBuilder, progress: Progress, *, files: bool
) -> None:
    """Read a folder's videos or a manifest's."""
    from sayso.media import kind_of

    found = find_sources([str(here)]) if here.is_dir() else read_manifest(here)
    for done, source in enumerate(found, 1):
        progress.update(done, note=Path(source.path).name)
        if isinstance(source, Failure):
            builder.fail(source.path, source.error)
        elif kind_of(source.path) == "video" or source.named:
            _add(source, split, builder, files=files)


def _add(source: ListedFile, split: str | None, builder: CorpusBuilder, *, files: bool) -> None:
    rows = [row for row in source.rows if split is None or row.meta.get("split") == split]
    if split is not None and not rows:
        return
    name = next((str(row.meta["video_id"]) for row in rows if "video_id" in row.meta), None)
    if files and not Path(source.path).is_file():
        builder.miss(source.path, "there is no such file")
        return
    try:
        captions = _captions(source, rows)
    except (SaysoError, ValueError) as error:
        builder.fail(source.path, str(error))
    else:
        builder.add(name or Path(source.path).stem, source.path, captions)


def _captions(source: ListedFile, rows: list[Row]) -> list[RawCaption]:
    """Return a video's captions: its rows' texts, else those of its caption file (in their spans)."""
    from sayso.text import Transcript, find_subtitles, read_subtitles, transcript_of

    own = list(chain.from_iterable(map(_own_caption, rows)))
    if own:
        return own
    beside = source.captions or find_subtitles(source.path)
    if beside is None:
        return []
    captions = Transcript(read_subtitles(beside))
    spans = [row.span for row in rows if row.span is not None]
    if not spans:
        return [(one.span.start, one.span.end, one.text) for one in captions]
    return [(span.start, span.end, transcript_of(captions, span)) for span in spans]


def _own_caption(row: Row) -> Iterator[RawCaption]:
    """Yield the caption in a manifest's row; without times it is of the whole video."""
    if not row.text:
        return
    times = (row.meta.get("text_start_s"), row.meta.get("text_end_s"))
    if None not in times:
        yield float(str(times[0])), float(str(times[1])), row.text
    elif row.span is not None:
        yield row.span.start, row.span.end, row.text
    else:
        yield 0.0, float("inf"), row.text
