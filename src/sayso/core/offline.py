"""Whether connections are allowed: one rule for loading, fetching and ``sayso doctor``."""

from __future__ import annotations

import os

NAMES = ("SAYSO_OFFLINE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")


def offline() -> bool:
    """Tell whether SAYSO_OFFLINE, HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE is 1, true, yes or on."""
    return any(os.environ.get(name, "").strip().lower() in {"1", "true", "yes", "on"} for name in NAMES)
