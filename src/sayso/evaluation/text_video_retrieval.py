"""Published protocols of clip retrieval, as ``text_video_retrieval.toml`` or a file of one's own writes them.

DIR holds the protocol's list of clips and, at any depth, the videos, named by their ids
(``xHr8X2Wpmno.mp4``); a list may give names of files instead. Videos vanish from the web, so those
that are missing are counted, and the rest is measured.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sayso.core.errors import SaysoError
from sayso.core.io import sha256_of
from sayso.core.types import Span
from sayso.evaluation.clip_features import Listed, embed_features
from sayso.evaluation.clip_retrieval import RANKS, CaptionedClip, rank_clips, rank_embeddings
from sayso.evaluation.evaluator import DEFAULTS, Count, EvaluationOptions, EvaluationResult, Primary
from sayso.evaluation.windows import Windows, adapted, clip_of, video_id, videos_by_id

if TYPE_CHECKING:
    from sayso.core.progress import Progress
    from sayso.encoders.interface import Encoder

_REQUIRED = ("title", "annotations", "columns")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipProtocol:
    """How clips of a benchmark are retrieved.

    Args:
        title: which benchmark, which part of it.
        annotations: name of the file that lists the clips.
        columns: where ``video``, ``text`` and, unless clips are whole files, ``start`` and ``end`` (seconds)
            are: names of the header, or numbers from 0 if there is none.
        clips: how many it lists, as published; None if that is not known.
        windows: windows a clip, whose embeddings are averaged.
        frames: of a window; this and all that follows is the model's where it is None.
        fps: frames a second of media.
        size: side of the square that is shown, pixels.
        margin_s: the last window ends so long before the end of the clip, seconds.
        beyond: what stands in a window past the end of the file: its last frame (``hold``), or ``black``.
        max_words: words of a caption that are read.
        published: what others measured: ``model``, ``source``, and numbers as of ``sayso.metrics.retrieval``.
        sha256: of the file that lists the clips, if it is known.
        delimiter: between its columns.
    """

    title: str
    annotations: str
    columns: dict[str, str | int]
    clips: int | None = None
    windows: int = 4
    frames: int | None = None
    fps: float | None = None
    size: int | None = None
    margin_s: float = 0.0
    beyond: Literal["hold", "black"] = "hold"
    max_words: int | None = None
    published: tuple[dict[str, Any], ...] = ()
    sha256: str | None = None
    delimiter: str = ","

    def cut(self, windows: int | None = None) -> Windows:
        """Return how clips are cut; ``windows``, if given, is how many of each."""
        return Windows(
            count=windows or self.windows,
            frames=self.frames,
            fps=self.fps,
            size=self.size,
            margin_s=self.margin_s,
            beyond=self.beyond,
        )


@dataclass(frozen=True)
class TextVideoRetrieval:
    """Retrieval among the clips that a protocol lists.

    Args:
        name: of the protocol.
        protocol: what it lists, and how.
    """

    name: str
    protocol: ClipProtocol
    measures = "recall and rank of each caption's clip, and of each clip's caption"
    needs = ("encoder",)
    takes = ("windows", "features")

    @property
    def title(self) -> str:
        """Which benchmark."""
        return self.protocol.title

    @property
    def data(self) -> str:
        """What the folder holds."""
        return f"the folder of {self.protocol.annotations}, with the videos beside or below it"

    def __call__(
        self,
        model: Encoder,
        data: Path,
        options: EvaluationOptions = DEFAULTS,
        progress: Progress | None = None,
    ) -> EvaluationResult:
        """Rank the clips of the protocol; see ``Evaluator``."""
        how, path = self.protocol, data / self.protocol.annotations
        windows = how.cut(options.windows)
        read = adapted(model, windows, how.max_words)
        if options.features is not None:
            return self._of_features(read, path, options.features)
        listed = read_clip_list(path, how)
        videos = videos_by_id(data)
        there = [CaptionedClip(videos[video], span, text) for video, span, text in listed if video in videos]
        missing = sorted({video for video, _, _ in listed} - set(videos))
        if not there:
            raise SaysoError(
                f"none of the {len(listed):,} clips of {path} is in {data}:"
                f" videos go by their ids, such as {missing[0]}.mp4"
            )
        ranked = rank_clips(read, there, windows=windows, cache=options.cache, progress=progress)
        return EvaluationResult(
            protocol=how.title,
            primary=ranked.primary,
            columns=RANKS,
            rows=ranked.rows,
            counts={"clips": Count(len(ranked.used), len(listed))},
            missing=tuple(missing),
            unreadable=ranked.unreadable,
            definition=self._definition(path)
            | {"windows": windows.count, "window": asdict(clip_of(model, windows))},
            published=how.published if windows.count == how.windows else (),  # measured with so many
        )

    def _of_features(self, model: Encoder, path: Path, features: Path) -> EvaluationResult:
        """Rank clips of which there are features; a released file may bring its own list."""
        listed = read_clip_list(path, self.protocol) if path.is_file() or features.suffix != ".pkl" else []
        found = embed_features(model, features, listed)
        rows = rank_embeddings(model.encode_text(found.texts), found.vectors)
        return EvaluationResult(
            protocol=f"{self.protocol.title}, from features",
            primary=Primary("R@10", rows["text to clip"]["R@10"]),
            columns=RANKS,
            rows=rows,
            counts={"clips": Count(len(found.texts), max(found.listed, len(listed)))},
            missing=found.missing,
            unreadable=found.unreadable,
            definition=(self._definition(path) if listed else {}) | {"features": str(features)},
            published=self.protocol.published,
        )

    def _definition(self, path: Path) -> dict[str, Any]:
        """Return the protocol, with the digest of the list that was read."""
        definition = asdict(self.protocol)
        del definition["published"]
        read = sha256_of(path)
        return definition | {"sha256": read, "as_published": read == self.protocol.sha256}


def __getattr__(name: str) -> TextVideoRetrieval:
    """Return a protocol of ``text_video_retrieval.toml`` by its name."""
    text = (resources.files("sayso.evaluation") / "text_video_retrieval.toml").read_text(encoding="utf-8")
    tables = tomllib.loads(text)
    table = tables.get(name)
    if table is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    while "like" in table:
        table = tables[table["like"]] | {key: value for key, value in table.items() if key != "like"}
    return TextVideoRetrieval(name, _protocol(table, "text_video_retrieval.toml"))


def read_protocol(path: Path) -> TextVideoRetrieval:
    """Return the protocol that a TOML file writes down, as those of ``text_video_retrieval.toml`` are.

    Args:
        path: the file; its keys stand at the top, or in one table, whose name is then the protocol's.

    Raises:
        SaysoError: if it is no TOML, holds no protocol or several, or a key is unknown, missing or wrong.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SaysoError(f"the protocol {path} cannot be read: {error}") from error
    if "annotations" in content:
        return TextVideoRetrieval(path.stem, _protocol(content, str(path)))
    if len(content) != 1 or not all(isinstance(table, dict) for table in content.values()):
        raise SaysoError(f"{path} must hold one protocol: {', '.join(_REQUIRED)}; see docs/evaluation.md")
    ((name, table),) = content.items()
    return TextVideoRetrieval(name, _protocol(table, str(path)))


