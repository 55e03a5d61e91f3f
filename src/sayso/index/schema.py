"""The two tables of an index, and what the index says of itself.

``clips`` holds one row a moment: its id beside its vector, so the two can never
slip. ``media`` holds one row a file and is the truth about what is done: clips
of a medium that has no row here were left by an interrupted run and are removed
by the next.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Literal

import pyarrow as pa

from sayso.core.errors import IndexMismatch

SCHEMA_VERSION = 4
READABLE = (3, SCHEMA_VERSION)
"""Format 3 lacks how a file was taken: that reads as null, until the next ``sayso index`` adds it."""

CLIPS_TABLE = "clips"
MEDIA_TABLE = "media"
BACKGROUND_TABLE = "background"
ROOTS_TABLE = "roots"
GENERATION_TABLE = "generation"
OF_A_GENERATION = (CLIPS_TABLE, MEDIA_TABLE, BACKGROUND_TABLE)
"""Tables that another model has anew."""

OF_ALL = (ROOTS_TABLE, GENERATION_TABLE)
FIRST = 1
"""The generation of an index that never had another model."""

_KEY = b"sayso"


def name_in(generation: int, table: str) -> str:
    """Return what a table, or a folder beside it, is called in a generation."""
    return table if generation == FIRST else f"{table}_{generation}"


@dataclass(frozen=True, slots=True)
class Identity:
    """What an index says of itself; kept in the metadata of its ``clips`` table."""

    schema: int
    model: str
    model_sha256: str
    dim: int
    normalised: bool
    created: str

    @property
    def metric(self) -> Literal["cosine", "dot"]:
        """How LanceDB compares the vectors."""
        return "cosine" if self.normalised else "dot"


@dataclass(frozen=True, slots=True)
class Record:
    """What the index holds of a file it has read; ``content`` and ``settings`` are digests."""

    media_id: str
    size: int
    mtime_ns: int
    content: str
    settings: str
    error: str | None


TAKEN_FIELDS = [
    ("taken", pa.string()),
    ("utc_offset_min", pa.int32()),
    ("taken_from", pa.string()),
    ("camera", pa.string()),
    ("latitude", pa.float64()),
    ("longitude", pa.float64()),
    ("orientation", pa.string()),
]
"""How a file was taken, in both tables. ``taken`` is the place's wall time (ISO 8601): it sorts as text."""


def clips_schema(identity: Identity) -> pa.Schema:
    """Return the schema of ``clips``: vectors of (D,) float16, times in seconds.

    The columns from ``path`` to ``seen``, and those of how it was taken, are for filters and the search of
    words; ``shown`` repeats in one JSON what a hit shows, because each column that an
    answer reads costs about 2 ms at a million clips.
    """
    fields = [
        ("id", pa.string()),
        ("media_id", pa.string()),
        ("path", pa.string()),
        ("kind", pa.string()),
        ("title", pa.string()),
        ("duration_s", pa.float64()),
        ("start_s", pa.float64()),
        ("end_s", pa.float64()),
        ("text", pa.string()),
        ("seen", pa.string()),
        ("shown", pa.string()),
        ("thumb", pa.binary()),
        ("vector", pa.list_(pa.float16(), identity.dim)),
        *TAKEN_FIELDS,
    ]
    return pa.schema(fields, metadata={_KEY: json.dumps(asdict(identity)).encode()})


CAPTION = pa.struct(
    [("start_s", pa.float64()), ("end_s", pa.float64()), ("text", pa.string()), ("speaker", pa.string())]
)

MEDIA_SCHEMA = pa.schema(
    [
        ("path", pa.string()),
        ("media_id", pa.string()),
        ("kind", pa.string()),
        ("title", pa.string()),
        ("size", pa.int64()),
        ("mtime_ns", pa.int64()),
        ("content", pa.string()),
        ("settings", pa.string()),
        ("duration_s", pa.float64()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("video_codec", pa.string()),
        ("audio_codec", pa.string()),
        ("container", pa.string()),
        ("clips", pa.int32()),
        ("captions", pa.list_(CAPTION)),
        ("error", pa.string()),
        ("added", pa.string()),
        *TAKEN_FIELDS,
    ]
)


def read_identity(schema: pa.Schema, address: str) -> Identity:
    """Return what the index at ``address`` says of itself.

    Raises:
        IndexMismatch: if sayso did not make it, or a newer sayso did.
    """
    try:
        fields = json.loads((schema.metadata or {})[_KEY])
        version = fields["schema"]
    except (KeyError, ValueError) as error:
        raise IndexMismatch(f"{address} holds tables that sayso did not write; give another INDEX") from error
    if version not in READABLE:
        raise IndexMismatch(
            f"the index {address} has format {version}, this sayso reads formats {READABLE[0]} to "
            f"{SCHEMA_VERSION}; install the sayso that made it, or index again into a new folder"
        )
    return Identity(**fields)
