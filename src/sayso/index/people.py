"""Asking for moments with certain people on screen.

who:ilsa playing piano           Ilsa is on screen; what fits best comes first
who:"ilsa lund" who:rick         both are
a bar - who:sam                  Sam is not

Who is on screen is the column ``who`` of a manifest, as ``sayso name`` writes it: "Ilsa Lund, Rick". Any
words of a name will do. The names lie in the JSON that a hit shows, where a filter finds them.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from sayso.core.errors import QueryError
from sayso.index.store import quoted

_WHO = re.compile(
    r'(?<!\S)(?:(?P<sign>[+-])\s+)?who:(?:"(?P<name>[^"]*)"|(?P<word>[^\s"]*))|"[^"]*"', re.IGNORECASE
)
_EDGE = r'[^0-9A-Za-z"\\]'  # between the words of names; a letter that is not ASCII begins with a backslash


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who has to be on screen, or has not to be."""

    name: str
    there: bool = True


def split_people(query: str) -> tuple[list[Person], str]:
    """Return the people a query asks for, and the rest of it.

    Raises:
        QueryError: if ``who:`` is followed by nothing.
    """
    people: list[Person] = []

    def take(match: re.Match[str]) -> str:
        name = match["name"] if match["name"] is not None else match["word"]
        if name is None:
            return match[0]  # a text in quotes, whatever it holds
        if not name.strip():
            raise QueryError(f"the query {query!r} does not say who; write it like: who:ilsa playing piano")
        people.append(Person(" ".join(name.split()), match["sign"] != "-"))
        return " "

    rest = _WHO.sub(take, query).strip()
    return people, re.sub(r"^\+\s+|\s+\+$", "", rest) if people else query


def with_people(where: str | None, people: list[Person]) -> str | None:
    """Return a SQL filter for the clips that have these people, and keep ``where``."""
    asked = [f"({where})"] if where else []
    for person in people:
        found = f"regexp_like(shown, {quoted(_pattern(person.name))}, 'i')"
        asked.append(found if person.there else f"NOT {found}")
    return " AND ".join(asked) or None


def _pattern(name: str) -> str:
    """Return a regular expression for the JSON of a clip that has a name among those of its people."""
    letters = "".join(_letter(letter) for letter in name)
    return f'"who": "([^"]*{_EDGE})?{letters}({_EDGE}[^"]*)?"'


def _letter(letter: str) -> str:
    """Return a pattern for one letter as JSON writes it, great or small."""
    forms = dict.fromkeys([letter] if letter.isascii() else [letter.lower(), letter.upper()])
    return "(" + "|".join(re.escape(json.dumps(form)[1:-1]) for form in forms) + ")"
