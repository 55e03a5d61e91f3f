"""Where a listening process is found: a folder of this user's alone, a name for what answers alike.

The name is a digest of all that an answer depends on besides the index and the query: the program and the
packages around it, and what of the environment reaches models, numerics and object stores.
"""

from __future__ import annotations

import hashlib
import os
import socket
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sayso.version import __version__

MAX_ADDRESS = 100
"""Bytes of a socket's path; the systems allow 104 or 108."""

_ENVIRONMENT = (
    *(
        "SAYSO_",
        "HF_",
        "HUGGINGFACE_",
        "TRANSFORMERS_",
        "TOKENIZERS_",
        "TORCH",
        "PYTORCH_",
        "CUDA_",
        "NVIDIA_",
    ),
    *("OMP_", "KMP_", "GOMP_", "MKL_", "OPENBLAS_", "VECLIB_", "NUMEXPR_", "LANCE", "PYTHON", "LD_", "DYLD_"),
    *("AWS_", "AZURE_", "GOOGLE_", "S3_", "SSL_CERT_", "REQUESTS_CA_", "LC_", "LANG", "HOME", "TMPDIR", "TZ"),
    *("XDG_CACHE_HOME", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"),
)
_NOT_ANSWERS = ("SAYSO_NO_DAEMON", "SAYSO_DAEMON_MINUTES", "LANCEDB_LOG")  # the last is set by sayso

NO_DAEMON = "SAYSO_NO_DAEMON"
MINUTES = "SAYSO_DAEMON_MINUTES"
DEFAULT_MINUTES = 5.0


def idle_minutes() -> float:
    """Return for how long a daemon waits for the next search, minutes: SAYSO_DAEMON_MINUTES, else 5."""
    try:
        return max(0.0, float(os.environ.get(MINUTES, "")))
    except ValueError:
        return DEFAULT_MINUTES


def allowed() -> bool:
    """Whether other processes may be asked: SAYSO_NO_DAEMON is not set, and the system has such sockets."""
    forbidden = os.environ.get(NO_DAEMON, "").strip().lower() in {"1", "true", "yes", "on"}
    return hasattr(socket, "AF_UNIX") and not forbidden


def private_folder(*, make: bool = False) -> Path | None:
    """Return a folder that nobody else can enter; None if there is none.

    Args:
        make: whether it is made if it is missing.
    """
    if not hasattr(os, "geteuid"):
        return None
    user = os.geteuid()
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    folders = [Path(tempfile.gettempdir(), f"sayso-{user}"), Path("/tmp", f"sayso-{user}")]  # noqa: S108
    if runtime and _owner(Path(runtime)) == user:
        folders.insert(0, Path(runtime, "sayso"))
    return next((folder for folder in folders if _is_private(folder, make)), None)


def _is_private(folder: Path, make: bool) -> bool:
    if len(os.fsencode(folder)) > MAX_ADDRESS - 40:
        return False
    try:
        if make:
            folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o077


def _owner(folder: Path) -> int:
    try:
        return folder.lstat().st_uid
    except OSError:
        return -1


def socket_name(address: str | None = None, device: str = "auto") -> str:
    """Return the name of the socket of whoever answers for an index as this process would.

    Args:
        address: of the index that ``sayso serve`` serves; None for the daemon, which opens any.
        device: on which the model of that server runs.
    """
    told = [__version__, sys.version, sys.executable, *_program(), *_environment()]
    kind = "daemon" if address is None else "serve"
    told += [] if address is None else [address, device]
    text = "\0".join(told).encode("utf-8", "surrogateescape")
    return f"{kind}-{hashlib.blake2b(text, digest_size=8).hexdigest()}.sock"


def _environment() -> Iterator[str]:
    for name, value in sorted(os.environ.items()):
        upper = name.upper()
        if upper.startswith(_ENVIRONMENT) and not upper.startswith(_NOT_ANSWERS):
            yield f"{name}={value}"


def _program() -> Iterator[str]:
    """Yield what changes with sayso's files and with the packages that are installed beside it."""
    package = Path(__file__).resolve().parents[2]
    files = [str(package)]
    newest, count = 0, 0
    while files:
        with os.scandir(files.pop()) as entries:
            for entry in entries:
                if entry.is_dir() and entry.name != "__pycache__":
                    files.append(entry.path)
                elif entry.name.endswith(".py"):
                    newest, count = max(newest, entry.stat().st_mtime_ns), count + 1
    yield f"{package}:{newest}:{count}"
    for folder in sys.path:
        if folder.endswith("-packages") and os.path.isdir(folder):  # noqa: PTH112
            yield f"{folder}:{os.stat(folder).st_mtime_ns}"  # noqa: PTH116
