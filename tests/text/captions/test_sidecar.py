"""The right caption file is found beside a video, always the same one."""

from __future__ import annotations

import os
import random
import time
import unicodedata

import pytest

from sayso.core.errors import SaysoError
from sayso.text import find_subtitles
from sayso.text.captions import folder_names
from sayso.text.captions.sidecar import find_seen, find_video_of
from sayso.text.language.languages import CODES, ENTRIES, language_of


@pytest.fixture
def find(tmp_path):
    """Return a function that puts files in a folder, in any order, and says which one is found."""

    def finder(files: str, media: str = "talk.mp4", language: str | None = None) -> str | None:
        names = files.split("|") if files else []
        random.Random(files).shuffle(names)
        for name in os.listdir(tmp_path):
            (tmp_path / name).unlink()
        for name in names:
            (tmp_path / name).touch()
        found = find_subtitles(tmp_path / media, language)
        assert found is None or found.is_file()
        return found and found.name

    return finder


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ("talk.mp4|talk.srt", "talk.srt"),
        ("talk.en.vtt", "talk.en.vtt"),
        ("talk.eng.srt", "talk.eng.srt"),
        ("talk.en-US.json3", "talk.en-US.json3"),
        ("talk.pt_BR.SRT", "talk.pt_BR.SRT"),
        ("talk.zh-Hans.ass", "talk.zh-Hans.ass"),
        ("talk.auto.vtt", "talk.auto.vtt"),
        ("talk.en.auto.vtt", "talk.en.auto.vtt"),
        ("talk.en-orig.vtt", "talk.en-orig.vtt"),
        ("talk.en.sdh.srt", "talk.en.sdh.srt"),
        ("talk.en.hi.srt", "talk.en.hi.srt"),
        # the stem alone, then English, then the first of the alphabet
        ("talk.srt|talk.en.srt|talk.de.srt", "talk.srt"),
        ("talk.de.srt|talk.en.srt|talk.ar.srt", "talk.en.srt"),
        ("talk.fr.srt|talk.de.srt|talk.nl.srt", "talk.de.srt"),
        ("talk.fra.srt|talk.ger.srt", "talk.ger.srt"),
        # uploaded before automatic, whole before foreign parts, no region before a region
        ("talk.en.auto.vtt|talk.en.srt", "talk.en.srt"),
        ("talk.en-orig.vtt|talk.en.srt", "talk.en.srt"),
        ("talk.auto.vtt|talk.srt", "talk.srt"),
        ("talk.auto.vtt|talk.en.srt", "talk.en.srt"),
        ("talk.auto.vtt|talk.de.srt", "talk.auto.vtt"),
        ("talk.en.forced.srt|talk.fr.srt", "talk.fr.srt"),
        ("talk.en-GB.srt|talk.en.srt|talk.en-AU.srt", "talk.en.srt"),
        ("talk.en-GB.srt|talk.en-AU.srt", "talk.en-AU.srt"),
        # formats
        ("talk.srt|talk.vtt|talk.json3", "talk.vtt"),
        ("talk.idx|talk.sub|talk.en.ttml", "talk.en.ttml"),
        ("talk.sub", "talk.sub"),
        # names of programs and of people
        ("talk.mp4.srt", "talk.mp4.srt"),
        ("talk.mp4.de.srt|talk.mp4.en.srt", "talk.mp4.en.srt"),
        ("talk.en-ehkg1hFWq8A.srt", "talk.en-ehkg1hFWq8A.srt"),
        ("talk.en-GB-a_b-1hFWq8A.vtt", "talk.en-GB-a_b-1hFWq8A.vtt"),
        ("talk.nso-en-ehkg1hFWq8A.srt|talk.en-ehkg1hFWq8A.srt", "talk.en-ehkg1hFWq8A.srt"),
        ("talk.haw.srt", "talk.haw.srt"),
        ("talk.English.srt|talk.German.srt", "talk.English.srt"),
        ("talk.Deutsch.srt|talk.français.srt", "talk.Deutsch.srt"),
        ("talk.English (SDH).srt", "talk.English (SDH).srt"),
        ("talk.Chinese (Simplified).srt", "talk.Chinese (Simplified).srt"),
        ("talk.en.cc.srt", "talk.en.cc.srt"),
        ("talk.eng_sdh.srt", "talk.eng_sdh.srt"),
        ("talk.en.forced.srt|talk.en.sdh.srt", "talk.en.sdh.srt"),
        ("talk.English-forced.srt|talk.fr.srt", "talk.fr.srt"),
        ("talk.mp4.srt|talk.mov|talk.mov.srt", "talk.mp4.srt"),
        # of others
        ("talk.txt|talk.json|talk.part2.srt|talks.srt|tal.srt|talk-en.srt|talksrt", None),
        ("talk.en.de.srt", None),
        ("talk.mp4|talk.de.mp4|talk.de.srt", None),
        ("", None),
    ],
)
def test_without_a_language(find, files, found):
    assert find(files) == found


