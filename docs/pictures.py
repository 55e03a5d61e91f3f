"""Run the lecture's notebooks and keep their pictures for the site: ``docs/lecture/pictures/NAME-1.webp``.

    python docs/pictures.py [NAME ...]

All of them take a quarter of an hour on two cores. A picture comes of each cell that says ``plt.show()``.
"""

from __future__ import annotations

import argparse
import base64
import io
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import nbclient
import nbformat
from PIL import Image

from sayso.export.notebooks import PARTS, find_notebook, notebook_json

FOLDER = Path(__file__).parent / "lecture" / "pictures"
WIDTH, QUALITY = 900, 60


def pictures_of(name: str) -> Iterator[Image.Image]:
    """Run a notebook and yield its pictures, in order.

    Args:
        name: one of ``PARTS``.
    """
    notebook = nbformat.reads(notebook_json(find_notebook(name).source), as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        # a kernel of a busy machine takes more than the usual minute to answer
        environment = os.environ | {"TMPDIR": folder, "SAYSO_OFFLINE": "1"}
        where = {"metadata": {"path": folder}}
        nbclient.NotebookClient(notebook, timeout=None, startup_timeout=600, resources=where).execute(
            env=environment
        )
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if "image/png" in output.get("data", {}):
                yield Image.open(io.BytesIO(base64.b64decode(output["data"]["image/png"]))).convert("RGB")


def keep_pictures(name: str, folder: Path) -> list[Path]:
    """Run a notebook and write its pictures, ``NAME-1.webp`` and so on.

    Args:
        name: one of ``PARTS``.
        folder: must be there.

    Returns:
        The files, in order.
    """
    kept = []
    for number, picture in enumerate(pictures_of(name), 1):
        picture.thumbnail((WIDTH, WIDTH * 2))
        kept.append(folder / f"{name}-{number}.webp")
        picture.save(kept[-1], quality=QUALITY, method=6)
    return kept


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(PARTS)}; else all")
    FOLDER.mkdir(exist_ok=True)
    for name in parser.parse_args().names or PARTS:
        began = time.monotonic()
        kept = keep_pictures(name, FOLDER)
        print(f"{name}: {len(kept)} pictures, {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
