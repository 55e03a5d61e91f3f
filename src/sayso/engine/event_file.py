"""The file of a run's metrics that TensorBoard shows.

The package's own writer has a thread, which prints its errors itself, a full disk among them.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class EventFile:
    """Appends scalars to an event file of its own, at once.

    Args:
        folder: that TensorBoard is given; made where it is missing.
        first: the first step that it holds; what older files hold from there on counts no more.
    """

    def __init__(self, folder: Path, first: int) -> None:
        from tensorboard.compat.proto.event_pb2 import SessionLog  # type: ignore[import-untyped]

        folder.mkdir(exist_ok=True)
        begun = f"{time.time():.6f}.{socket.gethostname()}.{os.getpid()}"
        self.path = folder / f"events.out.tfevents.{begun}"
        self._append(file_version="brain.Event:2")
        self._append(step=first, session_log=SessionLog(status=SessionLog.START))

    def write(self, scalars: Mapping[str, float], step: int) -> None:
        """Append what was measured at a step."""
        from tensorboard.compat.proto.summary_pb2 import Summary  # type: ignore[import-untyped]

        values = [Summary.Value(tag=name, simple_value=value) for name, value in scalars.items()]
        self._append(step=step, summary=Summary(value=values))

    def _append(self, **fields: Any) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.summary.writer.record_writer import RecordWriter  # type: ignore[import-untyped]

        event = Event(wall_time=time.time(), **fields)
        with self.path.open("ab") as file:
            RecordWriter(file).write(event.SerializeToString())