@pytest.mark.parametrize(
    ("language", "files", "found"),
    [
        ("de", "talk.en.srt|talk.de.srt|talk.srt", "talk.de.srt"),
        ("ger", "talk.en.srt|talk.de.srt", "talk.de.srt"),
        ("de", "talk.deu.srt", "talk.deu.srt"),
        ("en-US", "talk.en.srt|talk.en-US.srt", "talk.en-US.srt"),
        ("en_us", "talk.en-GB.srt|talk.en.srt", "talk.en.srt"),
        ("en-US", "talk.en-GB.srt", "talk.en-GB.srt"),
        ("en", "talk.en-GB.srt|talk.en.auto.srt", "talk.en-GB.srt"),  # uploaded, whatever the region
        ("he", "talk.iw.vtt", "talk.iw.vtt"),
        ("de", "talk.srt|talk.en.srt", "talk.srt"),
        ("de", "talk.en.srt|talk.fr.srt", None),
        ("hi", "talk.hi.srt|talk.en.srt", "talk.hi.srt"),
        ("hi", "talk.en.hi.srt", None),
        ("en", "talk.hi.srt", None),
    ],
)
def test_with_a_language(find, language, files, found):
    assert find(files, language=language) == found


@pytest.mark.parametrize(
    "stem", ["my.talk.2024", "[en] what? *", "a [b", "50% off", "naïve", ".hidden", "talk ", "..", "日本"]
)
def test_stems_with_dots_brackets_and_stars(find, stem):
    decoys = "x.srt|my.srt|my.talk.srt|[en] what! .srt|a b.srt|e.srt"
    assert find(f"{decoys}|{stem}.en.srt", media=f"{stem}.mp4") == f"{stem}.en.srt"


def test_a_name_composed_in_another_way(find):
    composed, decomposed = (unicodedata.normalize(form, "café") for form in ("NFC", "NFD"))
    assert find(f"{decomposed}.srt", media=f"{composed}.mp4") == f"{decomposed}.srt"


def test_a_caption_file_is_not_its_own(find):
    assert find("talk.srt", media="talk.srt") is None


def test_no_folder_no_file(tmp_path):
    assert find_subtitles(tmp_path / "nowhere" / "talk.mp4") is None
    assert find_subtitles("https://example.org/talk.mp4") is None
    assert find_subtitles("/") is None


def test_a_language_that_is_none(tmp_path):
    with pytest.raises(SaysoError, match="'klingon' is no language; use an ISO 639 code"):
        find_subtitles(tmp_path / "talk.mp4", "klingon")


def test_a_file_that_appears_is_seen_at_once_though_listings_are_kept(tmp_path):
    media = tmp_path / "talk.mp4"
    os.utime(tmp_path, (1e9, 1e9))  # long settled
    assert find_subtitles(media) is None
    assert find_subtitles(media) is None
    (tmp_path / "talk.en.srt").touch()
    assert find_subtitles(media) == tmp_path / "talk.en.srt"
    (tmp_path / "talk.srt").touch()
    assert find_subtitles(media) == tmp_path / "talk.srt"


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ("talk.klingon.srt", "talk.klingon.srt is not used for talk.mp4: 'klingon' is neither a language"),
        ("talk-en.srt", "talk-en.srt is not used for talk.mp4: 'en' is neither"),
        ("talk.smi", "talk.smi is not used for talk.mp4: captions as .smi cannot be read"),
        (
            "talk.idx|talk.sub",
            "talk.sub is not used for talk.mp4: captions as VobSub pictures",
        ),
        ("TALK.srt", "TALK.srt is not used for talk.mp4: the two names differ in capital letters"),
        ("talk.en.srt|talk.de.srt", "talk.de.srt is not used for talk.mp4: talk.en.srt was taken"),
    ],
)
def test_what_is_passed_over_is_said_with_the_reason(find, caplog, files, said):
    with caplog.at_level("INFO", logger="sayso"):
        find(files)
    assert said in caplog.text


