"""``sayso info``: what an index is, and what it holds in all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from shlex import quote
from typing import Any

from sayso.cli.options import IndexAddress, Json


def info(address: IndexAddress, as_json: Json = False) -> None:
    """Say what an index holds, which model made it, and what it is kept up to date with.

    Examples:

      sayso info my.index

      sayso info my.index --json
    """
    from sayso.cli.output import print_json, print_sections
    from sayso.index import Index
    from sayso.index.inventory import describe_index

    index = Index.open(address, create=False)
    facts = {**index.info(), **describe_index(index.store)}
    print_json(facts) if as_json else print_sections([(address, list(_rows(address, facts)))])


def _rows(address: str, facts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    from sayso.cli.output import clock_time, model_text, size_text
    from sayso.core.counted import counted

    yield "model", model_text(facts["model"])
    files = facts["files"]
    kinds = [(files["video"], "video", "videos"), (files["picture"], "picture", "pictures")]
    kinds += [(files["sound"], "file of sound", "files of sound")]
    told = [counted(*kind) for kind in kinds if kind[0]]
    length = f", {clock_time(round(facts['duration_s']))} in all" if facts["duration_s"] else ""
    yield "holds", (", ".join(told) or "nothing") + length
    yield "moments", f"{facts['clips']:,}, found by what is seen" + (" and said" if facts["has_text"] else "")
    on_disk = "" if facts["index_bytes"] is None else f"{size_text(facts['index_bytes'])} on disk, for "
    yield "size", f"{on_disk}{size_text(facts['media_bytes'])} of media"
    updated = f", last added to {_day(facts['updated'])}" if facts["updated"] else ""
    yield "made", _day(facts["created"]) + updated
    for root in facts["roots"]:
        if root["kind"] != "left out":
            gone = "" if root["exists"] else ", not there now"
            yield root["kind"], f"{root['path']} ({counted(root['files'], 'file')}{gone})"
    if facts["failed"]:
        yield (
            "failed",
            f"{counted(facts['failed'], 'file')} read in part: sayso list {quote(address)} --failed",
        )
    if pending := facts["upgrading_to"]:
        goes_on = f"sayso index {quote(address)} --upgrade-model {quote(pending['model'])}"
        yield (
            "changes to",
            f"{pending['model']} ({counted(pending['files'], 'file')} done); to go on: {goes_on}",
        )


def _day(stamp: str) -> str:
    """Return the day and minute of a time stamp, in the local time zone."""
    from datetime import datetime

    return f"{datetime.fromisoformat(stamp).astimezone():%Y-%m-%d %H:%M}"
