"""From the bytes of a caption file to its text, whatever it was saved as.

A byte-order mark decides; else UTF-16 shows by its zero bytes; else what is
valid UTF-8 is UTF-8. Only then is an old code page guessed: each language below
names the page its files were saved with and the letters it writes beyond ASCII,
and the language that explains most of the text's non-ASCII characters wins.
Alphabets tell the Latin pages apart, which differ in a few letters only, and
where general detectors mistake French or Turkish for Central European.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from functools import cache

SAMPLE = 65536
MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
PUNCTUATION = frozenset("‘’‚“”„–—…«»°£€·•♪\xa0、。，！？「」『』（）：；・ー～　")
OPENING = frozenset("¿¡‚„€£")  # never right after a letter
RUSSIAN = "абвгдежзийклмнопрстуфхцчшщъыьэюяё"
# Of two languages that explain a text equally well the first is taken.
ALPHABETS = (
    ("cp1252", "àâæçéèêëîïôœùûüÿ"),  # French
    ("cp1252", "áéíñóúü¿¡"),  # Spanish
    ("cp1252", "äöüß"),  # German
    ("cp1252", "áàâãçéêíóôõúü"),  # Portuguese
    ("cp1252", "àèéìîòóù"),  # Italian
    ("cp1252", "àçéèíïóòúü"),  # Catalan
    ("cp1252", "áèéëïóöü"),  # Dutch
    ("cp1252", "åäöé"),  # Swedish, Finnish
    ("cp1252", "æøåé"),  # Danish, Norwegian
    ("cp1254", "çğıöşüâîû"),  # Turkish
    ("cp1252", "áðéíóúýþæö"),  # Icelandic
    ("cp1250", "ąćęłńóśźż"),  # Polish
    ("cp1250", "áčďéěíňóřšťúůýž"),  # Czech
    ("cp1250", "áäčďéíĺľňóôŕšťúýž"),  # Slovak
    ("cp1250", "áéíóöőúüű"),  # Hungarian
    ("cp1250", "ăâîşţ"),  # Romanian
    ("cp1250", "čćđšž"),  # Croatian, Slovenian
    ("cp1257", "ąčęėįšųūž"),  # Lithuanian
    ("cp1257", "āčēģīķļņšūž"),  # Latvian
    ("cp1257", "äöõüšž"),  # Estonian
    ("iso8859_2", "ąćęłńóśźż"),
    ("iso8859_2", "áčďéěíňóřšťúůýž"),
    ("iso8859_2", "áéíóöőúüű"),
    ("cp1255", "אבגדהוזחטיךכלםמןנסעףפץצקרשת"),
    ("cp1251", RUSSIAN),
    ("cp1251", RUSSIAN + "іїєґ"),
    ("cp1251", "абвгдежзијклмнопрстуфхцчшђљњћџ"),
    ("koi8_r", RUSSIAN),
    ("cp866", RUSSIAN),  # of DOS
    ("mac_cyrillic", RUSSIAN),
    ("iso8859_5", RUSSIAN),
    ("cp1253", "αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋ"),
    ("cp1256", "ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىيپچژگ،؛؟ًٌٍَُِّْ"),
    ("cp852", "ąćęłńóśźż"),  # of DOS, as all below
    ("cp852", "áčďéěíňóřšťúůýž"),
    ("cp852", "áéíóöőúüű"),
    ("cp850", "àâæçéèêëîïôùûü"),
    ("cp850", "áéíñóúü¿¡"),
    ("cp850", "äöüß"),
    ("mac_roman", "àâæçéèêëîïôœùûüÿ"),
    ("mac_roman", "áéíñóúü¿¡"),
    ("mac_roman", "äöüß"),
)
# Page, and the rows (first bytes in a smaller page) that hold the common characters of its script.
SCRIPTS = (
    ("cp932", "cp932", ((0x82, 0x83), (0x88, 0x97))),
    ("cp949", "cp949", ((0xB0, 0xC8),)),
    ("euc_jp", "euc_jp", ((0xA4, 0xA5), (0xB0, 0xCF))),
    ("gb18030", "gb2312", ((0xB0, 0xD7),)),
    ("big5", "big5", ((0xA4, 0xC6),)),
)
# Thai comes last: its letters fill its page, so that nearly anything decodes to them.
THAI = ("cp874", frozenset(map(chr, [*range(0x0E01, 0x0E3B), *range(0x0E3F, 0x0E5C)])))
SHIFTED = ((b"\x1b$B", "iso2022_jp"), (b"\x1b$@", "iso2022_jp"), (b"\x1b$)C", "iso2022_kr"))  # within ASCII
DECLARED = re.compile(rb"""<\?xml[^>]{0,100}encoding=["']([\w-]{1,40})["']""")


def decode_text(data: bytes) -> tuple[str, int | None]:
    """Return the text of a caption file, and the first line (from 1) with undecodable bytes, if any.

    Such bytes become U+FFFD in the text.

    Raises:
        ValueError: if the bytes are no text at all.
    """
    for mark, name in MARKS:
        if data.startswith(mark):
            return _replacing(data[len(mark) :], name)
    if b"\0" in data:
        wide = _utf16(data)
        if wide is not None:
            return _replacing(data, wide)
        data = data.rstrip(b"\0")  # a file system that lost power pads with zeros
        if 100 * data.count(0) > len(data):
            raise ValueError("holds binary data, not text")
    if data.isascii() and (shifted := [name for mark, name in SHIFTED if mark in data]):
        return _replacing(data, shifted[0])
    return _replacing(data, _is_utf8(data) or _declared(data) or guess_code_page(data))


def _replacing(data: bytes, encoding: str) -> tuple[str, int | None]:
    try:
        return data.decode(encoding), None
    except UnicodeDecodeError as error:
        before = data[: error.start].decode(encoding, errors="replace")
        return data.decode(encoding, errors="replace"), len(re.findall("\r\n?|\n", before)) + 1


def _utf16(data: bytes) -> str | None:
    """Digits and line ends have a zero byte in UTF-16, always on the same side."""
    even, odd = data[0::2].count(0), data[1::2].count(0)
    few, many = sorted((even, odd))
    if 40 * many < len(data) or 20 * few > many:
        return None
    return "utf-16-le" if odd == many else "utf-16-be"


def _is_utf8(data: bytes) -> str | None:
    """Take text as UTF-8 if it is, or if all but a few of its longer characters are."""
    try:
        data.decode()
    except UnicodeDecodeError:
        text = data.decode(errors="replace")
        wrong = text.count("\ufffd")
        right = sum(map(str.isalpha, text)) - sum(map(str.isalpha, data.decode("ascii", errors="ignore")))
        return "utf-8" if right > 10 * wrong else None
    return "utf-8"


def _declared(data: bytes) -> str | None:
    match = DECLARED.match(data[:200].lstrip())
    if match is None:
        return None
    try:
        name = codecs.lookup(match[1].decode()).name
    except LookupError:
        return None
    pages = {codecs.lookup(page).name for page, _ in ALPHABETS} | {page for page, *_ in SCRIPTS}
    return name if name in pages else None


def guess_code_page(data: bytes) -> str:
    """Return the code page whose language explains most of the non-ASCII characters."""
    lines: Iterator[bytes] = (line for line in data.splitlines() if not line.isascii())
    sample = b"\n".join(lines)[:SAMPLE]
    best, page = -1.0, "cp1252"
    decoded: dict[str, str | None] = {}
    for candidate, letters in _languages():
        if candidate not in decoded:
            decoded[candidate] = _strictly(sample, candidate)
        text = decoded[candidate]
        if text is not None and (share := _explained(text, letters)) > best:
            best, page = share, candidate
    return page


def _strictly(sample: bytes, page: str) -> str | None:
    try:
        return sample.decode(page)
    except UnicodeDecodeError:
        return None


def _explained(text: str, letters: frozenset[str]) -> float:
    """Return the share of the non-ASCII characters that the language writes, in the case it writes them."""
    total = good = 0
    before = " "
    for char in text:
        if char >= "\x80":
            total += 1
            misplaced = (char.isupper() and before.islower()) or (char in OPENING and before.isalpha())
            good += not misplaced and (char in PUNCTUATION or char.lower() in letters)
        before = char
    return good / max(total, 1)


@cache
def _languages() -> tuple[tuple[str, frozenset[str]], ...]:
    alphabets = [(page, frozenset(letters)) for page, letters in ALPHABETS]
    scripts = [(page, frozenset(_rows(source, rows))) for page, source, rows in SCRIPTS]
    return (*alphabets, *scripts, THAI)


def _rows(page: str, rows: tuple[tuple[int, int], ...]) -> Iterator[str]:
    for low, high in rows:
        for first in range(low, high + 1):
            for second in range(0x40, 0xFF):
                yield bytes((first, second)).decode(page, errors="ignore")
