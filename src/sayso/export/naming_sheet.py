"""Contact sheets: of each name the faces of highest and lowest score, as one picture and as a page.

The page is how corrections are made: a list below each face offers the other names, and the
corrections so far stand below, ready to be saved for ``sayso name --corrections``.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sayso.core.counted import counted
from sayso.core.harmless import harmless_json, html_text
from sayso.export.lettering import lettering
from sayso.export.pages import film_link, whole_page
from sayso.export.script_html import colour
from sayso.export.timestamps import timestamp

if TYPE_CHECKING:
    from PIL.Image import Image

Row = Mapping[str, Any]
FACE, GAP, LABEL, LETTER, TITLE = 96, 6, 18, 10, 200  # pixels
EACH = 6  # faces at either end
STRANGERS = 40  # who have lines of their own; the others stand together

SCRIPT = """
const out = document.querySelector("textarea"), link = document.querySelector("a[download]");
const before = JSON.parse(out.value);
function write() {
  const fixed = {...before};
  for (const s of document.querySelectorAll("[data-who]")) {
    const name = s.value.trim();
    delete fixed[s.dataset.who];
    if (name !== "") fixed[s.dataset.who] = name === "-" ? null : name;
  }
  out.value = JSON.stringify(fixed, null, 1);
  link.href = "data:application/json," + encodeURIComponent(out.value);
}
document.addEventListener("change", write);
write();
"""


def ends_of(rows: Sequence[Row], name: str | None, each: int = EACH) -> tuple[list[Row], list[Row]]:
    """Return the rows of a name of highest score, best first, and of lowest, worst last; none is in both.

    Args:
        rows: of tracks.
        name: of a person, or "stranger 1"; None for nobody of the names.
        each: rows at either end.
    """
    own = sorted((row for row in rows if who_of(row) == name), key=lambda row: -float(row["score"]))
    return own[:each], own[each:][-each:]


def sheet_rows(rows: Sequence[Row], each: int = EACH) -> list[Row]:
    """Return the rows that a contact sheet shows, so that only their pictures need be read."""
    return [row for name in _names(rows) for end in ends_of(rows, name, each) for row in end]


def sheet_png(rows: Sequence[Row], faces: Mapping[int, Image], each: int = EACH) -> bytes:
    """Return a PNG: a line for each name, its faces of highest score left and of lowest right.

    Args:
        rows: of tracks (``track``, ``name``, ``score``).
        faces: track -> its picture; a track without one is a grey square.
        each: faces at either end.
    """
    from PIL import Image, ImageDraw

    names = _names(rows)
    ends = [ends_of(rows, name, each) for name in names]
    columns = max((2 * each + 1 if worst else len(best) for best, worst in ends), default=1)
    width = max(columns * FACE, TITLE) + (columns + 1) * GAP
    height = FACE + GAP + 2 * LABEL
    sheet = Image.new("RGB", (width, max(1, len(names)) * height + GAP), "white")
    pen = ImageDraw.Draw(sheet)
    for line, (name, (best, worst)) in enumerate(zip(names, ends, strict=True)):
        top = line * height + GAP
        count = sum(who_of(row) == name for row in rows)
        title = f"{name or 'nobody of these'}: {counted(count, 'track')} by score"
        title, font = lettering(title, LETTER)
        pen.text((GAP, top), title, fill="black", font=font)
        cells = [*enumerate(best), *((2 * each + 1 - len(worst) + k, row) for k, row in enumerate(worst))]
        for column, row in cells:
            left = GAP + column * (FACE + GAP)
            face = faces.get(int(row["track"]))
            cell = face.resize((FACE, FACE)) if face else Image.new("RGB", (FACE, FACE), "#cccccc")
            sheet.paste(cell, (left, top + LABEL))
            label = f"{row['score']:.2f}  #{row['track']}"
            pen.text((left, top + LABEL + FACE), label, fill="black")
    out = io.BytesIO()
    sheet.save(out, "PNG", optimize=True)
    return out.getvalue()


def sheet_page(
    title: str,
    rows: Sequence[Row],
    faces: Mapping[int, Image],
    fixed: Mapping[int | str, str | None] | None = None,
    each: int = EACH,
    film: str | None = None,
) -> str:
    """Return the contact sheet as HTML that needs no other file, with a way to make corrections.

    Args:
        title: of the film.
        rows: as for ``sheet_png``, with ``start_s`` and, where known, ``candidates``.
        faces: as for ``sheet_png``.
        fixed: corrections so far; they stay among those that the page writes.
        each: faces at either end.
        film: path of the film from where the page is, which then plays it; None: no film.
    """
    names, fixed = _names(rows), fixed or {}
    likely = {one["name"] for row in rows for one in row.get("candidates", ())}
    choices = sorted(filter(None, likely | set(names)))
    sheet = _Sheet(faces, choices, fixed, film, title)
    body = "\n".join(sheet.section(rows, name, each) for name in names)
    so_far = html_text(harmless_json({str(who): name for who, name in fixed.items()}))
    known = "".join(f'<option value="{html_text(name)}"></option>' for name in choices)
    return whole_page(
        title,
        '<p class="lead">Of each name the faces of highest and of lowest score. Where one is wrong, choose'
        " the name; a stranger gets one that you type. Then "
        '<a download="corrections.json">save the corrections</a> and give them to '
        "<code>sayso name --corrections</code>.</p>\n"
        f'<datalist id="names">{known}</datalist>\n{body}\n<h2>Corrections</h2>\n'
        f'<textarea readonly aria-label="Corrections">{so_far}</textarea>',
        film=film is not None,
        script=SCRIPT,
    )


@dataclass(frozen=True, slots=True)
class _Sheet:
    """What all faces of a page share: their pictures, the names to choose from, corrections, the film."""

    faces: Mapping[int, Image]
    choices: Sequence[str]
    fixed: Mapping[int | str, str | None]
    film: str | None
    title: str

    def section(self, rows: Sequence[Row], name: str | None, each: int) -> str:
        best, worst = ends_of(rows, name, each)
        gap = '<span class="gap">&hellip;</span>' if worst else ""
        figures = "".join(map(self._figure, best)) + gap + "".join(map(self._figure, worst))
        own = [row for row in rows if who_of(row) == name]
        label = html_text(_capital(name or "nobody of these"))
        ask = self._ask(name) if name is not None and own[0]["name"] is None else ""
        return f'<h2>{label} <small>{_tracks(len(own))}</small></h2>\n{ask}<div class="faces">{figures}</div>'

    def _ask(self, stranger: str) -> str:
        who = html_text(stranger)
        return (
            f'<p class="ask"><label>Who is {who}? <input data-who="{who}" list="names" autocomplete="off">'
            "</label></p>\n"
        )

    def _figure(self, row: Row) -> str:
        face, track, start = self.faces.get(int(row["track"])), int(row["track"]), float(row["start_s"])
        at = timestamp(start)
        label = html_text(f"{row['name'] or 'nobody'} at {at}")
        picture = f'<img alt="{label}" src="{_data(face)}">' if face else '<div class="no-face"></div>'
        link = film_link(self.film, start, film=self.title)
        when = f'<a class="at"{link}>{at}</a>' if link else at
        return (
            f'<figure style="--score:{colour(float(row["score"]))}">{picture}'
            f"<figcaption>{row['score']:.2f} at {when} #{track}</figcaption>"
            f'<select data-who="{track}" aria-label="Who track {track} is">{self._options(track)}</select>'
            "</figure>"
        )

    def _options(self, track: int) -> str:
        chosen = (self.fixed[track] or "-").casefold() if track in self.fixed else ""
        offered = [("", "right"), ("-", "nobody of these"), *((name, name) for name in self.choices)]
        return "".join(
            f'<option value="{html_text(value)}"{" selected" * (value.casefold() == chosen)}>'
            f"{html_text(shown)}</option>"
            for value, shown in offered
        )


def _data(face: Image) -> str:
    out = io.BytesIO()
    face.resize((FACE, FACE)).save(out, "JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(out.getvalue()).decode()


def who_of(row: Row) -> str | None:
    """Return who a row's face is: a name, or "stranger 1" as long as there are few; None for nobody."""
    if row["name"] is not None:
        return str(row["name"])
    number = int(row.get("stranger") or 0)
    return f"stranger {number}" if 0 < number <= STRANGERS else None


def _names(rows: Sequence[Row]) -> list[str | None]:
    """Return the names by number of tracks, then strangers, nobody last."""
    counts: dict[str | None, int] = {}
    order: dict[str | None, int] = {}
    for row in rows:
        who = who_of(row)
        counts[who] = counts.get(who, 0) + 1
        order[who] = int(row.get("stranger") or 0) if row["name"] is None else 0
    return sorted(counts, key=lambda who: (who is None, order[who], -counts[who], who or ""))


def _capital(label: str) -> str:
    return label[:1].upper() + label[1:]


def _tracks(count: int) -> str:
    return f"{count} track" + "s" * (count != 1)
