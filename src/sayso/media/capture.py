"""When, where and with what a picture or video was taken: read from its header, without decoding it.

What is written by the camera counts first: EXIF data, else XMP, or the container's tags; then the date in the
file's name; then the date of the file, which says only when it was last written.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sayso.core.errors import MediaError
from sayso.media.container import open_container
from sayso.media.dates import TakenFrom, WallTime, date_in_name, here, parse_date
from sayso.media.files import open_regular, printable_path
from sayso.media.images import picture_header
from sayso.media.kinds import kind_from, read_head
from sayso.media.places import Position, exif_position, parse_iso6709
from sayso.media.xmp import read_xmp, xmp_position

_FIRST_CONTAINER = 1990  # earlier, when a file was made is not when something was taken
_MOST_LETTERS = 100
_EXIF, _GPS = 0x8769, 0x8825
_MAKE, _MODEL = 0x010F, 0x0110
_EXIF_DATES = ((0x9003, 0x9291, 0x9011), (0x9004, 0x9292, 0x9012), (0x0132, 0x9290, 0x9010))
"""DateTimeOriginal, DateTimeDigitized, DateTime: the tag, that of its fraction of a second, of its offset."""

_XMP_DATES = ("exif:DateTimeOriginal", "photoshop:DateCreated", "xmp:CreateDate")
_APPLE = "com.apple.quicktime."
_RECORDED = (f"{_APPLE}creationdate", "date_recorded", "date_digitized")
_PLACES = (f"{_APPLE}location.iso6709", "location", "location-eng", "geo_location")
_MAKES = (f"{_APPLE}make", "make", "com.android.manufacturer", "manufacturer")
_MODELS = (f"{_APPLE}model", "model", "com.android.model")


@dataclass(frozen=True, slots=True)
class Capture:
    """What a file says of how it was taken; None where it does not say.

    Args:
        taken: wall time of the place, ISO 8601 without a zone; only the day where no more is known.
        utc_offset_min: of that clock from UTC, minutes; None where it is not known.
        taken_from: where that was read; exif stands for XMP too.
        camera: make and model.
        latitude: degrees north.
        longitude: degrees east.
        width: pixels of a picture, as it is shown; None for a video.
        height: the same.
    """

    taken: str | None = None
    utc_offset_min: int | None = None
    taken_from: TakenFrom | None = None
    camera: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class _Said:
    """What a header says."""

    dates: tuple[WallTime | None, ...] = ()
    source: TakenFrom = "exif"
    camera: str | None = None
    place: Position | None = None
    size: tuple[int, int] | None = None


def read_capture(path: str | os.PathLike[str], mtime_s: float, *, now: datetime | None = None) -> Capture:
    """Return when, where and with what a file was taken; what cannot be read says nothing.

    A date that cannot be is passed over: in the future, or the first of January, 1904, 1970, 1980 or 2000, at
    midnight, where clocks begin that nobody set.

    Args:
        path: of a picture, a video or sound.
        mtime_s: when the file was last written, seconds since 1970.
        now: aware; by default the time now.
    """
    now = now or datetime.now(UTC)
    said = _read_header(path)
    dated: list[tuple[WallTime | None, TakenFrom]] = [(date, said.source) for date in said.dates]
    dated += [(date_in_name(Path(path).stem), "name"), (_of_file(mtime_s), "mtime")]
    taken, taken_from = next(((d, s) for d, s in dated if d is not None and d.credible(now)), (None, None))
    latitude, longitude = said.place or (None, None)
    width, height = said.size or (None, None)
    return Capture(
        taken=taken.text if taken else None,
        utc_offset_min=taken.offset_min if taken else None,
        taken_from=taken_from,
        camera=said.camera,
        latitude=latitude,
        longitude=longitude,
        width=width,
        height=height,
    )


def _of_file(mtime_s: float) -> WallTime | None:
    try:
        return here(datetime.fromtimestamp(int(mtime_s), UTC))
    except (ValueError, OverflowError, OSError):
        return None


def _read_header(path: str | os.PathLike[str]) -> _Said:
    try:
        with open_regular(path) as descriptor:
            head = read_head(descriptor, path)
            if kind_from(head) == "picture":
                return _of_picture(path, descriptor)
            return _of_container(path, descriptor)
    except (MediaError, OSError):
        return _Said()


def _of_picture(path: str | os.PathLike[str], descriptor: int) -> _Said:
    with picture_header(path) as (size, exif):
        try:
            tags = {**exif, **exif.get_ifd(_EXIF)}
            place = exif_position(exif.get_ifd(_GPS))
        except Exception:  # noqa: BLE001  whatever a parser raises on damaged bytes
            tags, place = {}, None
    dates = [_exif_date(tags, *numbers) for numbers in _EXIF_DATES]
    camera = _camera(_text(tags.get(_MAKE)), _text(tags.get(_MODEL)))
    if not any(dates):
        xmp = read_xmp(descriptor)
        dates = [parse_date(xmp.get(name, "")) for name in _XMP_DATES]
        camera = camera or _camera(xmp.get("tiff:Make", ""), xmp.get("tiff:Model", ""))
        place = place or xmp_position(xmp.get("exif:GPSLatitude", ""), xmp.get("exif:GPSLongitude", ""))
    return _Said(tuple(dates), "exif", camera, place, size)


def _exif_date(tags: Mapping[int, Any], date: int, subsec: int, offset: int) -> WallTime | None:
    return parse_date(_text(tags.get(date)), subsec=_text(tags.get(subsec)), offset=_text(tags.get(offset)))


def _text(value: Any) -> str:
    """Return a tag's text, or "" if it holds something else."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return value.strip("\0 \r\n\t") if isinstance(value, str) else ""


def _of_container(path: str | os.PathLike[str], descriptor: int) -> _Said:
    import av  # waits where another thread imports it: "from av.error" does not

    with open_container(printable_path(path), descriptor, sound=True) as container:
        try:
            tags = _lower([container.metadata, *(stream.metadata for stream in container.streams)])
        except (av.FFmpegError, RuntimeError, ValueError):
            return _Said()
    places = filter(None, (parse_iso6709(tags.get(name, "")) for name in _PLACES))
    return _Said(
        dates=tuple(_container_dates(tags)),
        source="container",
        camera=_camera(_first(tags, _MAKES), _first(tags, _MODELS)),
        place=next(places, None),
    )


def _lower(tables: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Return the tags of the file and of its streams, the file's first, by their names in lower case."""
    found: dict[str, str] = {}
    for table in tables:
        for name, value in table.items():
            found.setdefault(name.lower(), value)
    return found


def _container_dates(tags: Mapping[str, str]) -> Iterator[WallTime | None]:
    """Yield what may be the date, the most telling first: a day alone may be that of a film's release."""
    yield from (parse_date(tags.get(name, "")) for name in _RECORDED)
    date, made = parse_date(tags.get("date", "")), parse_date(tags.get("creation_time", ""))
    if date is not None and not date.whole_day:
        yield date
    if made is not None and made.local.year >= _FIRST_CONTAINER:
        yield made
    yield date


def _first(tags: Mapping[str, str], names: Iterable[str]) -> str:
    return next((tags[name] for name in names if tags.get(name, "").strip()), "")


def _camera(make: str, model: str) -> str | None:
    """Return make and model in one, without the make twice: Apple iPhone 12, Canon EOS 80D."""
    make, model = (" ".join("".join(filter(str.isprintable, text)).split()) for text in (make, model))
    twice = model.casefold().startswith(make.casefold())
    return (model if twice else f"{make} {model}".strip())[:_MOST_LETTERS] or None
