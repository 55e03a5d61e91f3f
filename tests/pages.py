"""Commands in the pages of this project."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def fenced_commands(page: str) -> list[str]:
    """Return the commands in the blocks of a page that are no Python, no TOML and no output.

    Args:
        page: its path in the repository.
    """
    text = (ROOT / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^```(?:console|bash|sh)?\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = "".join(blocks).replace("\\\n", " ").replace(" && ", "\n").splitlines()
    found = [re.sub(r"\s+#.*", "", line).removeprefix("$ ").strip() for line in lines]
    return [line for line in found if re.match(r"(sayso|make|pip|uv|pipx|python)\b", line)]
