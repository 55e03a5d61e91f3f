"""``sayso clip``: cut what was found out of its file."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, get_args

from typer import Argument, Option

from sayso.cli.options import Json, Overwrite, ProgressMode, out_option
from sayso.cli.output import end_with, print_json, print_lines
from sayso.core.errors import SaysoError, UsageError
from sayso.core.progress import reporter
from sayso.media.cut_forms import Form

WHAT = (
    "An index, then hits: ids as search --json prints them (ID, ID@START-END), or - for what it prints, on "
    "stdin. Or, without an index, FILE@START-END, in seconds."
)
OUT = "A file (.mp4, .mkv, .gif, .webp); of several hits the folder for one file each."
COPY = "Copy from the key frame before instead of encoding anew: quick, without loss, begins earlier."
FORM = "What is written into a folder."


@dataclass(frozen=True, slots=True)
class _Stretch:
    path: str
    kind: str
    start_s: float
    end_s: float


def clip(
    what: Annotated[list[str], Argument(metavar="[INDEX] HIT...", help=WHAT, show_default=False)],
    out: Annotated[Path, out_option("FILE", OUT)],
    copy: Annotated[bool, Option("--copy", help=COPY)] = False,
    form: Annotated[Form, Option("--format", help=FORM)] = "mp4",
    progress: ProgressMode = "auto",
    as_json: Json = False,
    overwrite: Overwrite = False,  # noqa: ARG001  handled by cli.verb
) -> None:
    """Cut moments out of their videos, to the frame, with their sound.

    A GIF or WebP has 10 frames a second, no sound, and is at most a minute long. With several hits, what
    cannot be cut is listed, and the exit code is then 3.

    Examples:

      sayso clip talk.mp4@12.5-20 --out answer.mp4

      sayso search my.index "hold a wine glass" --json -n 5 | sayso clip my.index - --out clips

      sayso clip my.index 3f2a9c-4 --out glass.gif
    """
    stretches, rows, failures = _stretches(what), list[dict[str, Any]](), list[str]()
    if not stretches:
        raise UsageError("there is nothing to cut; name hits of the index, or FILE@START-END")
    one = len(stretches) == 1 and not out.is_dir() and "-" not in what[1:]
    targets = [out] if one else _names(stretches, out, form)
    with reporter("cutting", unit="clips", mode=progress) as bar:
        for number, (stretch, target) in enumerate(zip(stretches, targets, strict=True)):
            bar.update(number, len(stretches), stretch.path)
            try:
                rows.append(_save(stretch, target, copy=copy))
            except SaysoError as error:
                if one:
                    raise
                failures.append(str(error))
    print_json(*rows) if as_json else print_lines(map(_line, rows))
    end_with(failures)


def _save(stretch: _Stretch, target: Path, *, copy: bool) -> dict[str, Any]:
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


def _line(row: dict[str, Any]) -> str:
    span = f"{row['start_s']:.2f}-{row['end_s']:.2f} s of {row['path']}"
    return f"{row['out']}  {span}, {row['frames']} frames"


def _stretches(what: list[str]) -> list[_Stretch]:
    """Return what to cut: files' spans, or hits of the index that stands first."""
    from sayso.index.picks import Pick, find_picks, parse_pick, split_span

    path, start_s, _ = split_span(what[0])
    if start_s is not None and not os.path.exists(what[0]):  # noqa: PTH110
        return [_of_file(text) for text in what]
    if len(what) == 1:
        hint = "name hits of it, or - for what search --json prints"
        raise UsageError(f"{path} is not followed by a hit; {hint}, or give FILE@START-END")
    from sayso.index import Index

    index = Index.open(what[0], create=False)
    picks: list[Pick] = []
    for text in what[1:]:
        picks += map(Pick.of, _printed(sys.stdin)) if text == "-" else [parse_pick(text)]
    return [_Stretch(hit.path, hit.kind, hit.start_s, hit.end_s) for hit in find_picks(index, picks)]


def _of_file(text: str) -> _Stretch:
    from sayso.index.picks import split_span

    path, start_s, end_s = split_span(text)
    if start_s is None or end_s is None:
        raise UsageError(f"{text!r} has no span; write it like talk.mp4@12.5-20, in seconds")
    return _Stretch(os.path.expanduser(path), "video", start_s, end_s)  # noqa: PTH111


def _printed(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                yield json.loads(line)
            except ValueError as error:
                says = f"line {number} of stdin is not JSON; pipe into this what sayso search --json prints"
                raise UsageError(says) from error


def _names(stretches: list[_Stretch], folder: Path, form: Form) -> list[Path]:
    """Return a file a stretch: talk_12.50-20.00.mp4, with a number behind it where that is taken."""
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
