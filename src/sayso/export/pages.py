"""Pages that are files: whole in one, with the style and the player of the page of a search."""

from __future__ import annotations

import os
import re
from functools import cache
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote

from sayso.core.harmless import html_text

SHARED = files("sayso.export") / "static"
"""The style and the player that served pages have too."""

STYLES = ("base.css", "film.css", "pages.css")
PLAYER = ("dom.js", "timeline.js", "film.js", "pages.js")
FILM = """<section class="film" id="film" aria-label="Film" hidden>
<div class="head"><p id="film-title"></p>
<button class="bare" id="film-close" type="button" aria-label="Close">\
<svg class="icon" aria-hidden="true"><use href="#i-close"/></svg></button></div>
<!--stage-->
</section>
"""


def whole_page(title: str, body: str, *, film: bool = False, script: str = "") -> str:
    """Return a page that needs no other file but the film, if it plays one.

    Args:
        title: plain text; stands above the page, too.
        body: HTML.
        film: whether links with ``data-start`` (``film_link``) play a film.
        script: JavaScript of the page itself.
    """
    name = html_text(title)
    player = put_in("<!--icons-->\n" + FILM) if film else ""
    scripts = [f'<script type="module">\n{_player()}</script>'] if film else []
    scripts += [f"<script>{script}</script>"] if script else []
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{name}</title>\n<style>\n{_style()}</style>\n</head>\n<body>\n{player}"
        f'<main class="file">\n<h1>{name}</h1>\n{body}\n</main>\n' + "\n".join(scripts) + "</body>\n</html>\n"
    )


def film_link(file: str | None, start_s: float, end_s: float | None = None, film: str = "") -> str:
    """Return the attributes of a link to a second of a film; browsers without the player begin at ``#t=``.

    Args:
        file: path of the film from where the page is; None: no link.
        start_s: second.
        end_s: end of the moment there, marked in the player's bar; None: it is not.
        film: what the player calls it.
    """
    if not file:
        return ""
    end = "" if end_s is None else f' data-end="{end_s:g}"'
    name = html_text(film, quote=True)
    return f' href="{quote(file)}#t={start_s:g}" data-start="{start_s:g}"{end} data-film="{name}"'


def path_from(folder: str | os.PathLike[str], file: str | os.PathLike[str]) -> str:
    """Return how a page in a folder names a file."""
    return Path(os.path.relpath(file, folder)).as_posix()


def put_in(page: str) -> str:
    """Put the icons and the player's screen in the places of a page that wait for them."""
    for name in ("icons", "stage"):
        page = page.replace(f"<!--{name}-->", _read(f"{name}.html").strip())
    return page


@cache
def _read(name: str) -> str:
    return (SHARED / name).read_text(encoding="utf-8")


def _style() -> str:
    return "".join(map(_read, STYLES))


def _player() -> str:
    """Return the player's modules as one script: their imports name each other only."""
    whole = "\n".join(map(_read, PLAYER))
    return re.sub(r"^import [^\n]*\n", "", whole, flags=re.MULTILINE).replace("\nexport ", "\n")
