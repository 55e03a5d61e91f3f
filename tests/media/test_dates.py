"""Dates as files write them."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayso.media.dates import WallTime, date_in_name, parse_date, parse_offset

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
moments = st.datetimes(datetime(1830, 1, 2), datetime(2199, 1, 1)).map(lambda at: at.replace(microsecond=0))
quarters = st.integers(-12 * 4, 14 * 4).map(lambda k: timedelta(minutes=15 * k))


@pytest.fixture
def zone(monkeypatch):
    """Set this machine's time zone."""

    def set_to(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield set_to
    monkeypatch.undo()
    time.tzset()


@settings(max_examples=40)
@given(moments, quarters, st.integers(0, 999))
def test_a_date_with_its_offset_is_read_as_python_reads_it(at, offset, milli):
    aware = at.replace(microsecond=1000 * milli, tzinfo=timezone(offset))
    apart = f"{aware:%z}"[:3] + ":" + f"{aware:%z}"[3:5]
    iso = f"{at:%Y-%m-%dT%H:%M:%S}.{milli:03d}{apart}".replace(f"{at:%Y}", f"{at.year:04d}", 1)
    exif = f"{at.year:04d}:{at:%m:%d %H:%M:%S}"
    if milli == 500 and offset:
        assert datetime.fromisoformat(iso) == aware
    for read in (parse_date(iso), parse_date(exif, subsec=f"{milli:03d}", offset=apart)):
        assert read is not None
        assert read.local.replace(tzinfo=timezone(read.offset)) == aware
        assert datetime.fromisoformat(read.text) == aware.replace(tzinfo=None)
        assert read.offset_min == offset.total_seconds() / 60


@settings(max_examples=40)
@given(moments, moments)
def test_texts_sort_as_the_times_do(one, other):
    first, second = WallTime(one).text, WallTime(other).text
    assert (first < second) == (one < other)
    assert WallTime(one, whole_day=True).text <= first


@settings(max_examples=40)
@given(st.text(max_size=40) | st.text("0123456789:- TZ+.\0", max_size=30))
def test_any_text_is_a_date_or_none(text):
    found = parse_date(text)
    assert found is None or datetime.fromisoformat(found.text)
    date_in_name(text)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2019:06:01 24:00:00", "2019-06-02T00:00:00"),  # some phones write midnight so
        ("2016:12:31 23:59:60", "2017-01-01T00:00:00"),  # a leap second
        ("2019-06-01 14:03", "2019-06-01T14:03:00"),
        ("2019/06/01", "2019-06-01"),
        ("2019:06:01 14:03:22\0", "2019-06-01T14:03:22"),
        ("0000:00:00 00:00:00", None),
        ("    :  :     :  :  ", None),
        ("2019:02:30 10:00:00", None),
        ("2019:06:01 14:61:00", None),
        ("2019", None),
        ("", None),
        ("9999:12:31 24:00:00", None),
    ],
)
def test_odd_dates(text, read):
    found = parse_date(text)
    assert (found and found.text) == read


@pytest.mark.parametrize(
    ("name", "text", "offset"),
    [
        ("Europe/Paris", "2019-06-01T14:03:22", 120),
        ("America/New_York", "2019-06-01T08:03:22", -240),
        ("UTC", "2019-06-01T12:03:22", 0),
    ],
)
def test_an_instant_without_a_place_becomes_this_machines_wall_time(zone, name, text, offset):
    zone(name)
    found = parse_date("2019-06-01T12:03:22.000000Z")
    assert (found.text, found.offset_min) == (text, offset)


def test_an_offset_that_is_written_out_is_kept(zone):
    zone("Asia/Tokyo")
    found = parse_date("2019-06-01T14:03:22+0200")
    assert (found.text, found.offset_min) == ("2019-06-01T14:03:22", 120)


@pytest.mark.parametrize("text", ["", "+99:00", "+02:75", "02:00", "   :  ", "+1"])
def test_no_offsets(text):
    assert parse_offset(text) is None


@pytest.mark.parametrize(
    ("at", "believed"),
    [
        ("2024:05:02 11:00:00", True),  # a zone ahead of ours
        ("2024:05:02 13:00:00", False),
        ("2038:01:19 03:14:07", False),
        ("1970:01:01 00:00:00", False),
        ("1904:01:01 00:00:00", False),
        ("1980:01:01 00:00:00", False),
        ("2000:01:01 00:00:00", False),
        ("2000:01:01 00:00:01", True),
        ("1966:07:30 15:00:00", True),
        ("0001:01:01 00:00:00", False),
    ],
)
def test_what_is_believed(at, believed):
    assert parse_date(at).credible(NOW) == believed


def test_an_epoch_is_not_believed_wherever_this_machine_is(zone):
    zone("Asia/Tokyo")
    assert not parse_date("1970-01-01T00:00:00Z").credible(NOW)
    assert not parse_date("1904-01-01T00:00:00.000000Z").credible(NOW)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("IMG_20190601_140322", "2019-06-01T14:03:22"),
        ("VID_20190601_140322", "2019-06-01T14:03:22"),
        ("MVIMG_20190601_140322", "2019-06-01T14:03:22"),
        ("IMG_20190601_140322_1", "2019-06-01T14:03:22"),
        ("20190601_140322(1)", "2019-06-01T14:03:22"),
        ("IMG20190601140322", "2019-06-01T14:03:22"),
        ("2019-06-01 14.03.22", "2019-06-01T14:03:22"),
        ("photo_2019-06-01_14-03-22", "2019-06-01T14:03:22"),
        ("signal-2019-06-01-140322", "2019-06-01T14:03:22"),
        ("Screenshot_20190601-140322_Chrome", "2019-06-01T14:03:22"),
        ("Screenshot 2019-06-01 at 14.03.22", "2019-06-01T14:03:22"),
        ("Screenshot 2019-06-01 at 12.03.22 AM", "2019-06-01T00:03:22"),
        ("Screenshot 2019-06-01 at 02.03.22\u202fPM", "2019-06-01T14:03:22"),
        ("WhatsApp Image 2019-06-01 at 14.03.22", "2019-06-01T14:03:22"),
        ("WP_20140601_14_03_22_Pro", "2014-06-01T14:03:22"),
        ("IMG_20190601_140322123", "2019-06-01T14:03:22.123"),
        ("DJI_20230601140322_0001_D", "2023-06-01T14:03:22"),
        ("IMG-20190601-WA0007", "2019-06-01"),
        ("VID-20190601-WA0007", "2019-06-01"),
        ("DSC_0012", None),
        ("1559397802123", None),
        ("20190601", None),  # a day may be anything
        ("report-2019-06-01", None),
        ("IMG_20191301_140322", None),
        ("IMG_20190601_256199", None),
        ("19450601_140322", None),  # no phone took it
        ("120190601140322", None),
        ("2019060114032200", None),
    ],
)
def test_dates_in_names(name, text):
    found = date_in_name(name)
    assert (found and found.text) == text


def test_a_pixel_writes_utc_into_its_names(zone):
    zone("America/New_York")
    assert date_in_name("PXL_20210315_123456789.MP").text == "2021-03-15T08:34:56.789"


@settings(max_examples=40)
@given(
    st.datetimes(datetime(1990, 1, 1), datetime(2099, 12, 31)),
    st.sampled_from(["IMG_%Y%m%d_%H%M%S", "%Y-%m-%d %H.%M.%S", "video-%Y-%m-%d-%H-%M-%S", "%Y%m%d%H%M%S"]),
)
def test_names_that_are_written_are_read(at, form):
    assert date_in_name(at.strftime(form)).local == at.replace(microsecond=0)
