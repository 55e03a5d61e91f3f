"""A page that shows the steps of a task: their names, and one row a video with the steps along its time."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence

from sayso.core.counted import counted
from sayso.core.harmless import html_text
from sayso.export.pages import film_link, whole_page
from sayso.export.timestamps import timestamp

Row = Mapping[str, object]


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
    counts = f"{counted(len(steps), 'step')} in {counted(len(videos), 'video')}"
    lead = f"{counts}. Faded: neither mentioned nor recognised."
    body = f'<p class="lead">{lead}</p>\n<ol class="steps">\n{legend}\n</ol>\n{rows}'
    return whole_page(title, body, film=files is not None)


def hue(step: int, steps: int) -> str:
    """Return the colour of a step, dark enough for white letters: contrast 4.5 to 1 (WCAG 2 AA)."""
    angle = round(360 * step / max(1, steps))
    return f"hsl({angle} 62% {29 if 15 < angle < 225 else 45}%)"


def _legend(number: int, step: Row, hue: str) -> str:
    phrases = step["phrases"]
    others = ", ".join(str(p) for p in phrases[1:6]) if isinstance(phrases, (list, tuple)) else ""
    also = f"; also: {html_text(others)}" if others else ""
    example = f"<q>{html_text(str(step['example']))}</q>" if step["example"] else ""
    mentions = int(str(step["videos"]))
    small = f" <small>mentioned in {counted(mentions, 'video')}{also}</small>" if mentions else ""
    name = f"<b>{number + 1}. {html_text(str(step['name']))}</b>"
    return f'<li style="--hue:{hue}">{name}{small}{example}</li>'


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
    name = str(video["name"])
    links = [film_link(file, _number(row["start_s"]), _number(row["end_s"]), name) for row in rows]
    both = list(zip(rows, links, strict=True))
    starts = sorted({_number(row["start_s"]) for row in rows})
    bar = "".join(_span(row, starts, duration_s, hues, link) for row, link in both)
    shots = "".join(_shot(row, hues, pictures.get((number, int(row["step"]))), link) for row, link in both)
    return (
        f"<section><h2>{html_text(name)} <small>{timestamp(duration_s)}</small></h2>"
        f'<div class="strip">{bar}</div><ul class="shots">{shots}</ul></section>'
    )


def _span(row: Row, starts: Sequence[float], duration_s: float, hues: Sequence[str], link: str) -> str:
    step, start, end = int(str(row["step"])), _number(row["start_s"]), _number(row["end_s"])
    end = min([end, *(other for other in starts if other > start)])  # its number stands where it is seen
    faded = "" if row["present"] else ' class="absent"'
    tip = html_text(f"{row['name']}, {timestamp(start)}", quote=True)
    return (
        f'<a{faded}{link} style="--hue:{hues[step]};left:{100 * start / duration_s:.2f}%;'
        f'width:{100 * (end - start) / duration_s:.2f}%" title="{tip}">{step + 1}</a>'
    )


def _shot(row: Row, hues: Sequence[str], picture: bytes | None, link: str) -> str:
    step = int(str(row["step"]))
    kind = "absent" if not row["present"] else ""
    image = ""
    if picture is not None:
        data = base64.b64encode(picture).decode()
        image = f'<img alt="" src="data:image/jpeg;base64,{data}">'
    spoken = html_text(str(row["text"] or ""), quote=True)
    text = f"{step + 1}. {html_text(str(row['name']))} {timestamp(float(str(row['time_s'])))}"
    link = f"<a{link}>{image}{text}</a>"
    return f'<li class="{kind}" style="--hue:{hues[step]}" title="{spoken}">{link}</li>'


def _number(value: object) -> float:
    return float(str(value))
