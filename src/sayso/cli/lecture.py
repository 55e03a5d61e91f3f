"""``sayso lecture``: the lecture's notebooks, listed, written and opened."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from sayso.cli.options import Overwrite, out_option

Part = Annotated[
    str | None, Argument(metavar="[N]", help="Number or name of a notebook.", show_default="list them")
]
FOLDER = out_option("FOLDER", "Where the notebook is written.", show_default="lecture")
PROGRAMS = ("jupyter-lab", "jupyter-notebook")


def lecture(
    part: Part = None,
    out: Annotated[Path, FOLDER] = Path("lecture"),
    show: Annotated[bool, Option("--open/--no-open", help="Open it in Jupyter.")] = True,
    overwrite: Overwrite = False,  # noqa: ARG001  see sayso.cli.verb
) -> None:
    """List the notebooks of the lecture, or write one of them and open it in Jupyter.

    Each draws its own data, takes a minute or two on two cores, and shows its method at work. They
    need the extras offline, plots, solvers and train, and Jupyter. A notebook that you changed is not
    written over.

    Examples:

      sayso lecture

      sayso lecture 1
    """
    from sayso.core.io import write_atomic
    from sayso.export.notebooks import find_notebook, lecture_notebooks, notebook_json

    if part is None:
        for one in lecture_notebooks():
            print(f"{one.number:3}  {one.name:14}  {one.title}")
        return
    wanted = find_notebook(part)
    path = out / f"{wanted.number:02}_{wanted.name}.ipynb"
    write_atomic(path, notebook_json(wanted.source))
    print(path)
    if show:
        _open(path)


def _open(path: Path) -> None:
    """Open a notebook, or say what is missing to do so."""
    beside = Path(sys.executable).parent
    found = (shutil.which(name, path=str(beside)) or shutil.which(name) for name in PROGRAMS)
    program = next((one for one in found if one), None)
    if program is None:
        print("Jupyter is not installed here; run: pip install jupyterlab", file=sys.stderr)
        return
    before = signal.signal(signal.SIGINT, lambda *_: None)  # Jupyter answers Ctrl-C, and asks first
    try:
        subprocess.run([program, str(path)], check=False)
    finally:
        signal.signal(signal.SIGINT, before)
