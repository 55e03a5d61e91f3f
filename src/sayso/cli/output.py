"""What verbs print: results on stdout, one a line, and on stderr what failed."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from sayso.cli.exit_codes import ERROR, INTERRUPTED, SOME_FAILED
from sayso.core.counted import counted
from sayso.core.harmless import harmless, harmless_json

if TYPE_CHECKING:
    from sayso.asking import Answer
    from sayso.data.manifest import Failure
    from sayso.generators.media_part import MediaPart
    from sayso.index import AddReport, Hit

CHANGES = ("added", "replaced", "unchanged", "moved", "removed")
SHOWN_FAILURES = 10
SHOWN_TEXT = 60  # characters of what is said
WEAK = "offline"


def print_json(*rows: Mapping[str, Any]) -> None:
    """Print one JSON object a line."""
    for row in rows:
        print(harmless_json(row))


def print_lines(lines: Iterable[str]) -> None:
    """Print one line each, whatever is in it."""
    for line in lines:
        print(harmless(line))


def print_paths(paths: Iterable[str], *, exact: bool) -> None:
    """Print names of files, one a line; ``exact``: as they are, a NUL after each."""
    if not exact:
        return print_lines(paths)
    sys.stdout.flush()
    for path in paths:
        sys.stdout.buffer.write(os.fsencode(path) + b"\0")
    sys.stdout.buffer.flush()
    return None


def print_notes(*lines: str) -> None:
    """Print one line each on stderr, whatever is in it."""
    for line in lines:
        print(harmless(line), file=sys.stderr)


def end_with(
    failures: Iterable[str], *, done: bool = True, interrupted: bool = False, shown: int | None = None
) -> None:
    """Print what failed, one sentence each, on stderr, and exit with the code for that.

    It is 3 if anything failed, 1 if everything that was asked for did, 130 if it was interrupted.

    Args:
        failures: the sentences.
        done: whether anything of what was asked for is done, now or by an earlier run.
        interrupted: whether an interrupt ended the command.
        shown: how many are printed at most; None: all.

    Raises:
        typer.Exit: if anything failed, or an interrupt ended it.
    """
    sentences = list(failures)
    print_notes(*sentences[:shown])
    if shown is not None and len(sentences) > shown:
        print(f"{len(sentences) - shown:,} more, which --json lists", file=sys.stderr)
    if interrupted or sentences:
        raise typer.Exit(INTERRUPTED if interrupted else SOME_FAILED if done else ERROR)


def print_sections(sections: Iterable[tuple[str, list[tuple[str, str]]]]) -> None:
    """Print titles with rows of two columns: bold titles on a terminal, plain text elsewhere."""
    bold, plain = ("\033[1m", "\033[0m") if sys.stdout.isatty() and "NO_COLOR" not in os.environ else ("", "")
    for i, (title, rows) in enumerate(sections):
        print(("\n" if i else "") + bold + harmless(title) + plain)
        width = max((len(name) for name, _ in rows), default=0)
        for name, value in rows:
            print(f"  {name:{width}}  {harmless(value)}")


def report_counts(report: AddReport) -> dict[str, int]:
    """Return what adding to an index did: files in all, of each change, and new clips."""
    return {name: getattr(report, name) for name in ("files", *CHANGES, "clips", "skipped", "vanished")}


def anything_added(counts: Mapping[str, int]) -> bool:
    """Tell of ``report_counts`` whether an index holds anything of what was to be added."""
    return any(counts[name] for name in (*CHANGES, "clips"))


def report_line(
    address: str, counts: Mapping[str, int], model: str | None, *, failed: int = 0, anew: bool = False
) -> str:
    """Return in a line what adding to an index did.

    Args:
        address: the index.
        counts: of ``report_counts``.
        model: that the index is made by.
        failed: how many failures there were.
        anew: whether all was embedded anew with that model.
    """
    files = counted(counts["files"], "file")
    if anew:
        gone = f"; {counts['removed']} gone" if counts["removed"] else ""
        return f"{address}: {files}, {counted(counts['clips'], 'clip')} anew; the model is now {model}{gone}"
    changes = ", ".join(f"{counts[name]} {name}" for name in CHANGES if counts[name])
    nothing = "nothing to do" if counts["files"] else "no video or picture found"
    changes = changes or ("nothing could be read" if failed else nothing)
    line = f"{address}: {files}: {changes}; {counted(counts['clips'], 'new clip')}"
    line += f" by the model {model_text(model)}" if counts["clips"] and model else ""
    skipped = f"; {counts['skipped']:,} skipped, neither video nor picture" if counts["skipped"] else ""
    vanished = f"; {counts['vanished']} vanished (--prune removes them)" if counts["vanished"] else ""
    return line + skipped + vanished


def model_text(model: str) -> str:
    """Return the name of the model of an index, and that it finds less than others where it does."""
    return f"{model} (it finds less than one of the hub; see sayso models)" if model == WEAK else model


def failure_lines(failures: list[Failure], listed: Path | None) -> list[str]:
    """Return the first failures in sentences, how many there are, and where all are listed."""
    from sayso.index.report import PART

    if not failures:
        return []
    lines = [f"failed: {failure.to_dict()['error']}" for failure in failures[:SHOWN_FAILURES]]
    rest = len(failures) - SHOWN_FAILURES
    more = f"and {rest} more; " if rest > 0 else ""
    listing = " (--failures FILE lists them all)" if rest > 0 else ""
    where = f"the list is in {listed}" if listed else f"no index was made{listing}"
    parts = sum(failure.stage == PART for failure in failures)
    counts = ((len(failures) - parts, "could not be read"), (parts, PART))
    told = ", ".join(f"{count} {what}" for count, what in counts if count)
    return [*lines, f"{told}; {more}{where}"]


def hit_lines(hits: Sequence[Hit]) -> list[str]:
    """Return one harmless line a moment: score if searched, time, file, copies, moments, and what is said."""
    lines = []
    for hit in hits:
        copies = f"  ({1 + len(hit.copies)} copies)" if hit.copies else ""
        moments = f"  ({hit.moments} moments)" if hit.moments > 1 else ""
        text = f"  “{_beginning(hit.text)}”" if hit.text else ""
        score = f"{hit.score:6.3f}  " if hit.is_searched else ""
        lines.append(harmless(f"{score}{hit_time(hit):>13}  {hit.path}{copies}{moments}{text}"))
    return lines


def _beginning(text: str) -> str:
    return text if len(text) <= SHOWN_TEXT else f"{text[: SHOWN_TEXT - 1].rstrip()}…"


def dated_lines(hits: Sequence[Hit]) -> list[str]:
    """Return one moment a line, in front of it when it was taken, or that this is the date of the file."""
    dates = [taken_text(hit) for hit in hits]
    width = max(map(len, dates), default=0)
    return [f"{date:{width}}  {line}" for date, line in zip(dates, hit_lines(hits), strict=True)]


def taken_text(hit: Hit) -> str:
    """Return when a hit was taken, for people: 2019-06-01 14:03, 2019-06-01, 2023-03-04 06:06 (file date)."""
    date = (hit.taken or "no date")[:16].replace("T", " ")
    return f"{date} (file date)" if hit.taken_from == "mtime" else date


def print_found(
    hits: Sequence[Hit], title: str | None = None, *, lines: Callable[[Sequence[Hit]], list[str]] = hit_lines
) -> None:
    """Print what was found, and below a line the guesses, or that nothing was found.

    Args:
        hits: best first.
        title: of the list, if there are several.
        lines: makes lines of them, which are harmless.
    """
    found = [hit for hit in hits if hit.likely]
    guesses = hits[len(found) :]
    print_lines([f"# {title}"] if title else [])
    _print_as_they_are(lines(found))
    sys.stdout.flush()
    if not found:
        print("nothing found" + ("; the best guesses:" if guesses else ""), file=sys.stderr)
    elif guesses:
        print("-- guesses, less likely than not:", file=sys.stderr)
    _print_as_they_are(lines(guesses))


def _print_as_they_are(lines: Iterable[str]) -> None:
    """Print lines that are harmless, or pictures for the terminal."""
    for line in lines:
        print(line)


def hit_time(hit: Hit) -> str:
    """Return where a hit lies in its file, for people."""
    if hit.kind == "picture":
        return "picture"
    return f"{clock_time(hit.start_s)}-{clock_time(hit.end_s)}"


def clock_time(seconds: float) -> str:
    """Return a time as people write it: 1:02:03, 2:03, 0:03.5."""
    whole, tenth = divmod(round(seconds * 10), 10)
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    text = f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"
    return f"{text}.{tenth}" if tenth else text


def print_piece(piece: str) -> None:
    """Print a piece of an answer as it is made."""
    print(harmless(piece, lines=True), end="", flush=True)


def answer_lines(answer: Answer, *, with_places: bool = False) -> list[str]:
    """Return what follows a streamed answer: the end of its line, or its choices; and where it looked.

    Args:
        answer: the answer, whose words are printed unless it was one of several choices.
        with_places: whether the moments it is about are named.
    """
    ranked = sorted((answer.probabilities or {}).items(), key=lambda row: -row[1])
    lines = [f"{probability:6.3f}  {choice}" for choice, probability in ranked] or [""]
    return lines + [f"  {_media_place(one)}" for one in answer.shown if with_places]


def _media_place(part: MediaPart) -> str:
    if part.start_s is None or part.end_s is None:
        return str(part.path)
    return f"{part.path}  {clock_time(part.start_s)}-{clock_time(part.end_s)}"


def size_text(size_bytes: float) -> str:
    """Return a size as people write it, in powers of 1000."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if size_bytes < 1000:
            return f"{size_bytes:.3g} {unit}" if unit != "bytes" else f"{size_bytes:.0f} bytes"
        size_bytes /= 1000
    return f"{size_bytes:,.1f} TB"


def listener_line(one: Mapping[str, Any]) -> str:
    """Return in a line what a process that answers searches says of itself."""
    name = "sayso serve" if one["kind"] == "serve" else "daemon"
    if "indexes" not in one:
        return f"{name}, process {one['pid']}: does not answer"
    ends = (
        f", ends in {clock_time(round(one['ends_in_s']))} without a search"
        if one["ends_in_s"] is not None
        else ""
    )
    searched = ", ".join(f"{address} ({count})" for address, count in one["indexes"].items()) or "none yet"
    return f"{name}, process {one['pid']}, sayso {one['version']}{ends}; searches: {searched}"
