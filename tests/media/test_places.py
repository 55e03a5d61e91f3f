"""Where something was taken."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayso.media.places import exif_position, parse_iso6709
from sayso.media.xmp import xmp_position

latitudes = st.floats(-90, 90).filter(lambda value: abs(value) > 1e-4)
longitudes = st.floats(-180, 180)


def sexagesimal(value: float) -> tuple[int, int, float]:
    """Return whole degrees, whole minutes, and seconds of a positive number."""
    degrees = int(value)
    minutes = int((value - degrees) * 60)
    return degrees, minutes, (value - degrees - minutes / 60) * 3600


@settings(max_examples=60)
@given(latitudes, longitudes)
def test_every_way_of_writing_a_place_is_read(latitude, longitude):
    south, west = latitude < 0, longitude < 0
    (a, b, c), (d, e, f) = sexagesimal(abs(latitude)), sexagesimal(abs(longitude))
    exif = {1: "S" if south else "N", 2: (a, b, c), 3: "W" if west else "E", 4: (d, e, f)}
    iso = f"{latitude:+011.7f}{longitude:+012.7f}/"
    xmp = f"{a},{b + c / 60:.6f}{'S' if south else 'N'}", f"{d},{e},{f:.4f}{'W' if west else 'E'}"
    for place in (exif_position(exif), parse_iso6709(iso)):
        assert place == pytest.approx((latitude, longitude), abs=2e-6)
    place = xmp_position(*xmp)
    if f"{b + c / 60:.6f}" != "60.000000" and not xmp[1].split(",")[2].startswith("60"):
        assert place == pytest.approx((latitude, longitude), abs=2e-6)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("+48.8577+002.2950/", (48.8577, 2.295)),
        ("+48.8577+002.2950+035.123/", (48.8577, 2.295)),
        ("+48.8577+002.2950+035.123CRSWGS_84/", (48.8577, 2.295)),
        ("+4851.46+00217.70/", (48.857667, 2.295)),
        ("-335124.5+1511236.0/", (-33.856806, 151.21)),
        ("+27.5916-086.5640-8.0/", (27.5916, -86.564)),
        ("+00.0000+000.0000/", None),
        ("+95.0000+002.0000/", None),
        ("+485+00217/", None),
        ("Paris", None),
        ("", None),
    ],
)
def test_iso6709(text, place):
    found = parse_iso6709(text)
    assert found is None if place is None else found == pytest.approx(place, abs=1e-6)


@pytest.mark.parametrize(
    "gps",
    [
        {},
        {1: "N", 2: (48, 51)},
        {1: "N", 2: (math.nan, 0, 0), 3: "E", 4: (2, 17, 0)},
        {1: "N", 2: "north", 3: "E", 4: (2, 17, 0)},
        {1: "N", 2: (0, 0, 0), 3: "E", 4: (0, 0, 0)},
        {1: "N", 2: (91, 0, 0), 3: "E", 4: (2, 0, 0)},
    ],
)
def test_no_places(gps):
    assert exif_position(gps) is None


def test_a_hemisphere_in_bytes_counts():
    assert exif_position({1: b"S\0", 2: (33, 51, 24), 3: b"W\0", 4: (70, 0, 0)}) == (-33.856667, -70.0)
