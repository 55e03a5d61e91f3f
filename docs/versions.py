"""Build the site of this version beside those of others, laid out as mike does it.

    python docs/versions.py --out SITES

``SITES/0.1.0/`` is the site, ``SITES/versions.json`` what its selector of versions lists, newest first, and
``SITES/index.html`` leads to the newest. A version that is there already is built anew.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from packaging.version import Version

from sayso.version import __version__

ROOT = Path(__file__).parents[1]
REDIRECT = """<!doctype html>
<meta charset="utf-8">
<title>sayso</title>
<meta http-equiv="refresh" content="0; url={version}/index.html">
<a href="{version}/index.html">sayso {version}</a>
"""


def add_version(sites: Path, version: str, build: Callable[[Path], None]) -> None:
    """Put a version's site among the others.

    Args:
        sites: folder of all versions; made if need be.
        version: MAJOR.MINOR.PATCH, the name of its folder.
        build: writes the site into the folder that it is given.
    """
    made = sites / f".{version}.new"
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(parents=True)
    build(made)
    shutil.rmtree(sites / version, ignore_errors=True)
    made.rename(sites / version)
    there = sorted((path.parent.name for path in sites.glob("[0-9]*/index.html")), key=Version, reverse=True)
    rows = [
        {"version": one, "title": one, "aliases": ["latest"] if n == 0 else []} for n, one in enumerate(there)
    ]
    (sites / "versions.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    (sites / "index.html").write_text(REDIRECT.format(version=there[0]), encoding="utf-8")


def build_site(folder: Path) -> None:
    """Run mkdocs; the pages get a selector of versions (see ``docs/site_pages.py``)."""
    words = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(folder.absolute())]
    environment = os.environ | {"SAYSO_DOCS_VERSIONS": "1", "NO_MKDOCS_2_WARNING": "1"}
    subprocess.run(words, cwd=ROOT, env=environment, check=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="folder of all versions")
    add_version(parser.parse_args().out, __version__, build_site)
