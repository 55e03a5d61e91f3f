"""Stretches to cut out: hits of an index by their ids, or spans of files, and the files that they become."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

from sayso.core.counted import counted
from sayso.core.errors import SaysoError, UsageError
from sayso.index.hit import Hit
from sayso.index.picks import Pick, find_picks, parse_pick, split_span
from sayso.media.cut_forms import Form


@dataclass(frozen=True, slots=True)
class Stretch:
    """Seconds of a file.

    Args:
        path: of the file.
        kind: of the file.
        start_s: where they begin.
        end_s: where they end.
        named: whether somebody named them, and a search did not find them.
        likely: whether they are no mere guess of the search that found them.
    """

    path: str
    kind: str
    start_s: float
    end_s: float
    named: bool = True
    likely: bool = True


def find_stretches(what: Sequence[str], lines: Iterable[str] = ()) -> list[Stretch]:
    """Return what to cut: files' spans, or hits of the indexes that stand first.

    Args:
        what: FILE@START-END each, or indexes and ids; ``-`` stands for the hits in ``lines``, alone too.
        lines: JSON lines, as ``sayso search --json`` prints them, or what a page saved as JSON.

    Raises:
        UsageError: if something is written otherwise.
        SaysoError: if there is no such index or hit.
    """
    if list(what) == ["-"]:
        return [_of_hit(number, hit) for number, hit in enumerate(_printed("".join(lines)), start=1)]
    path, start_s, _ = split_span(what[0])
    if start_s is not None and not os.path.exists(what[0]):  # noqa: PTH110
        return [_of_file(text) for text in what]
    indexes = [what[0], *itertools.takewhile(_is_index, what[1:])]
    if len(what) == len(indexes):
        if re.search(r"@[\d.]+$", path) and not os.path.exists(path):  # noqa: PTH110
            raise UsageError(f"{path} has no end; write it like talk.mp4@12.5-20, in seconds")
        hint = "name hits of it, or - for what search --json prints"
        raise UsageError(f"{path} is not followed by a hit; {hint}, or give FILE@START-END")
    picks: list[tuple[Pick, bool, bool]] = []
    for text in what[len(indexes) :]:
        if text == "-":
            picks += ((Pick.of(hit), False, _is_likely(hit)) for hit in _printed("".join(lines)))
        else:
            picks.append((parse_pick(text), True, True))
    hits = _found(indexes, [pick for pick, _, _ in picks])
    return [
        Stretch(hit.path, hit.kind, hit.start_s, hit.end_s, named, likely)
        for hit, (_, named, likely) in zip(hits, picks, strict=True)
    ]


def leave_out(stretches: Sequence[Stretch], *, guesses: bool) -> tuple[list[Stretch], list[str]]:
    """Leave out what a search found and nobody named: guesses, and what has no moving picture.

    Args:
        stretches: of ``find_stretches``.
        guesses: whether guesses are kept.

    Returns:
        What is to be cut, and a sentence for each kind that was left out.
    """
    why = {
        "guess": ("guess", "guesses", "--guesses cuts them too"),
        "picture": ("picture", "pictures", "there is nothing to cut out of one"),
        "sound": ("file of sound", "files of sound", "a cut needs pictures"),
    }
    kept, told = list[Stretch](), Counter[str]()
    for one in stretches:
        reason = one.kind if one.likely or guesses else "guess"
        if one.named or reason not in why:
            kept.append(one)
        else:
            told[reason] += 1
    return kept, [f"left out {counted(told[one], *why[one][:2])}: {why[one][2]}" for one in why if told[one]]


def _is_index(text: str) -> bool:
    return "://" in text or os.path.isdir(text)  # noqa: PTH112


def _found(addresses: Sequence[str], picks: Sequence[Pick]) -> list[Hit]:
    """Return picks as hits, each of the first index that holds it; pages of several write COLLECTION:ID.

    Raises:
        SaysoError: if none holds one of them.
    """
    from sayso.index.collection import Index

    bare = [replace(pick, id=pick.id.rpartition(":")[2]) for pick in picks]
    found: dict[Pick, Hit] = {}
    for address in addresses:
        left = [pick for pick in dict.fromkeys(bare) if pick not in found]
        hits = deque(find_picks(Index.open(address, create=False), left, strict=False))
        found |= {pick: hits.popleft() for pick in left if hits and hits[0].id == pick.id}
    for given, pick in zip(picks, bare, strict=True):
        if pick not in found:
            way = "name the index of its collection too" if given != pick else "take one of search --json"
            raise SaysoError(f"{' and '.join(addresses)} holds no clip {given.id[:60]!r}; {way}")
    return [found[pick] for pick in bare]


def _of_file(text: str) -> Stretch:
    path, start_s, end_s = split_span(text)
    if start_s is None or end_s is None:
        raise UsageError(f"{text!r} has no span; write it like talk.mp4@12.5-20, in seconds")
    return Stretch(os.path.expanduser(path), "video", start_s, end_s)  # noqa: PTH111


def _of_hit(number: int, hit: Any) -> Stretch:
    """Return what a printed hit says of itself."""
    try:
        span = float(hit["start_s"]), float(hit["end_s"])
        return Stretch(str(hit["path"]), str(hit["kind"]), *span, named=False, likely=_is_likely(hit))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        says = f"line {number} of stdin is no hit; pipe into this what sayso search --json prints"
        raise UsageError(says) from error


def _is_likely(hit: Mapping[str, Any]) -> bool:
    """Tell whether a printed hit is no guess; those of an older sayso do not say."""
    return hit.get("likely") is not False


def _printed(text: str) -> Iterator[dict[str, Any]]:
    """Return the hits that ``sayso search --json`` printed, or that a page saved: somebody chose these."""
    with contextlib.suppress(ValueError):
        saved = json.loads(text)
        if isinstance(saved, dict) and isinstance(saved.get("hits"), list):
            yield from ({**hit, "likely": True} if isinstance(hit, dict) else hit for hit in saved["hits"])
            return
    for number, line in enumerate(text.split("\n"), start=1):  # not at U+2028, which JSON may hold
        if line.strip():
            try:
                yield json.loads(line)
            except ValueError as error:
                says = f"line {number} of stdin is not JSON; pipe into this what sayso search --json prints"
                raise UsageError(says) from error


def name_cuts(stretches: Sequence[Stretch], folder: Path, form: Form) -> list[Path]:
    """Return a file a stretch: talk_12.50-20.00.mp4, with a number behind it where that is taken.

    Args:
        stretches: what is cut out.
        folder: of the files.
        form: of the files.

    Raises:
        UsageError: if the folder is named like a file.
    """
    if folder.suffix.lower().lstrip(".") in get_args(Form):
        raise UsageError(f"{folder} is one file, and there are several hits; give --out a folder")
    names: dict[str, None] = {}
    for stretch in stretches:
        stem = f"{Path(stretch.path).stem}_{stretch.start_s:.2f}-{stretch.end_s:.2f}"
        name, number = f"{stem}.{form}", 1
        while name in names:
            number += 1
            name = f"{stem}_{number}.{form}"
        names[name] = None
    return [folder / name for name in names]


def save_stretch(stretch: Stretch, target: Path, *, copy: bool) -> dict[str, Any]:
    """Cut a stretch out, and return what was written, ready for JSON.

    Args:
        stretch: of a video.
        target: the file.
        copy: from a key frame, without encoding anew.

    Raises:
        SaysoError: if it cannot be cut or written.
    """
    from sayso.media.cut_out import save_cut

    if stretch.kind == "picture":
        raise SaysoError(f"{stretch.path} is a picture; there is nothing to cut out of it")
    done = save_cut(stretch.path, stretch.start_s, stretch.end_s, target, copy=copy)
    return {
        "out": str(target),
        "path": stretch.path,
        "start_s": round(done.start_s, 6),
        "end_s": round(done.end_s, 6),
        "frames": done.frames,
    }
