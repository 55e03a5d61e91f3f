"""Put the lecture's notebooks into the wheel; an editable installation finds them in ``docs/lecture``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class LectureHook(BuildHookInterface):
    """Called by hatchling before a wheel is built."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the notebooks beside the package's modules."""
        if version == "standard":
            for path in (Path(self.root) / "docs" / "lecture").glob("*.py"):
                build_data["force_include"][str(path)] = f"sayso/lecture/{path.name}"
