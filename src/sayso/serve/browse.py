"""The routes by which the page shows a collection in the order of time, without a query."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from sayso.index import Hit
from sayso.media.dates import TakenFrom
from sayso.media.kinds import Kind
from sayso.serve.api import PROBLEMS, Shared
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


@router.get("")
def timeline(holdings: Shared, wanted: Annotated[Filters, Query()]) -> TimelineAnswer:
    """Say how many files were taken in each month; filters count as in a search."""
    found = holdings.files_by_time(wanted.sql())
    months = [MonthAnswer(month=one.month, count=one.count) for one in found.months]
    return TimelineAnswer(files=len(found.clips), months=months)


@router.get("/files")
def timeline_files(holdings: Shared, wanted: Annotated[TimelineStretch, Query()]) -> TimelineFiles:
    """Return files in the order of the timeline."""
    found = holdings.files_by_time(wanted.sql())
    hits = found.hits(holdings.index.store, wanted.offset, wanted.limit)
    return TimelineFiles(files=[_file(hit) for hit in hits])


def _file(hit: Hit) -> TimelineFile:
    return TimelineFile(**{name: getattr(hit, name) for name in TimelineFile.model_fields})
