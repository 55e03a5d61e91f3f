"""Reading from LanceDB, for so long and no longer: a query that somebody waits for must end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pyarrow as pa

from sayso.core.errors import TooSlow

LONGEST_S = 30.0


def read_rows(query: Any, *, longest_s: float = LONGEST_S) -> pa.Table:
    """Return what a LanceDB query finds.

    Args:
        query: made of a table's ``search``.
        longest_s: seconds that it may take.

    Raises:
        TooSlow: if it takes longer.
    """
    try:
        return query.to_arrow(timeout=timedelta(seconds=longest_s))
    except (RuntimeError, ValueError, OSError) as error:
        if "timeout after" not in str(error).lower():
            raise
        says = f"the query took longer than {longest_s:g} s and was ended; ask for less, or again in a minute"
        raise TooSlow(says) from error
