"""Fixtures that more than one folder of tests uses, and which tests are quick.

What is not quick gets a mark by its file or by what it asks for, so that no test says it by itself:
``browser`` (opens Chromium), ``training`` (trains, or runs a whole command that does), ``corpus`` (reads the
real videos and pictures beside the checkout, or draws many), ``processes`` (starts servers and commands, and
kills them), ``models`` (loads whole models), ``long`` (solves for seconds).
``make quick`` runs the rest.
"""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    import torch

SHELL = ("COLUMNS", "LINES", "FORCE_COLOR", "NO_COLOR", "PY_COLORS", "GITHUB_ACTIONS", "HF_ENDPOINT")
OURS = [name for name in os.environ if name.startswith("SAYSO_") and name != "SAYSO_DRAWINGS"]
for name in (*SHELL, "HF_HUB_OFFLINE", *OURS):
    os.environ.pop(name, None)  # what somebody's shell says changes nothing that is tested
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"  # the servers of tests are near
os.environ["SAYSO_CONFIG"] = ""  # nobody's own defaults change what is tested
os.environ["SAYSO_NO_DAEMON"] = "1"  # and no test leaves a process behind but those that stop it
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as nohup leaves it; commands are interrupted
    signal.signal(signal.SIGINT, signal.default_int_handler)
# No test fails because the machine is busy, or for what was drawn today: that is for make test-all.
PATIENT = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
}
settings.register_profile("same", derandomize=True, max_examples=60, **PATIENT)
settings.register_profile("drawn", **PATIENT)
settings.load_profile("same")

TESTS = Path(__file__).resolve().parent
SHARED = TESTS.parents[1] / "shared" / "data"

FILES = {
    "training": (
        "engine/test_train",
        "engine/test_gradient_cache",
        "losses/test_processes",
        "systems/test_mil_nce",
        "systems/test_howto100m",
        "systems/test_crosstask",
        "systems/test_clip",
        "systems/test_flamingo",
        "systems/test_llava",
        "systems/test_localize",
        "cli/test_train",
        "examples/",
        "test_training",
        "cli/test_localize",
        "examples/test_examples",
    ),
    "models": (
        "cli/test_convert",
        "cli/test_pull",
        "encoders/test_classifier",
        "encoders/test_hub",
        "encoders/test_offline",
        "encoders/test_published",
        "encoders/test_video_text",
        "generators/",
        "hub/test_load_model",
        "hub/test_model_folder",
        "models/test_s3d",
        "speech/test_hearing",
    ),
    "long": (
        "evaluation/test_film_actions",
        "evaluation/test_linear_probe",
        "evaluation/test_step_discovery",
        "solvers/test_clustering",
        "solvers/test_quasi_newton",
        "solvers/test_word_alignment",
        "systems/instruction_steps/test_discover",
    ),
    "corpus": (
        "engine/test_segment",
        "media/test_clip",
        "media/test_clock",
        "media/test_cut",
        "media/test_images",
        "media/test_stream",
        "people/test_shots",
        "serve/test_stream",
        "cli/test_steps",
        "cli/test_evaluate",
        "evaluation/test_robustness",
        "evaluation/test_zero_shot",
        "cli/test_name",
        "media/test_fuzz",
        "solvers/test_running",
        "toyworld/test_toyworld",
    ),
    "processes": (
        "cli/test_clip",
        "cli/test_foreign_files",
        "cli/test_index_search",
        "cli/test_serve",
        "data/alt_text/test_resume",
        "index/test_durability",
        "index/test_object_store",
        "index/test_upgrading",
        "index/test_watching",
        "systems/test_corpus_pipeline",
        "systems/test_corpus_sources",
        "serve/test_media",
        "serve/local/test_daemon",
        "serve/test_server",
        "test_transcribing",
        "test_types",
    ),
}
FIXTURES = {
    "browser": {"browser", "open_page"},
    "corpus": {"film", "movie", "narrated", "shared_data", "world"},
    "processes": {"serving"},
}


ORDER = ("browser", "training", "processes", "models", "long", "corpus", "quick")


def pytest_configure(config: pytest.Config) -> None:
    """Name the mark of what an accelerator computes; benchmarks/gpu.py runs it."""
    config.addinivalue_line("markers", "device: computes on an accelerator")
    if "slow" in config.option.markexpr.replace("not slow", "") or not config.option.markexpr:
        settings.load_profile("drawn")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out files of slow tests alone where none is asked for: what they import takes seconds."""
    if config.option.markexpr not in ("not slow", "quick") or not collection_path.name.startswith("test_"):
        return None
    return b"\npytestmark = pytest.mark.slow\n" in collection_path.read_bytes() or None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test by its file and its fixtures; what has none of the marks is ``quick``.

    Files that take long come first, so that no process is left alone with one at the end (``make test`` gives
    files out in this order).
    """
    ranks: dict[Path, int] = {}
    for item in items:
        path = item.path.relative_to(TESTS).as_posix()
        marks = {mark for mark, beginnings in FILES.items() if path.startswith(beginnings)}
        asked = set(getattr(item, "fixturenames", ()))
        marks |= {mark for mark, fixtures in FIXTURES.items() if fixtures & asked}
        if not marks and item.get_closest_marker("slow") is None:
            marks = {"quick"}
        for mark in sorted(marks):
            item.add_marker(mark)
        ranks[item.path] = min(ranks.get(item.path, len(ORDER)), *map(ORDER.index, marks), len(ORDER))
    items.sort(key=lambda item: ranks[item.path])


@pytest.fixture(scope="session")
def accelerator() -> torch.device:
    """What tests marked ``device`` compute on, beside the CPU; TEST_DEVICE=cpu rehearses them."""
    import torch

    from sayso.core.device import resolve_device

    asked = os.environ.get("TEST_DEVICE")
    device = torch.device(asked) if asked else resolve_device()
    if device.type == "cpu" and not asked:
        pytest.skip("this machine has no accelerator")
    return device


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the checkout; tests that need it skip where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("the real data (../shared/data) is not on this machine")
    return SHARED


@pytest.fixture(autouse=True)
def _quiet_log() -> Iterator[None]:
    """The command shows what is logged; the next test in this process is as quiet as a library is."""
    logger = logging.getLogger("sayso")
    level, handlers = logger.level, list(logger.handlers)
    yield
    logger.setLevel(level)
    logger.handlers[:] = handlers


@pytest.fixture(autouse=True)
def _ordinary_priority() -> None:
    """Undo what the AV1 encoder does to the process: at real-time priority a browser starves the machine."""
    if hasattr(os, "sched_getscheduler") and os.sched_getscheduler(0) != os.SCHED_OTHER:
        for thread in Path("/proc/self/task").iterdir():
            os.sched_setscheduler(int(thread.name), os.SCHED_OTHER, os.sched_param(0))