def test_what_is_another_videos_is_not_spoken_of(find, caplog):
    with caplog.at_level("INFO", logger="sayso"):
        find("talk.part2.srt|talk.part2.mp4|talk.mov|talk.mov.srt|talks.srt|talk.txt|Talk.mp4|Talk.srt")
    assert not caplog.messages


@pytest.mark.parametrize(
    ("files", "captions", "video"),
    [
        ("talk.mp4|talk.sub", "talk.sub", "talk.mp4"),
        ("talk.mkv|talk.en.sub", "talk.en.sub", "talk.mkv"),
        ("talk.mp4|talk.mp4.sub", "talk.mp4.sub", "talk.mp4"),
        ("talk.mp4|talk.part2.sub", "talk.part2.sub", None),
        ("talks.mp4|talk.sub", "talk.sub", None),
        ("talk.txt|talk.sub", "talk.sub", None),
        ("talk.mp4|talk.mp4.mkv|talk.mp4.sub", "talk.mp4.sub", "talk.mp4"),
    ],
)
def test_the_video_of_a_caption_file(find, tmp_path, files, captions, video):
    find(files)
    found = find_video_of(tmp_path / captions)
    assert (found and found.name) == video


def test_codes_are_of_one_language_each():
    codes = [code for entry in ENTRIES for code in entry]
    assert len(codes) == len(set(codes)) > 380
    assert sum(len(code) == 2 for code in codes) == 183
    assert {language_of(code) for code in ("en", "eng", "EN")} == {("en", ())}
    assert language_of("zh-Hant_TW") == ("zh", ("hant", "tw"))
    assert language_of("part2") is None
    assert CODES["iw"] == "he"


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ("talk.seen.vtt|talk.srt", "talk.seen.vtt"),
        ("talk.en.seen.vtt|talk.de.seen.vtt", "talk.de.seen.vtt"),
        ("talk.EN.Seen.VTT", "talk.EN.Seen.VTT"),
        ("talk.srt|talk.en.vtt|talk.mp4", None),
        ("talks.seen.vtt|talk-en.seen.vtt|talk.en.x.seen.vtt|talk.seen.en.vtt|talk.seen.txt", None),
    ],
)
def test_what_a_model_saw_is_found_and_is_no_caption(find, tmp_path, files, found):
    taken = find(files)
    assert taken is None or "seen" not in taken.lower()
    seen = find_seen(tmp_path / "talk.mp4")
    assert (seen and seen.name) == found


@pytest.mark.parametrize(
    ("part", "is_language"),
    [
        ("English (United Kingdom)", True),
        ("English gb", True),
        ("English German", True),
        ("English northern", False),
        ("English gb northern", False),
        ("English abcd", True),
        ("English abcde", False),
        ("English a b c", True),
        ("English a b c d", False),
        ("()", False),
        ("(a) English", False),
    ],
)
def test_a_language_and_a_region_in_words(find, part, is_language):
    """Four words, of which those behind the language are short, in brackets, or name a language too."""
    assert find(f"talk.{part}.srt") == (f"talk.{part}.srt" if is_language else None)


def test_a_file_that_nobody_understands_is_spoken_of_once(find, caplog):
    with caplog.at_level("INFO", logger="sayso"):
        find("talk.klingon.srt|talk.mp4|talk.mkv")
    assert [message.partition(" is ")[0].rpartition("/")[2] for message in caplog.messages] == [
        "talk.klingon.srt"
    ]
    caplog.clear()
    with caplog.at_level("INFO", logger="sayso"):
        find("talk.part2.klingon.srt|talk.mp4|talk.part2.mp4")
    assert not caplog.messages


def test_names_of_a_folder_are_kept_once_it_rests_for_two_seconds(tmp_path, monkeypatch):
    (tmp_path / "a.srt").touch()
    changed, listed = tmp_path.stat().st_mtime_ns, []
    list_folder = os.listdir
    monkeypatch.setattr(os, "listdir", lambda folder: listed.append(folder) or list_folder(folder))
    for rests_ns, times in ((1_500_000_000, 2), (2_000_000_000, 1), (3_600 * 10**9, 0)):
        listed.clear()
        monkeypatch.setattr(time, "time_ns", lambda now=changed + rests_ns: now)
        names = {folder_names.file_names(tmp_path) for _ in range(2)}
        assert [real for _, _, real in names.pop()] == ["a.srt"]
        assert len(listed) == times
