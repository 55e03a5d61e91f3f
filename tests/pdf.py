"""Small PDFs for tests: lines of text at given places, nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

Drawn = tuple[float, float, str]  # x and y in points from the lower left corner, words


# How a word at x, y is drawn on a page of US letter that a viewer turns by so many degrees.
TURNED = {
    0: lambda x, y: f"1 0 0 1 {x} {y}",
    90: lambda x, y: f"0 1 -1 0 {792 - y} {x}",
    180: lambda x, y: f"-1 0 0 -1 {612 - x} {792 - y}",
    270: lambda x, y: f"0 -1 1 0 {y} {612 - x}",
}


def write_pdf(
    path: Path, pages: Sequence[Sequence[Drawn]], one_object: bool = False, rotate: int = 0
) -> Path:
    """Write pages of US letter; each line in a text object of its own, or all in one."""
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Courier /Encoding /WinAnsiEncoding >>",
    ]
    kids = []
    for page in pages:
        lines = [f"{TURNED[rotate](x, y)} Tm ({_escaped(words)}) Tj" for x, y, words in page]
        start = "BT /F1 12 Tf"
        content = (
            f"{start} {' '.join(lines)} ET"
            if one_object
            else " ".join(f"{start} {line} ET" for line in lines)
        )
        objects.append(f"<< /Length {len(content)} >>\nstream\n{content}\nendstream")
        resources = f"/Resources << /Font << /F1 3 0 R >> >> /Contents {len(objects)} 0 R"
        paper = "0 0 792 612" if rotate in (90, 270) else "0 0 612 792"
        turned = f"/MediaBox [{paper}] /Rotate {rotate}"
        objects.append(f"<< /Type /Page /Parent 2 0 R {turned} {resources} >>")
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>"
    path.write_bytes(_file(objects))
    return path


def _escaped(words: str) -> str:
    return words.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")


def _file(objects: Sequence[str]) -> bytes:
    """Return the bytes of a file of these objects, with the table of where they begin."""
    body, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(body))
        body += f"{number} 0 obj\n{content}\nendobj\n".encode("latin-1")
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    size = len(objects) + 1
    trailer = f"trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{len(body)}\n%%EOF\n"
    return body + f"xref\n0 {size}\n0000000000 65535 f \n{table}{trailer}".encode()
