"""The model that is measured, by name or folder."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def load_model(name: str, device: str = "auto") -> Any:
    """Return an encoder, or what a system trained.

    Args:
        name: as of ``sayso.load``, or the folder of a run.
        device: where it runs.

    Raises:
        SaysoError: if there is none, or it cannot be read.
    """
    from sayso.encoders import load

    for place in (Path(name).expanduser() / part / "config.json" for part in ("best", "latest", "")):
        if place.is_file():
            kind = json.loads(place.read_text("utf-8")).get("kind")
            if kind == "localize":
                from sayso.systems.localize import load as load_localizer

                return load_localizer(name, device=device)
            if kind == "crosstask":
                from sayso.systems.crosstask import load as load_classifiers

                return load_classifiers(name)
    return load(name, device=device, notify=lambda told: print(told, file=sys.stderr))  # noqa: T201
