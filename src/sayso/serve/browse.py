"""The routes by which the page shows a collection in the order of time, without a query."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from sayso.core.errors import SaysoError
from sayso.index import Hit
from sayso.index.browse import months_of
from sayso.index.search import Candidate, load_hits
from sayso.media.dates import TakenFrom
from sayso.media.kinds import Kind
from sayso.serve.api import PROBLEMS, Shared
from sayso.serve.budget import Spent
from sayso.serve.collections import Collections
from sayso.serve.options import Filters, Limit

router = APIRouter(prefix="/api/timeline", responses=PROBLEMS)


class MonthAnswer(BaseModel):
    """A month in which files were taken."""

    month: str | None = Field(description="Such as 2019-06; null for files without a date.")
    count: int = Field(description="How many files.")


class TimelineAnswer(BaseModel):
    """How many files there are, month by month, the newest first."""

    files: int
    months: list[MonthAnswer]


class TimelineFile(BaseModel):
    """One file, with the thumbnail of its middle."""

    media_id: str
    title: str
    path: str
    kind: Kind
    duration_s: float | None
    taken: str | None = Field(description="The wall time of the place, ISO 8601 without a zone.")
    taken_from: TakenFrom | None = Field(description="Where that was read; mtime: when it was written.")
    thumb: str = Field(description="Where the server has the thumbnail, relative to its root.")


class TimelineFiles(BaseModel):
    """Files, the newest first."""

    files: list[TimelineFile]


class TimelineStretch(Filters):
    """A stretch of the timeline."""

    offset: Annotated[int, Field(ge=0, le=10**8)] = Field(0, description="How many are left out.")
    limit: Limit = Field(100, description="How many files.")


@dataclass(frozen=True, slots=True)
class _File:
    """A file of a collection, by its middle clip."""

    collection: str
    clip: Candidate
    taken: str | None


@router.get("")
def timeline(held: Shared, spent: Spent, wanted: Annotated[Filters, Query()]) -> TimelineAnswer:
    """Say how many files were taken in each month; filters count as in a search."""
    with spent.searches.turn():
        files = _files(held, wanted)
    months = [
        MonthAnswer(month=one.month, count=one.count) for one in months_of(file.taken for file in files)
    ]
    return TimelineAnswer(files=len(files), months=months)


@router.get("/files")
def timeline_files(held: Shared, spent: Spent, wanted: Annotated[TimelineStretch, Query()]) -> TimelineFiles:
    """Return files in the order of the timeline."""
    with spent.searches.turn():
        return _stretch(held, wanted)


def _stretch(held: Collections, wanted: TimelineStretch) -> TimelineFiles:
    files = _files(held, wanted)[wanted.offset : wanted.offset + wanted.limit]
    hits: dict[tuple[str, str], Hit] = {}
    for name in dict.fromkeys(file.collection for file in files):
        store = held.holdings[name].index.store
        loaded = load_hits(store, [file.clip for file in files if file.collection == name])
        hits.update(((name, hit.id), one) for hit, one in zip(loaded, held.label(name, loaded), strict=True))
    found = (hits.get((file.collection, file.clip.id)) for file in files)
    return TimelineFiles(files=[_answer(hit) for hit in found if hit is not None])


def _files(held: Collections, wanted: Filters) -> list[_File]:
    """Return the files that pass, of all collections that are asked, the newest first.

    Raises:
        SaysoError: if none can be asked so.
    """
    files: list[_File] = []
    asked, failures = held.asked(wanted.collection), []
    for name, holdings in asked.items():
        try:
            files += (_File(name, clip, taken) for clip, taken in holdings.files_by_time(wanted.together()))
        except SaysoError as error:
            failures.append(error)
    if failures and len(failures) == len(asked):
        raise failures[0]
    return sorted(files, key=lambda file: file.taken or "", reverse=True) if len(asked) > 1 else files


def _answer(hit: Hit) -> TimelineFile:
    return TimelineFile(**{name: getattr(hit, name) for name in TimelineFile.model_fields})
