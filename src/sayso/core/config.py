"""Recipes: a frozen dataclass is filled from a TOML file and from ``key=value`` flags.

Its fields are the known keys, their types what may stand there. An unknown key is an
error that names the nearest known one, so that a slip of the pen never trains for a day.
"""

from __future__ import annotations

import difflib
import tomllib
import types
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from sayso.core.errors import SaysoError, UsageError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Config = TypeVar("Config", bound="DataclassInstance")


def read_recipe(default: Config, path: Path) -> Config:
    """Return ``default`` with what a TOML file says.

    Raises:
        SaysoError: if the file is missing or no TOML, or has an unknown key or a value of the wrong type.
    """
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SaysoError(f"the recipe {path} cannot be read: {error}") from error
    return changed(default, said, where=f"the recipe {path}")


def with_flags(default: Config, flags: Iterable[str]) -> Config:
    """Return ``default`` with what flags such as ``lr=0.01`` say; values are as in TOML, quotes optional.

    Raises:
        UsageError: if a flag has no ``=``, an unknown key, or a value of the wrong type.
    """
    said = {}
    for flag in flags:
        key, equals, value = flag.partition("=")
        if not equals:
            raise UsageError(f"--set takes key=value; got {flag!r}")
        said[key.strip()] = _value(value.strip())
    return changed(default, said, where="--set")


def changed(default: Config, said: Mapping[str, Any], *, where: str) -> Config:
    """Return ``default`` with other values, checked against the types of its fields.

    Args:
        default: a dataclass.
        said: key -> value, as TOML gives them.
        where: where it was said, to begin a sentence with.

    Raises:
        UsageError: if a key is unknown or a value of the wrong type.
    """
    hints = get_type_hints(type(default))
    known = [field.name for field in fields(default)]
    for key, value in said.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"known keys are {', '.join(known)}"
            raise UsageError(f"{where} has the unknown key {key!r}; {hint}")
        if not _fits(value, hints[key]):
            raise UsageError(f"{where}: {key} must be {_spell(hints[key])}; got {value!r}")
    return replace(default, **{key: _converted(value, hints[key]) for key, value in said.items()})


def to_toml(config: DataclassInstance) -> str:
    """Return a config as TOML that ``read_recipe`` reads; keys whose value is None are left out."""
    lines = [f"{key} = {_literal(value)}" for key, value in asdict(config).items() if value is not None]
    return "\n".join(lines) + "\n"


def _value(text: str) -> Any:
    """Read a value as TOML does; what is none is a string."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _fits(value: Any, hint: Any) -> bool:
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return any(_fits(value, one) for one in inner)
    if origin is Literal:
        return value in inner
    if origin is tuple:
        return isinstance(value, list | tuple) and all(_fits(item, inner[0]) for item in value)
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, hint)


def _converted(value: Any, hint: Any) -> Any:
    if get_origin(hint) is tuple:
        return tuple(value)
    return float(value) if hint is float else value


def _spell(hint: Any) -> str:
    """Return what a person calls a type."""
    origin, inner = get_origin(hint), [one for one in get_args(hint) if one is not type(None)]
    if origin is Literal:
        return "one of " + ", ".join(map(repr, inner))
    if origin in (Union, types.UnionType):
        return " or ".join(map(_spell, inner))
    if origin is tuple:
        return f"a list, each item {_spell(inner[0])}"
    return {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}[hint]


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return '"' + "".join(c if c >= " " and c != "\x7f" else f"\\u{ord(c):04x}" for c in escaped) + '"'
    return repr(value)
