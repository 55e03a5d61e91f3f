"""A page that shows the steps of a task: their names, and one row a video with the steps along its time."""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from sayso.export.timestamps import timestamp

Row = Mapping[str, object]
STYLE = """
:root { color-scheme: light dark; font: 16px/1.4 system-ui, sans-serif; }
body { max-width: 76rem; margin: 2rem auto; padding: 0 1rem; }
ol.steps { columns: 22rem; padding: 0; list-style: none; }
ol.steps li { break-inside: avoid; margin: 0 0 .6rem; padding-left: .7rem;
  border-left: .35rem solid var(--hue); }
ol.steps q { display: block; font-size: .85rem; opacity: .75; }
small { opacity: .7; }
section { margin: 1.4rem 0; }
h2 { font-size: 1rem; margin: 0 0 .3rem; overflow-wrap: anywhere; }
.bar { position: relative; height: 1.6rem; background: #8883; border-radius: .3rem; overflow: hidden; }
.bar a { position: absolute; top: 0; bottom: 0; min-width: .35rem; background: var(--hue); color: #fff;
  font-size: .75rem; line-height: 1.6rem; text-align: center; text-decoration: none; overflow: hidden; }
.bar a.absent { opacity: .35; }
ul.shots { display: flex; gap: .4rem; margin: .4rem 0 0; padding: 0; overflow-x: auto; list-style: none; }
ul.shots li { flex: 0 0 6.5rem; font-size: .75rem; line-height: 1.25; border-top: .25rem solid var(--hue); }
ul.shots li.absent { opacity: .45; }
ul.shots a { color: inherit; text-decoration: none; }
ul.shots img { display: block; width: 100%; aspect-ratio: 4 / 3; object-fit: cover; background: #8883; }
"""
HEAD = (
    '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
)


def steps_page(
    title: str,
    steps: Sequence[Row],
    videos: Sequence[Row],
    pictures: Mapping[tuple[int, int], bytes] | None = None,
    files: Sequence[str] | None = None,
) -> str:
    """Return the page, whole in one file.

    Args:
        title: of the page.
        steps: ``name``, ``videos`` (how many mention it), ``phrases`` (other names), ``example`` (or None).
        videos: ``name``, ``duration_s``, ``steps``: rows of ``step`` (number), ``name``,
            ``start_s``, ``end_s``, ``time_s``, ``present``, ``text``.
        pictures: JPEG of a step in a video, by their numbers.
        files: paths of the videos from where the page is, to which its steps link; None: none.
    """
    hues = [hue(k, len(steps)) for k in range(len(steps))]
    legend = "\n".join(_legend(k, step, hues[k]) for k, step in enumerate(steps))
    rows = "\n".join(
        _video(n, video, hues, pictures or {}, files[n] if files else None) for n, video in enumerate(videos)
    )
    name = html.escape(title)
    return (
        f"{HEAD}<title>{name}</title>\n<style>{STYLE}</style>\n<h1>{name}</h1>\n"
        f"<p>{len(steps)} steps in {len(videos)} videos. Faded: neither mentioned nor recognised.</p>\n"
        f'<ol class="steps">\n{legend}\n</ol>\n{rows}\n</html>\n'
    )


def hue(step: int, steps: int) -> str:
    """Return the colour of a step, dark enough for white letters: contrast 4.5 to 1 (WCAG 2 AA)."""
    angle = round(360 * step / max(1, steps))
    return f"hsl({angle} 62% {29 if 15 < angle < 225 else 45}%)"


def _legend(number: int, step: Row, hue: str) -> str:
    phrases = step["phrases"]
    others = ", ".join(str(p) for p in phrases[1:6]) if isinstance(phrases, (list, tuple)) else ""
    also = f"; also: {html.escape(others)}" if others else ""
    example = f"<q>{html.escape(str(step['example']))}</q>" if step["example"] else ""
    return (
        f'<li style="--hue:{hue}"><b>{number + 1}. {html.escape(str(step["name"]))}</b>'
        f" <small>mentioned in {step['videos']} videos{also}</small>{example}</li>"
    )


def _video(
    number: int,
    video: Row,
    hues: Sequence[str],
    pictures: Mapping[tuple[int, int], bytes],
    file: str | None,
) -> str:
    duration_s = max(float(str(video["duration_s"])), 1e-3)
    found = video["steps"]
    rows = list(found) if isinstance(found, (list, tuple)) else []
    bar = "".join(_span(row, duration_s, hues, file) for row in rows)
    shots = "".join(_shot(row, hues, pictures.get((number, int(row["step"]))), file) for row in rows)
    return (
        f"<section><h2>{html.escape(str(video['name']))} <small>{timestamp(duration_s)}</small></h2>"
        f'<div class="bar">{bar}</div><ul class="shots">{shots}</ul></section>'
    )


def _span(row: Row, duration_s: float, hues: Sequence[str], file: str | None) -> str:
    step, start, end = int(str(row["step"])), float(str(row["start_s"])), float(str(row["end_s"]))
    faded = "" if row["present"] else ' class="absent"'
    tip = html.escape(f"{row['name']}, {timestamp(start)}", quote=True)
    return (
        f'<a{faded}{_link(file, start)} style="--hue:{hues[step]};left:{100 * start / duration_s:.2f}%;'
        f'width:{100 * (end - start) / duration_s:.2f}%" title="{tip}">{step + 1}</a>'
    )


def _shot(row: Row, hues: Sequence[str], picture: bytes | None, file: str | None) -> str:
    step = int(str(row["step"]))
    kind = "absent" if not row["present"] else ""
    image = ""
    if picture is not None:
        data = base64.b64encode(picture).decode()
        image = f'<img alt="" src="data:image/jpeg;base64,{data}">'
    spoken = html.escape(str(row["text"] or ""), quote=True)
    text = f"{step + 1}. {html.escape(str(row['name']))} {timestamp(float(str(row['time_s'])))}"
    link = f"<a{_link(file, float(str(row['start_s'])))}>{image}{text}</a>"
    return f'<li class="{kind}" style="--hue:{hues[step]}" title="{spoken}">{link}</li>'


def _link(file: str | None, start_s: float) -> str:
    """Return where a step plays; browsers begin a video at ``#t=``."""
    return f' href="{quote(file)}#t={start_s:g}"' if file else ""
