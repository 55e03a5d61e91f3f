"""``sayso index INDEX --check`` and ``--repair``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from typer import Exit

from sayso.cli.exit_codes import ERROR
from sayso.cli.output import end_with, failure_lines, print_json, print_lines
from sayso.core.errors import SaysoError
from sayso.core.progress import Mode, reporter

if TYPE_CHECKING:
    from sayso.index.adding import Adding


def end_with_health(
    address: str, how: Adding, *, repair: bool, device: str, mode: Mode, as_json: bool
) -> None:
    """Check an index or make it whole, say what was wrong, and end.

    Args:
        address: of the index.
        how: files are read again; ``prune``: what is lost and not there any more is given up.
        repair: whether it is made whole.
        device: for the model, where something has to be read again.
        mode: how progress is shown.
        as_json: whether one object is printed.

    Raises:
        SaysoError: if there is no index.
        Exit: 1 if it is damaged and stays so; 3 if files could not be read again.
    """
    from sayso.data.manifest import write_failures
    from sayso.encoders import load_encoder
    from sayso.index.check import check_index
    from sayso.index.checksums import CHECKSUMS
    from sayso.index.repair import repair_index
    from sayso.index.store import Store

    store = Store(address)
    if (store.remote or not Path(address, CHECKSUMS).exists()) and not store.exists:
        raise SaysoError(f"there is no index at {address}")
    failures = []
    with reporter("repairing" if repair else "checking", mode=mode) as bar:
        if repair:
            how = replace(how, progress=bar)
            damage, report = repair_index(address, lambda name: load_encoder(name, device=device), how)
            failures = report.failures
        else:
            damage = check_index(Store(address), bar)
    rows = [{"name": one.name, "what": one.what} for one in damage]
    if as_json:
        print_json({"index": address, "damage": rows, "repaired": repair, "failed": len(failures)})
    else:
        print_lines(f"{one.name} {one.what}" for one in damage)
        todo = "and it is whole again" if repair else f"run: sayso index {address} --repair"
        print_lines([f"{address}: {len(damage)} damaged, {todo}" if damage else f"{address}: no damage"])
    if failures:
        write_failures(failures, store.failures_file)
        end_with(failure_lines(failures, store.failures_file))
    if damage and not repair:
        raise Exit(ERROR)
