"""Run-together titles in words again: read by eye once, and real ones joined and split."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.text.language.run_together import split_title

pytest.importorskip("wordfreq")

READ = """
HowtoGetKoolAidoutofHair1 = Get Kool Aid out of Hair
HowtoPutinContactLenses2 = Put in Contact Lenses
HowtoFishinaLake1 = Fish in a Lake
HowtoMakeaHomemadeBook1 = Make a Homemade Book
HowtoReadaneBook1 = Read an eBook
HowtoMakeanAreaRug1 = Make an Area Rug
HowtoCookPasta3 = Cook Pasta
HowtoMilkaGoat1 = Milk a Goat
HowtoBreakaPiata1 = Break a Piata
HowtoPlayPokmonGO1 = Play Pokmon GO
HowtoTakeVitaminB31 = Take Vitamin B3
HowtoUpdateWindows811 = Update Windows 81
HowtoFixanXbox3601 = Fix an Xbox 360
HowtoCall911 = Call 911
HowtoDressforthe1980s1 = Dress for the 1980s
HowtoWriteinthe3rdPerson1 = Write in the 3rd Person
HowtoDoaHandstandin3Days1 = Do a Handstand in 3 Days
HowtoInstallWindowsonaMac1 = Install Windows on a Mac
HowtoUploadPhotostoiCloudonaniPhone1 = Upload Photos to iCloud on an iPhone
HowtoGetYouriPhoneoutofDFUMode1 = Get Your iPhone out of DFU Mode
HowtoTradeineBooks1 = Trade in eBooks
HowtoLogintoiTunes1 = Log in to iTunes
HowtoWorkoutatHome1 = Work out at Home
HowtoHangoutwithFriends1 = Hang out with Friends
HowtoSetupaTent1 = Set up a Tent
HowtoUncoveraPot1 = Uncover a Pot
HowtoRecoverFiles1 = Recover Files
HowtoUseaPCorMac1 = Use a PC or Mac
HowtoLearnPHPandMySQL1 = Learn PHP and MySQL
HowtoMakeaMIDIFile1 = Make a MIDI File
HowtoWearaTogaandSandals1 = Wear a Toga and Sandals
HowtoListenandLearn1 = Listen and Learn
HowtoKnitaSweaterforaDog1 = Knit a Sweater for a Dog
HowtoMakeaPizza1 = Make a Pizza
HowtoBuildaSauna1 = Build a Sauna
HowtoOrganizeYourCameraBag1 = Organize Your Camera Bag
HowtoGetaSeatonaBoat1 = Get a Seat on a Boat
HowtoKeepCoatsinaCloset1 = Keep Coats in a Closet
HowtoWatchYouTubewithoutAds1 = Watch YouTube without Ads
HowtoTurnoffaLightthroughtheWindow1 = Turn off a Light through the Window
""".strip().splitlines()


@pytest.mark.parametrize("pair", READ)
def test_titles_that_were_read_by_eye(pair: str) -> None:
    joined, title = pair.split(" = ")
    assert split_title(joined) == title


def test_real_titles_joined_and_split_again(shared_data: Path) -> None:
    with (shared_data / "task_titles" / "task_titles_dev.csv").open(newline="") as file:
        titles = [row["title"] for row in csv.DictReader(file)]
    right = sum(split_title(f"Howto{re.sub('[^A-Za-z0-9]', '', title)}1") == title for title in titles)
    assert right >= 0.97 * len(titles)


@given(st.text(alphabet=st.characters(max_codepoint=0x17F), max_size=60))
def test_any_text_keeps_its_letters(text: str) -> None:
    found = split_title(text)
    kept = re.sub(r"\s", "", text)
    without = re.sub(r"^[Hh][Oo][Ww][Tt][Oo]", "", kept)
    shown = re.sub(r"\s", "", found)
    assert shown.casefold() in {
        kept.casefold(),
        without.casefold(),
        kept[:-1].casefold(),
        without[:-1].casefold(),
    }


def test_titles_with_blanks_lose_only_how_to() -> None:
    assert split_title(" How to Tie a Tie ") == "Tie a Tie"
    assert split_title("Tie a Tie") == "Tie a Tie"
    assert split_title("tie") == "tie"
