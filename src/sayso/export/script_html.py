"""A page that shows a script and its subtitles side by side, coloured by confidence."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sayso.core.harmless import html_text
from sayso.export.pages import film_link, whole_page
from sayso.export.timestamps import timestamp

Row = Mapping[str, object]


def script_page(title: str, rows: Sequence[Row | None], lines: Sequence[Row], film: str | None = None) -> str:
    """Return the page as HTML that needs no other file.

    Args:
        title: of the film.
        rows: the script's elements (``kind``, ``speaker``, ``text``, ``start_s``, ``end_s``,
            ``score``); None for one that is not shown.
        lines: the subtitles' lines, the same fields and ``element``, the number of the row
            that each comes from, or None. Lines from no row stand beside the row before.
        film: path of the film from where the page is, which then plays it; None: no film.
    """
    beside: dict[int, list[Row]] = defaultdict(list)
    at = 0
    for line in lines:
        element = line["element"]
        at = element if isinstance(element, int) else at
        beside[at].append(line)
    place = _Place(film, title)
    body = [place.row(row, beside[k]) for k, row in enumerate(rows) if row is not None or beside[k]]
    if not rows and lines:
        body.append(place.row(None, lines))
    table = '<table class="script">\n<tr><th>Script</th><th>Subtitles</th></tr>\n' + "\n".join(body)
    return whole_page(title, f'<p class="lead">{_legend()}</p>\n{table}\n</table>', film=film is not None)


def colour(score: float) -> str:
    """Return a CSS colour from red (0) over yellow to green (1)."""
    return f"hsl({round(120 * min(max(score, 0.0), 1.0))} 70% 45%)"


def _legend() -> str:
    marks = (
        f'<span class="legend"><i style="--score:{colour(k / 4)}"></i>{k / 4:g}</span>' for k in range(5)
    )
    return "Confidence: " + "".join(marks) + " Faint: not found in the subtitles."


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the times of a page lead: into a film, if there is one."""

    film: str | None
    title: str

    def row(self, row: Row | None, lines: Sequence[Row]) -> str:
        kind = html_text(str(row["kind"]) if row else "improvised")
        left = self._item(row) if row else ""
        return f'<tr class="{kind}"><td>{left}</td><td>{"".join(map(self._item, lines))}</td></tr>'

    def _item(self, row: Row) -> str:
        speaker = f"<b>{html_text(str(row['speaker']))}</b> " if row.get("speaker") else ""
        start, end, score = row["start_s"], row.get("end_s"), row["score"]
        text = html_text(str(row["text"]))
        if not isinstance(start, float):
            return f'<p class="lost">{speaker}{text}</p>'
        shade = colour(score) if isinstance(score, float) else colour(0)
        link = film_link(self.film, start, end if isinstance(end, float) else None, self.title)
        tag = "a" if link else "span"
        time = f'<{tag} class="at"{link}>{timestamp(start)}</{tag}>'
        return f'<p style="--score:{shade}">{time}{speaker}{text}</p>'
