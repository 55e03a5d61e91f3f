"""One writer at a time: a second waits for the first and then finds its work done.

On a disk the lock is the operating system's, so it goes with the process that
held it, also after kill -9. In an object store it is a lease in a table of the
index, renewed while the writer lives and taken over once it has run out.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

LEASE_S = 60.0
_WAITING = "another process is adding to this index; waiting for it to finish"


@contextmanager
def file_lock(folder: Path, name: str) -> Iterator[None]:
    """Hold a lock of the index in ``folder``, such as ``writer``."""
    from filelock import FileLock, Timeout

    lock = FileLock(folder / f"{name}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        log.warning(_WAITING)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


class Lease:
    """A lock in an object store: a table with one row, its owner and until when (seconds since 1970)."""

    def __init__(self, connection: Any, name: str = "writer", *, seconds: float = LEASE_S) -> None:
        self.connection, self.name, self.seconds = connection, name, seconds
        self.owner = uuid.uuid4().hex

    def _table(self) -> Any:
        import pyarrow as pa

        schema = pa.schema([("owner", pa.string()), ("until", pa.float64())])
        table = self.connection.create_table(self.name, schema=schema, exist_ok=True)
        if table.count_rows() == 0:
            table.add([{"owner": "", "until": 0.0}])
        return table

    def try_acquire(self) -> bool:
        """Take the lease if it is free, ours or run out; say whether it is ours now."""
        table, now = self._table(), time.time()
        free = f"until < {now} OR owner = '{self.owner}'"
        if not _update(table, free, {"owner": self.owner, "until": now + self.seconds}):
            return False
        table.checkout_latest()
        return bool(table.count_rows(f"owner = '{self.owner}'") == table.count_rows())

    def release(self) -> None:
        """Give the lease back; where the store is too slow for that, it runs out."""
        _update(self._table(), f"owner = '{self.owner}'", {"until": 0.0})

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Wait for the lease, keep it renewed, and give it back."""
        if not self.try_acquire():
            log.warning(_WAITING)
            while not self.try_acquire():
                time.sleep(self.seconds / 20)
        stop = threading.Event()

        def renew() -> None:
            while not stop.wait(self.seconds / 4):
                try:
                    self.try_acquire()
                except Exception as error:  # noqa: BLE001  it is tried again before the lease runs out
                    log.debug("the lease %s was not renewed: %s", self.name, error)

        thread = threading.Thread(target=renew, daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
            self.release()


def _update(table: Any, where: str, values: dict[str, Any]) -> bool:
    """Write rows; False if the store is so slow that LanceDB gave up against the others."""
    try:
        table.update(where=where, values=values)
    except RuntimeError as error:
        if "concurrent writers" not in str(error):
            raise
        return False
    return True
