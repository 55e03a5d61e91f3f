"""A page that shows a script and its subtitles side by side, coloured by confidence."""

from __future__ import annotations

import html
from collections import defaultdict
from collections.abc import Mapping, Sequence

from sayso.export.timestamps import timestamp

Row = Mapping[str, object]
STYLE = """
:root { color-scheme: light dark; font: 16px/1.45 system-ui, sans-serif; }
body { max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
table { width: 100%; border-collapse: collapse; table-layout: fixed; }
th { text-align: left; }
td { vertical-align: top; padding: .3rem .6rem; overflow-wrap: anywhere; }
td p { margin: 0 0 .15rem; padding: .1rem .4rem; border-left: .3rem solid var(--score, #8884); }
time { font-variant-numeric: tabular-nums; opacity: .7; font-size: .85em; margin-right: .4em; }
.heading td:first-child { font-weight: 700; padding-top: 1.2rem; }
.description td:first-child { font-style: italic; }
.lost { opacity: .65; }
b { font-variant: small-caps; }
"""
HEAD = (
    '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
)


def script_page(title: str, rows: Sequence[Row | None], lines: Sequence[Row]) -> str:
    """Return the page as HTML that needs no other file.

    Args:
        title: of the film.
        rows: the script's elements (``kind``, ``speaker``, ``text``, ``start_s``, ``end_s``,
            ``score``); None for one that is not shown.
        lines: the subtitles' lines, the same fields and ``element``, the number of the row
            that each comes from, or None. Lines from no row stand beside the row before.
    """
    beside: dict[int, list[Row]] = defaultdict(list)
    at = 0
    for line in lines:
        element = line["element"]
        at = element if isinstance(element, int) else at
        beside[at].append(line)
    body = [_row(row, beside[k]) for k, row in enumerate(rows) if row is not None or beside[k]]
    if not rows and lines:
        body.append(_row(None, lines))
    name = html.escape(title)
    return (
        f"{HEAD}<title>{name}</title>\n<style>{STYLE}</style>\n<h1>{name}</h1>\n"
        f"<p>{_legend()}</p>\n<table>\n<tr><th>Script</th><th>Subtitles</th></tr>\n"
        + "\n".join(body)
        + "\n</table>\n</html>\n"
    )


def colour(score: float) -> str:
    """Return a CSS colour from red (0) over yellow to green (1)."""
    return f"hsl({round(120 * min(max(score, 0.0), 1.0))} 70% 45%)"


def _legend() -> str:
    marks = (f'<span style="color:{colour(k / 4)}">&#9632; {k / 4:g}</span>' for k in range(5))
    return "Confidence: " + " ".join(marks) + ". Faded: not found in the subtitles."


def _row(row: Row | None, lines: Sequence[Row]) -> str:
    kind = str(row["kind"]) if row else "improvised"
    left = _item(row) if row else ""
    return f'<tr class="{html.escape(kind)}"><td>{left}</td><td>{"".join(map(_item, lines))}</td></tr>'


def _item(row: Row) -> str:
    speaker = f"<b>{html.escape(str(row['speaker']))}</b> " if row.get("speaker") else ""
    start, score = row["start_s"], row["score"]
    if not isinstance(start, float):
        return f'<p class="lost">{speaker}{html.escape(str(row["text"]))}</p>'
    shade = colour(score) if isinstance(score, float) else colour(0)
    time = f"<time>{timestamp(start)}</time>"
    return f'<p style="--score:{shade}">{time}{speaker}{html.escape(str(row["text"]))}</p>'