def _protocol(table: Mapping[str, Any], where: str) -> ClipProtocol:
    """Return a protocol from its keys.

    Raises:
        SaysoError: if a key is unknown, missing or of the wrong type.
    """
    known = [one.name for one in fields(ClipProtocol)]
    unknown = [key for key in table if key not in known]
    lacking = [key for key in _REQUIRED if key not in table]
    if unknown or lacking:
        what = f"has the unknown key {unknown[0]!r}" if unknown else f"lacks the key {lacking[0]!r}"
        raise SaysoError(f"the protocol in {where} {what}; known keys are {', '.join(known)}")
    protocol = ClipProtocol(**{**table, "published": tuple(table.get("published", ()))})
    columns, windows = protocol.columns, protocol.windows
    if not isinstance(columns, dict) or not {"video", "text"} <= columns.keys():
        raise SaysoError(f"the protocol in {where}: columns must say where video and text are")
    if not isinstance(windows, int) or windows < 1 or not isinstance(protocol.annotations, str):
        raise SaysoError(f"the protocol in {where}: windows must be 1 or more, annotations a file name")
    if protocol.beyond not in ("hold", "black") or not _positive(protocol):
        raise SaysoError(
            f"the protocol in {where}: frames, fps, size and max_words must be positive numbers, margin_s 0"
            ' or more seconds, and beyond "hold" or "black"'
        )
    return protocol


def _positive(protocol: ClipProtocol) -> bool:
    """Tell whether the numbers of a clip make sense."""
    whole = (protocol.frames, protocol.size, protocol.max_words)
    return (
        all(one is None or (type(one) is int and one > 0) for one in whole)
        and (protocol.fps is None or (isinstance(protocol.fps, int | float) and protocol.fps > 0))
        and isinstance(protocol.margin_s, int | float)
        and protocol.margin_s >= 0
    )


def read_clip_list(path: Path, protocol: ClipProtocol) -> list[Listed]:
    """Return id, span and caption of each clip of a list.

    Args:
        path: the list.
        protocol: which column holds what.

    Raises:
        SaysoError: if there is no such file, a row lacks something, or there is no row.
    """
    listed = list(_rows(path, protocol))
    if not listed:
        raise SaysoError(f"{path} lists no clip")
    return listed


def _rows(path: Path, protocol: ClipProtocol) -> Iterator[Listed]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise SaysoError(
            f"{path} cannot be read: put the list of clips there, and the videos beside or below it"
        ) from error
    named = any(isinstance(column, str) for column in protocol.columns.values())
    read = csv.DictReader if named else csv.reader
    rows: Any = read(lines, delimiter=protocol.delimiter)
    for number, row in enumerate(rows, start=2 if named else 1):
        try:
            found = {part: row[column] for part, column in protocol.columns.items()}
            span = Span(float(found["start"]), float(found["end"])) if "start" in found else None
            yield video_id(found["video"]), span, found["text"]
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise SaysoError(
                f"{path}, line {number}: expected {', '.join(protocol.columns)} in columns"
                f" {', '.join(map(str, protocol.columns.values()))}"
            ) from error
