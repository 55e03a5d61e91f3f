"""Starting the daemon, and finding and stopping what listens."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from sayso.serve.local.lines import SilentError, ask, connect, peer
from sayso.serve.local.place import idle_minutes, private_folder

START_S = 5.0
"""How long a search waits for Python to start once more, seconds."""

STOP_S = 5.0
"""How long a daemon may take to end after it was asked to, seconds."""


def start_daemon(name: str, address: str, device: str) -> None:
    """Start a daemon that makes itself ready for an index, unless there is one already.

    Args:
        name: of its socket.
        address: of the index.
        device: where its model runs.
    """
    folder = private_folder(make=True)
    if folder is None or ((folder / name).exists() and _listens(folder / name)):
        return
    root = Path(__file__).resolve().parents[3]
    code = (
        "import os; os.fork() and os._exit(0);"  # nobody has to wait for its end
        "import sys; sys.path.append(sys.argv[1]);"
        "from sayso.serve.local.daemon import main; main(*sys.argv[2:])"
    )
    told = [str(root), str(folder / name), str(idle_minutes()), address, device]
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        subprocess.run(
            [sys.executable, "-P", "-c", code, *told],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            check=False,
            timeout=START_S,
        )


def _listens(path: Path) -> bool:
    try:
        connect(path).close()
    except SilentError:
        return False
    return True


def listeners() -> list[dict[str, Any]]:
    """Return what each listening process of this user says of itself; of one that hangs, who it is."""
    folder = private_folder()
    found = []
    for path in sorted(folder.glob("*.sock")) if folder else []:
        with contextlib.suppress(SilentError):
            connection = connect(path)
            known = peer(connection)
            connection.close()
            found.append(
                {"socket": str(path), "kind": path.name.partition("-")[0], "pid": known and known[0]}
            )
            with contextlib.suppress(SilentError):
                found[-1] |= ask(path, {"do": "about"})
    return found


def stop_daemons() -> list[dict[str, Any]]:
    """End every daemon of this user; return which ended. Servers go on."""
    stopped = []
    for one in listeners():
        if one["kind"] != "daemon":
            continue
        path = Path(one["socket"])
        with contextlib.suppress(SilentError):
            ask(path, {"do": "stop"})
        if not _gone(path) and one["pid"]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(one["pid"], signal.SIGKILL)
            path.unlink(missing_ok=True)
        stopped.append(one)
    return stopped


def _gone(path: Path) -> bool:
    """Wait until nothing listens at a path; return whether that came true."""
    until = time.monotonic() + STOP_S
    while path.exists() and time.monotonic() < until:
        time.sleep(0.02)
    return not path.exists()
