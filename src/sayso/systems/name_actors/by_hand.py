"""Names by hand: corrections of single tracks and names for strangers, which win over all else."""

from __future__ import annotations

import csv
import difflib
import io
import json
import logging
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sayso.core.errors import SaysoError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

log = logging.getLogger(__name__)
HandNames = Mapping[int | str, str | None]  # track, or "stranger 3" -> name; None: nobody of the names
ALIKE = 0.75  # a new name that is so near to one of the cast is misspelt
FORM = '{"12": "Ilsa", "40": null, "stranger 1": "Louis"}'
_STRANGER = re.compile(r"\s*stranger\s+#?(\d+)\s*", re.IGNORECASE)


def hand_names(given: HandNames | str | os.PathLike[str] | None) -> HandNames:
    """Return names by hand that are given as such, or as a file of them; None: none.

    Raises:
        SaysoError: if the file holds none.
    """
    if given is None or isinstance(given, Mapping):
        return given or {}
    return read_hand_names(Path(given))


def read_hand_names(path: Path) -> dict[int | str, str | None]:
    """Return the names of a JSON object, or of a CSV with the columns ``who`` and ``name``.

    Raises:
        SaysoError: if the file holds none.
    """
    try:
        return parse_hand_names(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, csv.Error) as error:
        raise SaysoError(f"{path} holds no corrections like {FORM}: {error}") from error


def parse_hand_names(text: str) -> dict[int | str, str | None]:
    """Return the names of a text, JSON or CSV.

    Raises:
        ValueError: if it is neither.
        csv.Error: if a field is longer than a CSV may have.
    """
    if text.lstrip().startswith(("{", "[")):
        data = json.loads(text)
        if not isinstance(data, dict) or not all(
            name is None or isinstance(name, str) for name in data.values()
        ):
            raise ValueError("expected an object of tracks or strangers and names, null for nobody")
        return {_key(who): _name(name) for who, name in data.items()}
    rows = list(csv.DictReader(io.StringIO(text)))
    if not rows or not {"who", "name"} <= set(rows[0]):
        raise ValueError("expected JSON, or a CSV with the columns who and name")
    return {_key(row["who"] or ""): _name(row["name"]) for row in rows}


def absent(by_hand: HandNames, strangers: NDArray[np.int64]) -> list[str]:
    """Return the strangers that have a name by hand and are none of the numbers (N,)."""
    there = set(strangers.tolist()) - {0}
    return [who for who in by_hand if isinstance(who, str) and _number(who) not in there]


def named_tracks(
    by_hand: HandNames, strangers: NDArray[np.int64], made: NDArray[np.bool_] | None = None
) -> dict[int, str | None]:
    """Return the name of each track that has one by hand; one of a track wins over one of its stranger.

    Args:
        by_hand: as given.
        strangers: (N,) numbers of the strangers, 0 for none.
        made: (N,) tracks that are strangers only because of corrections: "nobody of the names" made them
            so, and does not win over the name that their stranger has got since.

    Raises:
        SaysoError: if a stranger is not there.
    """
    if lost := absent(by_hand, strangers):
        last = int(strangers.max(initial=0))
        there = f"the strangers are 1 to {last}" if last else "no face is a stranger's"
        raise SaysoError(f"a name is given to {lost[0]}; {there}")
    found: dict[int, str | None] = {}
    for who, name in by_hand.items():
        if isinstance(who, str):
            found |= {n: name for n, one in enumerate(strangers.tolist()) if one == _number(who)}
    tracks = {who: name for who, name in by_hand.items() if isinstance(who, int)}
    for who, name in tracks.items():
        if name is not None or who not in found or made is None or not made[who]:
            found[who] = name
    return found


def new_people(by_hand: HandNames, names: Sequence[str]) -> list[str]:
    """Return the people who are named by hand alone.

    Args:
        by_hand: as given.
        names: of the cast.

    Raises:
        SaysoError: if one is a misspelt name of the cast.
    """
    known = {name.casefold(): name for name in names}
    new: dict[str, str] = {}
    for who, name in by_hand.items():
        if name is None or name.casefold() in known:
            continue
        if near := difflib.get_close_matches(name.casefold(), known, 1, ALIKE):
            raise SaysoError(
                f"the correction of {_said(who)} names {name!r}; is it {known[near[0]]!r}? "
                f"The names are {', '.join(names)}"
            )
        new.setdefault(name.casefold(), name)
    if new:
        log.warning("named by hand, but speaks no line of the script: %s", ", ".join(new.values()))
    return list(new.values())


def _key(who: str) -> int | str:
    if stranger := _STRANGER.fullmatch(who):
        return f"stranger {int(stranger.group(1))}"
    return int(who)


def _number(stranger: str) -> int:
    return int(stranger.rpartition(" ")[2])


def _name(name: str | None) -> str | None:
    """Return a name; None of one that is left blank."""
    return (name or "").strip() or None


def _said(who: int | str) -> str:
    return who if isinstance(who, str) else f"track {who}"
