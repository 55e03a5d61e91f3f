"""Draw docs/architecture.svg: the packages as boxes in their layers, an arrow where one imports another.

    python scripts/draw_architecture.py            # write it
    python scripts/draw_architecture.py --check    # only say whether it is up to date

The layers are those of the contract in ``pyproject.toml``, the arrows those of the import graph, imports
inside functions included, those for types alone left out. An arrow that follows from others is left out
(cli -> systems -> data makes cli -> data); so are those to ``core``, which everything uses.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
import textwrap
import tomllib
from collections import defaultdict
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from pathlib import Path

from module_graph import INNER, START, Module, read_modules

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "docs" / "architecture.svg"
GROUND = "core"
WIDE = {GROUND: 1020, "systems": 560}
PURPOSES = {
    "cli": "one file a verb: parse, call one function, print",
    "serve": "the HTTP API and the page",
    "evaluation": "one file a published protocol, all in one registry",
    "index": "the searchable collection: files go in, moments come out",
    "export": "results as files for other programs",
    "engine": "training, extraction",
    "alignment": "a script's words find those of subtitles",
    "generators": "what answers in words: hub models, Flamingo",
    "encoders": "dual encoders: interface, offline, hub; loaded by name",
    "hub": "the model folder, its kinds, cache, download",
    "speech": "what is said in a file, heard by a model",
    "models": "every network and backbone",
    "losses": "what training minimises",
    "solvers": "discriminative clustering, alignment, ordered paths",
    "data": "data sets, batch, collate, sampler, loader",
    "toyworld": "drawn videos and pictures with known truth",
    "people": "shots, faces, face tracks",
    "media": "video and pictures in, on one clock",
    "text": "captions, screenplays, language (no torch)",
    "metrics": "numbers out (numpy alone)",
    "core": "types, errors, config, progress, device, files, registry: used by all of the above",
}
WIDTH, BOX_W, BOX_H, ROW_H, SIDE = 1060, 174, 76, 120, 20

STYLE = """
  svg { color-scheme: light dark; }
  .paper { fill: #ffffff; }
  .box { fill: #f3f6fa; stroke: #5b6b80; }
  .name { fill: #14202e; font: 600 15px system-ui, sans-serif; text-anchor: middle; }
  .what { fill: #44546a; font: 11px system-ui, sans-serif; text-anchor: middle; }
  .arrow { fill: none; stroke: #7a8aa0; stroke-width: 1.3; }
  .head { fill: #7a8aa0; }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #0f151d; }
    .box { fill: #1b2530; stroke: #8496ad; }
    .name { fill: #eef3f9; }
    .what { fill: #b4c1d1; }
    .arrow { stroke: #74869e; }
    .head { fill: #74869e; }
  }
"""


@dataclass(frozen=True)
class Box:
    """One package in the picture; pixels."""

    name: str
    row: int
    x: float
    y: float
    width: float


def layers_of(project: Path) -> list[list[str]]:
    """Return the packages of each layer, the highest first, from import-linter's contract."""
    contracts = tomllib.loads(project.read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    rows = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    return [re.findall(r"sayso\.(\w+)", row) for row in rows]


def package_imports(modules: dict[str, Module]) -> dict[str, set[str]]:
    """Return package -> packages that it imports, itself left out."""
    found: dict[str, set[str]] = defaultdict(set)
    for module in modules.values():
        for kind in (START, INNER):
            for other in module.imports[kind]:
                here, there = (name.split(".")[1:2] for name in (module.name, other))
                if here and there and here != there:
                    found[here[0]].add(there[0])
    return found


def reduced(graph: dict[str, set[str]]) -> list[tuple[str, str]]:
    """Return the arrows that do not follow from others (the transitive reduction)."""

    def reach(start: str, seen: set[str]) -> set[str]:
        for other in graph.get(start, set()) - seen:
            seen.add(other)
            reach(other, seen)
        return seen

    arrows = []
    for start, ends in graph.items():
        for end in sorted(ends):
            others = [other for other in ends - {end} if start not in reach(other, set())]
            if not any(end in reach(other, set()) for other in others):
                arrows.append((start, end))
    return sorted(arrows)


def place(layers: list[list[str]], arrows: list[tuple[str, str]]) -> dict[str, Box]:
    """Place each package in its layer, near what imports it."""
    boxes: dict[str, Box] = {}
    for row, names in enumerate(layers):
        y = SIDE + row * ROW_H

        def above(name: str) -> float:
            users = [boxes[a].x for a, b in arrows if b == name and a in boxes]
            return sum(users) / len(users) if users else WIDTH / 2

        ordered = sorted(names, key=lambda name: (above(name), name))
        step = (WIDTH - 2 * SIDE) / len(ordered)
        for k, name in enumerate(ordered):
            boxes[name] = Box(name, row, SIDE + (k + 0.5) * step, y, WIDE.get(name, BOX_W))
    return boxes


def route(
    start: Box,
    end: Box,
    ports: tuple[float, float],
    boxes: dict[str, Box],
    used: dict[int, list[float]],
) -> str:
    """Return the path of an arrow; it passes the layers between through the gaps of their boxes.

    Args:
        start: where it begins.
        end: where it ends.
        ports: the x of both ends, pixels.
        boxes: all boxes.
        used: layer -> x of the arrows that pass it already; this one's are added.
    """
    points = [(ports[0], start.y + BOX_H)]
    for row in range(start.row + 1, end.row):
        inside = sorted((b for b in boxes.values() if b.row == row), key=lambda b: b.x)
        share = (row - start.row) / (end.row - start.row)
        wish = ports[0] + share * (ports[1] - ports[0])
        x = _gap(wish, inside, used[row])
        points += [(x, inside[0].y - 6), (x, inside[0].y + BOX_H + 6)]
    points.append((ports[1], end.y - 7))
    path = f"M{points[0][0]:.0f} {points[0][1]:.0f}"
    for k, ((x0, y0), (x1, y1)) in enumerate(pairwise(points)):
        middle = (y0 + y1) / 2
        straight = k % 2 == 1
        path += (
            f"L{x1:.0f} {y1:.0f}"
            if straight
            else f"C{x0:.0f} {middle:.0f} {x1:.0f} {middle:.0f} {x1:.0f} {y1:.0f}"
        )
    return path


def _gap(wish: float, inside: list[Box], taken: list[float]) -> float:
    """Return the x nearest to ``wish`` that no box of the layer covers, beside the arrows there."""
    near = min(inside, key=lambda box: abs(wish - box.x) - box.width / 2)
    half = near.width / 2 + 7
    step = 7.0 if wish > near.x else -7.0
    if abs(wish - near.x) < half:
        wish = near.x + (half if step > 0 else -half)
    while any(abs(wish - other) < 5 for other in taken):
        wish += step
    taken.append(wish)
    return wish


def _port(box: Box, arrow: tuple[str, str], arrows: list[tuple[str, str]], boxes: dict[str, Box]) -> float:
    """Return where on its box an arrow ends: beside the others, in the order of their other ends."""
    out = box.name == arrow[0]
    mine = [a for a in arrows if a[not out] == box.name and boxes[a[0]].row != boxes[a[1]].row]
    mine.sort(key=lambda a: (boxes[a[out]].x, a))
    return box.x + box.width * ((mine.index(arrow) + 1) / (len(mine) + 1) - 0.5) * 0.9


def _beside(start: Box, end: Box) -> str:
    """Return the path between two boxes of one layer."""
    sign = 1 if end.x > start.x else -1
    y = start.y + BOX_H / 2 + (8 if sign > 0 else -8)
    return f"M{start.x + sign * start.width / 2:.0f} {y:.0f}L{end.x - sign * (end.width / 2 + 7):.0f} {y:.0f}"


def purpose(box: Box, modules: dict[str, Module]) -> list[str]:
    """Return what a package is for, in lines that fit its box; for the systems, their names."""
    if box.name == "systems":
        inside = {
            parts[2] for parts in (m.split(".") for m in modules) if parts[1:2] == ["systems"] and parts[2:]
        }
        return textwrap.wrap("  ".join(sorted(inside)), 90)
    first = (ast.get_docstring(modules[f"sayso.{box.name}"].tree) or "").splitlines()[0]
    lines = textwrap.wrap(PURPOSES.get(box.name, re.split(r"[:;.(]", first)[0]), int(box.width / 6.6))
    return lines[:3]


def draw(source: Path, project: Path) -> str:
    """Return the picture as SVG."""
    modules = read_modules(source)
    layers = layers_of(project)
    known = {name for layer in layers for name in layer}
    graph = {a: (b & known) - {GROUND} for a, b in package_imports(modules).items() if a in known - {GROUND}}
    arrows = reduced(graph)
    boxes = place(layers, arrows)
    height = 2 * SIDE + (len(layers) - 1) * ROW_H + BOX_H
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        "<title>The packages of sayso and which imports which: all arrows go down</title>",
        f"<style>{STYLE}</style>",
        '<defs><marker id="head" viewBox="0 0 8 8" refX="1" refY="4" markerWidth="7" markerHeight="7" '
        'orient="auto"><path class="head" d="M0 0L8 4L0 8z"/></marker></defs>',
        f'<rect class="paper" width="{WIDTH}" height="{height}"/>',
    ]
    parts += draw_arrows(arrows, boxes)
    for box in boxes.values():
        parts += draw_box(box, purpose(box, modules))
    return "\n".join([*parts, "</svg>", ""])


def draw_arrows(arrows: list[tuple[str, str]], boxes: dict[str, Box]) -> list[str]:
    """Return the SVG elements of all arrows."""
    used: dict[int, list[float]] = defaultdict(list)
    parts = []
    for arrow in arrows:
        start, end = boxes[arrow[0]], boxes[arrow[1]]
        if start.row == end.row:
            path = _beside(start, end)
        else:
            ports = (_port(start, arrow, arrows, boxes), _port(end, arrow, arrows, boxes))
            path = route(start, end, ports, boxes, used)
        title = f"<title>{arrow[0]} imports {arrow[1]}</title>"
        parts.append(f'<path class="arrow" d="{path}" marker-end="url(#head)">{title}</path>')
    return parts


def draw_box(box: Box, lines: list[str]) -> list[str]:
    """Return the SVG elements of a box with its name and what it is for."""
    frame = f'x="{box.x - box.width / 2:.0f}" y="{box.y}" width="{box.width:.0f}" height="{BOX_H}"'
    return [
        f'<rect class="box" {frame} rx="8"/>',
        f'<text class="name" x="{box.x:.0f}" y="{box.y + 22}">{box.name}</text>',
        *(
            f'<text class="what" x="{box.x:.0f}" y="{box.y + 38 + 13 * k}">{escape(line)}</text>'
            for k, line in enumerate(lines)
        ),
    ]


def main() -> None:
    """Write the picture, or say that it is out of date."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if out of date")
    check = parser.parse_args().check
    drawn = draw(ROOT / "src", ROOT / "pyproject.toml")
    if not check:
        TARGET.write_text(drawn, encoding="utf-8")
    elif not TARGET.exists() or TARGET.read_text(encoding="utf-8") != drawn:
        sys.exit("docs/architecture.svg is out of date; run: make docs")


if __name__ == "__main__":
    main()
