"""Letters on pictures: none is an empty box where a font of the machine has it, or a plainer one will do."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from sayso.export import lettering as module
from sayso.export.contact_sheet import contact_sheet
from sayso.export.lettering import lettering

EMPTY = "\uffff"  # no font has it


def boxes(text, font):
    return [c for c in text if bytes(font.getmask(c)) == bytes(font.getmask(EMPTY))]


def test_english_is_written_in_the_same_font_everywhere(monkeypatch):
    monkeypatch.setattr(module, "MORE", ("no font.ttf",))
    text, font = lettering("P: ANNA 0:04-0:08…", 15)
    assert text == "P: ANNA 0:04-0:08…"
    assert boxes(text, font) == []


def test_without_another_font_letters_lose_their_accents(monkeypatch):
    monkeypatch.setattr(module, "MORE", ("no font.ttf",))
    text, font = lettering("Amélie Gödel", 15)
    assert text == "Amelie Godel"
    assert boxes(text, font) == []


def test_a_font_of_the_machine_writes_what_the_own_font_lacks(monkeypatch):
    matplotlib = pytest.importorskip("matplotlib")
    font = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    monkeypatch.setattr(module, "MORE", ("no font.ttf", str(font)))
    text, taken = lettering("Анна – Zoë", 15)
    assert text == "Анна – Zoë"
    assert boxes(text, taken) == []


def test_no_letter_of_a_contact_sheet_is_an_empty_box(monkeypatch):
    written = []
    draw = ImageDraw.ImageDraw.text
    monkeypatch.setattr(
        ImageDraw.ImageDraw, "text", lambda *a, **k: (written.append((a[2], k["font"])), draw(*a, **k))[1]
    )
    row = {"kind": "video", "title": "Café " * 20, "start_s": 0.0, "end_s": 4.0}
    Image.open(io.BytesIO(contact_sheet([row], [None]))).load()
    assert [text for text, _ in written][1] == "0:00-0:04"
    assert [boxes(text.replace(" ", ""), font) for text, font in written] == [[], []]
