"""Title pages as typists centre them: what stands above the first scene."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sayso.text.screenplay.lines import ScriptLine
from sayso.text.screenplay.marks import is_certain_transition, parse_heading
from sayso.text.screenplay.wording import word_pattern

CREDIT = re.compile(rf"(?:{word_pattern('credits')})\s*:?", re.IGNORECASE)
LONGEST = 40  # lines


def take_typed_title(lines: Sequence[ScriptLine]) -> tuple[dict[str, str], Sequence[ScriptLine]]:
    """Return the fields of a title page that says "written by", and the lines after it."""
    end = next((k for k, line in enumerate(lines[:LONGEST]) if _begins(line)), 0)
    credit = next((k for k, line in enumerate(lines[:end]) if CREDIT.fullmatch(line.text)), 0)
    if not 0 < credit < end - 1:
        return {}, lines
    fields = {
        "title": " ".join(line.text for line in lines[:credit]),
        "credit": lines[credit].text,
        "author": lines[credit + 1].text,
    }
    rest = "\n".join(line.text for line in lines[credit + 2 : end])
    return fields | ({"notes": rest} if rest else {}), lines[end:]


def _begins(line: ScriptLine) -> bool:
    return parse_heading(line.text) is not None or is_certain_transition(line.text)
