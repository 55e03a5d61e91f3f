"""What a request may ask for, and the filter that its friendly parameters become."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from sayso.index.conditions import time_filter
from sayso.index.filter_language import both
from sayso.index.ranking import Sort
from sayso.index.sql import FILTERED, sql_string
from sayso.media.kinds import Kind

MAX_QUERY = 1000
MAX_LIMIT = 500

Text = Annotated[str, Field(max_length=MAX_QUERY)]
Seconds = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]
Weight = Annotated[float, Field(ge=0, le=1)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Cursor = Annotated[str, Field(pattern=r"^\d{0,8}$")]
Limit = Annotated[int, Field(ge=1, le=MAX_LIMIT)]


Name = Annotated[str, Field(max_length=100)]
IN_COLLECTION = "Only this collection; by default all that are served."


class Filters(BaseModel):
    """Which clips are searched."""

    collection: Name = Field("", description=IN_COLLECTION)

    kind: Kind | None = Field(None, description="Only videos, or only pictures.")
    path: Text = Field("", description="Only files whose path contains this, in any case.")
    title: Text = Field("", description="Only files whose title contains this, in any case.")
    min_duration_s: Seconds | None = Field(None, description="Only videos at least this long, seconds.")
    max_duration_s: Seconds | None = Field(None, description="Only videos at most this long, seconds.")
    media_id: Text = Field("", description="Only this file.")
    filter: Text = Field("", description=f"Conditions over {FILTERED}.")
    after: Text = Field(
        "",
        description="Taken from the beginning of this year, month, day or time on: 2019, 2019-06-30T14:05.",
    )
    before: Text = Field("", description="Taken before the beginning of this year, month, day or time.")

    def together(self) -> str | None:
        """Return all filters as one, or None if there is none.

        Raises:
            QueryError: if a time cannot be understood.
        """
        terms = [
            self.kind and f"kind = {sql_string(self.kind)}",
            self.path and f"path contains {sql_string(self.path)}",
            self.title and f"title contains {sql_string(self.title)}",
            self.min_duration_s is not None and f"duration_s >= {self.min_duration_s!r}",
            self.max_duration_s is not None and f"duration_s <= {self.max_duration_s!r}",
            self.media_id and f"media_id = {sql_string(self.media_id)}",
            self.filter,
            time_filter(self.after, self.before),
        ]
        return both(*(term or None for term in terms))


class Page(Filters):
    """A stretch of a ranking."""

    limit: Limit = Field(20, description="How many moments.")
    cursor: Cursor = Field("", description="The answer's next, to go on; empty for the best.")
    min_score: Share | None = Field(None, description="Leave out what scores lower, from 0 to 1.")
    by_file: bool = Field(False, description="Whether to answer only the best moment of each file.")
    sort: Sort = Field(
        "score", description="time: the newest first, of the 1,000 best; without a query always so."
    )

    @property
    def offset(self) -> int:
        """How many moments were answered before."""
        return int(self.cursor or 0)


class ImageSearch(Page):
    """A search by picture, to which words may be added."""

    q: Text = Field(
        "", description="Words; also sums such as: 2:dog + beach - night; near:48.8577,2.295,5km says where."
    )
    text_weight: Weight | None = Field(
        None,
        description="Weight of the words: 0 ranks by the pictures alone, 1 by the words alone; "
        "by default one half, where both count in full.",
    )
    merge: bool = Field(
        True, description="Whether the clips of a shot become one moment, and copies one hit."
    )


class TextSearch(ImageSearch):
    """A search by words; without any, a list of what passes the filters."""


class Similar(Page):
    """A search for what looks like a clip of the index."""

    q: Text = Field("", description="Words to add to it; the clip then counts by its thumbnail.")


class Within(BaseModel):
    """What the moments of one file are scored for; without any, they are not scored."""

    q: Text = Field("", description="Words.")
    similar: Text = Field("", description="The id of a clip to compare them with.")
    text_weight: Weight | None = Field(None, description="Weight of what is said.")
