"""A stretch of a video in any form that it can be saved in."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from sayso.core.errors import SaysoError, UsageError
from sayso.core.io import atomic_file, make_folder
from sayso.core.ownership import refuse_foreign
from sayso.media.animate import cut_moving_picture
from sayso.media.cut import Cut, cut_video
from sayso.media.cut_forms import Form, form_of
from sayso.media.cut_tracks import Paint

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def cut_out(
    path: str | os.PathLike[str],
    start_s: float,
    end_s: float,
    *,
    form: Form = "mp4",
    copy: bool = False,
    folder: str | os.PathLike[str] | None = None,
    paint: Paint | None = None,
) -> Iterator[tuple[Cut, IO[bytes]]]:
    """Give what was cut and a file with it, at its beginning; the file has no name and goes with the block.

    Args:
        path: the video.
        start_s: seconds of the file.
        end_s: seconds of the file, exclusive.
        form: what to write.
        copy: whether packets are copied, not encoded; MP4 and Matroska only.
        folder: where the nameless file takes its room; by default where temporary files lie.
        paint: what is drawn over the pictures; MP4 and Matroska only.

    Raises:
        MediaError: if the video cannot be read, or holds no picture there.
        SaysoError: if the span or the form makes no sense, or cannot hold what is copied.
    """
    with tempfile.TemporaryFile(prefix="sayso-", dir=folder) as file:
        if form == "mp4" or form == "mkv":  # noqa: PLR1714  mypy narrows this one
            done = cut_video(path, start_s, end_s, file, form=form, copy=copy, paint=paint)
        elif copy:
            raise UsageError(f"a copy is .mp4 or .mkv; a .{form} is always made anew: leave --copy away")
        else:
            done = cut_moving_picture(path, start_s, end_s, file, form=form)
        file.seek(0)
        yield done, file


def save_cut(
    path: str | os.PathLike[str],
    start_s: float,
    end_s: float,
    target: str | os.PathLike[str],
    *,
    copy: bool = False,
    paint: Paint | None = None,
) -> Cut:
    """Write a stretch of a video to a file, which takes its name when it is whole.

    Args:
        path: the video.
        start_s: seconds of the file.
        end_s: seconds of the file, exclusive.
        target: where; its ending says the form.
        copy: whether packets are copied, not encoded.
        paint: what is drawn over the pictures; MP4 and Matroska only.

    Raises:
        MediaError: if the video cannot be read, or holds no picture there.
        SaysoError: if the span makes no sense, or the target is foreign or cannot be written.
    """
    place = Path(target)
    if place.exists() and Path(path).exists() and place.samefile(path):
        raise SaysoError(f"{place} is what would be cut; give another --out")
    refuse_foreign(place)
    form, room = form_of(place), make_folder(place.absolute().parent)
    with (
        cut_out(path, start_s, end_s, form=form, copy=copy, folder=room, paint=paint) as (done, file),
        atomic_file(place) as final,  # only now: a kill until here leaves nothing
    ):
        shutil.copyfileobj(file, final, 1 << 20)
    return done
