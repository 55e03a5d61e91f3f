"""The text of a caption file comes out right whatever it was saved as."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.text.captions.encoding import _explained, _rows, _utf16, decode_text, guess_code_page

# page: what somebody might say in a cooking video
SAID = {
    "fr cp1252": "On a mélangé le sucre et le beurre.\nC'est prêt à être mangé, tu as goûté ?\nNoël, déjà ?",
    "es cp1252": "¡Vámonos! Se hace tarde.\nEl niño comió más arroz que tú.\n¿Cuánta sal hay?",
    "pt cp1252": "Não há ninguém aqui.\nA ligação caiu três vezes.\nVocê já viu o avião?",
    "it cp1252": "Più tardi andrò al mercato.\nCosì si può fare, perché no?\nNon è facile.",
    "de cp1252": "Über der Tür.\nDie Größe ist völlig egal.",
    "sv cp1252": "Först blandar vi mjölet med sockret, så här.\nDet är lätt.",
    "da cp1252": "Først pisker vi æggene, så de bliver søde.\nSmør på panden.",
    "en cp1252": "It’s “fine” – don’t worry.\nHe’s gone to the café…",
    "pl cp1250": "Dziękuję bardzo, że przyszliście.\nGdzie jest mój różowy kapelusz?\nWłóż masło do lodówki.",
    "cs cp1250": "Kde je můj červený klobouk?\nDěkuji, že jste přišli.\nMáslo dejte do ledničky.",
    "hu cp1250": "Köszönöm, hogy eljöttek.\nA vajat tedd a hűtőbe, kérlek.\nNagyon jó idő van, ugye?",
    "ro cp1250": "Mulţumesc că aţi venit.\nUnde este pălăria mea roşie?",
    "pl iso8859_2": "Dziękuję, że przyszliście.\nGdzie mój różowy kapelusz?\nWłóż masło do lodówki.",
    "tr cp1254": "Geldiğiniz için teşekkür ederim.\nKırmızı şapkam nerede?",
    "lt cp1257": "Ačiū, kad atėjote.\nSviestą įdėkite į šaldytuvą.",
    "ru cp1251": "Спасибо, что пришли.\nГде моя красная шляпа?",
    "ru koi8_r": "Спасибо, что пришли.\nГде моя красная шляпа?",
    "ru cp866": "Спасибо, что пришли.\nГде моя красная шляпа?",
    "ru mac_cyrillic": "Спасибо, что пришли.\nГде моя красная шляпа?",
    "ru iso8859_5": "Спасибо, что пришли.\nГде моя красная шляпа?",
    "pl cp852": "Dziękuję bardzo, że przyszliście.\nGdzie jest mój różowy kapelusz?",
    "hu cp852": "Köszönöm, hogy eljöttek.\nA vajat tedd a hűtőbe, kérlek.",
    "fr cp850": "On a mélangé le sucre et le beurre.\nC'est prêt à être mangé, tu as goûté ?",
    "de cp850": "Über der Tür.\nDie Größe ist völlig egal.",
    "fr mac_roman": "On a mélangé le sucre et le beurre.\nC'est prêt à être mangé, tu as goûté ?",
    "es mac_roman": "¡Vámonos! Se hace tarde.\nEl niño comió más arroz que tú.",
    "uk cp1251": "Дякую, що прийшли.\nЇжу покладіть у холодильник.",
    "el cp1253": "Ευχαριστώ που ήρθατε.\nΒάλτε το βούτυρο στο ψυγείο.",
    "he cp1255": "תודה שבאתם.\nאיפה הכובע האדום שלי?",
    "ar cp1256": "شكرا لقدومكم.\nأين قبعتي الحمراء؟",
    "th cp874": "ขอบคุณที่มา\nหมวกสีแดงของฉันอยู่ที่ไหน",
    "ja cp932": "来てくれてありがとう。\n私の赤い帽子はどこですか？",
    "ja iso2022_jp": "来てくれてありがとう。\n私の赤い帽子はどこですか？",
    "ko iso2022_kr": "와 주셔서 감사합니다.\n내 빨간 모자는 어디에 있나요?",
    "ja euc_jp": "来てくれてありがとう。\n私の赤い帽子はどこですか？",
    "zh gb18030": "谢谢你们的到来。\n我的红帽子在哪里？",
    "zh big5": "謝謝你們的到來。\n我的紅帽子在哪裡？",
    "ko cp949": "와 주셔서 감사합니다.\n내 빨간 모자는 어디에 있나요?",
}


def srt(text: str) -> str:
    return "".join(
        f"{i}\n00:00:0{i},000 --> 00:00:0{i + 1},000\n{line}\n\n"
        for i, line in enumerate(text.split("\n"), 1)
    )


@pytest.mark.parametrize("language", SAID)
def test_an_old_code_page_is_recognised_by_its_letters(language):
    text = srt(SAID[language])
    assert decode_text(text.encode(language.split()[1])) == (text, None)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("language", ["fr cp1252", "ru cp1251", "ja cp932"])
def test_unicode_with_and_without_a_mark(language, encoding):
    text = srt(SAID[language])
    assert decode_text(text.encode(encoding)) == (text, None)


def test_a_big_endian_mark():
    assert decode_text(codecs.BOM_UTF16_BE + "héllo".encode("utf-16-be")) == ("héllo", None)
    assert decode_text(codecs.BOM_UTF32_BE + "héllo".encode("utf-32-be")) == ("héllo", None)


def test_a_broken_byte_in_utf8_is_one_broken_character_and_its_line_is_told():
    data = srt(SAID["fr cp1252"] * 4).encode()
    at = data.index(b"\n", 200) + 1
    text, line = decode_text(data[:at] + b"\xff" + data[at:])
    assert line == data[:at].count(b"\n") + 1
    assert text.replace("�", "") == data.decode()


@pytest.mark.parametrize("end", [b"\r\n", b"\r", b"\n"])
def test_lines_are_counted_at_every_kind_of_line_end(end):
    assert decode_text(end.join([b"\xc3\xa9" * 20, "é".encode(), b"\xe9"]))[1] == 3


def test_the_encoding_that_xml_declares_wins_over_the_guess():
    xml = '<?xml version="1.0" encoding="windows-1252"?><tt>ðýþ</tt>'  # would be Turkish
    assert decode_text(xml.encode("cp1252"))[0] == xml
    for odd in ("punycode", "x-nothing"):
        assert decode_text(xml.replace("windows-1252", odd).encode("cp1252"))[0].startswith("<?xml")


def test_zeros_at_the_end_are_not_text_and_a_picture_is_none_at_all():
    assert decode_text(b"hello\n" + bytes(4096)) == ("hello\n", None)
    with pytest.raises(ValueError, match="binary"):
        decode_text(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4 + bytes(900) + b"x")


@given(st.binary(max_size=300))
def test_any_bytes_have_a_text_or_are_none(data):
    try:
        text, line = decode_text(data)
    except ValueError:
        assert b"\0" in data
    else:
        text.encode()  # no half characters
        assert line is None or line >= 1
        assert guess_code_page(data) in {"cp1252", "cp1250", "cp1251"} or codecs.lookup(guess_code_page(data))


@given(st.text(max_size=200).filter(lambda text: "\0" not in text and not text.startswith("\ufeff")))
def test_valid_utf8_is_never_guessed_at(text):
    assert decode_text(text.encode()) == (text, None)


@pytest.mark.parametrize(
    ("even", "odd", "encoding"),
    [
        (0, 2, "utf-16-le"),
        (2, 0, "utf-16-be"),
        (0, 1, None),
        (1, 20, "utf-16-le"),
        (20, 1, "utf-16-be"),
        (1, 19, None),
        (20, 20, None),
    ],
)
def test_zero_bytes_on_one_side_are_utf16(even, odd, encoding):
    """One byte in forty, and twenty times as many as on the other side."""
    data = bytearray(b"x" * 80)
    data[0 : 2 * even : 2], data[1 : 2 * odd : 2] = bytes(even), bytes(odd)
    assert _utf16(bytes(data)) == encoding


@pytest.mark.parametrize(
    ("right", "wrong", "is_utf8"), [(11, 1, True), (10, 1, False), (20, 2, False), (21, 2, True)]
)
def test_more_than_ten_long_characters_to_one_broken_byte_are_utf8(right, wrong, is_utf8):
    text, line = decode_text("é".encode() * right + b"\xff" * wrong)
    assert (text.count("é"), line) == ((right, 1) if is_utf8 else (0, None))


def test_what_explains_a_text():
    assert _explained("\x80é", frozenset("é")) == 0.5
    assert _explained("\x7fé", frozenset("é")) == 1.0
    assert {"啊", "薄"} <= set(_rows("gb2312", ((0xB0, 0xB1),)))
