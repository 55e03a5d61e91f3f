"""Pictures of clips: which of them an index keeps, and where one comes from that it does not keep.

A picture a clip is most of what an index weighs. With one a video its first clip has it, and with none they
are made of the files when they are asked for. Files of sound keep theirs, which show how loud they are.
"""

from __future__ import annotations

import logging
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from sayso.core.errors import SaysoError
from sayso.index.kept import Kept
from sayso.index.rows import first_row

if TYPE_CHECKING:
    from sayso.index.store import Store

log = logging.getLogger(__name__)
Thumbs = Literal["clip", "video", "none"]


def keeps_thumb(thumbs: Thumbs, number: int) -> bool:
    """Tell whether a file's clip of a number, from 0, keeps its picture."""
    return thumbs == "clip" or (thumbs == "video" and number == 0)


def read_thumbnail(store: Store, clip_id: str, kept: Kept[dict[str, Any]]) -> bytes:
    """Return the JPEG of a clip: of its middle, else of its video's first clip, else made of the file.

    It is plain grey where none was kept and the file cannot be read any more.

    Args:
        store: the index.
        clip_id: of the clip.
        kept: rows of clips that were read before.

    Raises:
        KeyError: if there is no such clip.
    """
    row = kept.get((store.clips.version, clip_id), lambda: _row(store, clip_id))
    return bytes(row["thumb"] or _made(row))


def _row(store: Store, clip_id: str) -> dict[str, Any]:
    row = first_row(store.clips, "id", clip_id, ["media_id", "path", "kind", "start_s", "end_s", "thumb"])
    if not row["thumb"]:
        first = f"{row['media_id']}-0"
        row["thumb"] = first_row(store.clips, "id", first, ["thumb"])["thumb"] if first != clip_id else b""
    return row


def _made(row: dict[str, Any]) -> bytes:
    """Return the picture of a clip that none was kept of."""
    from sayso.engine.segment import THUMB_SIDE
    from sayso.media import read_clip, read_image, thumbnail

    try:
        if row["kind"] == "picture":
            return thumbnail(read_image(row["path"], size=THUMB_SIDE), side=THUMB_SIDE)
        clip = read_clip(row["path"], row["start_s"], row["end_s"], frames=1, size=THUMB_SIDE, crop="none")
        return thumbnail(clip.frames[0], side=THUMB_SIDE)
    except (SaysoError, OSError, IndexError) as error:
        log.warning("%s cannot be read, and no picture of it was kept: %s", row["path"], error)
        return grey_thumbnail()


@cache
def grey_thumbnail() -> bytes:
    """Return the JPEG that stands for a picture that cannot be made now."""
    from PIL import Image

    from sayso.engine.segment import THUMB_SIDE
    from sayso.media import thumbnail

    return thumbnail(Image.new("RGB", (THUMB_SIDE, THUMB_SIDE * 9 // 16), (96, 96, 96)), side=THUMB_SIDE)
