"""The words that caption scores count: CoreNLP's Penn Treebank tokens of a caption, without Java.

Published CIDEr numbers count the tokens that CoreNLP 3.4.1 gives for a caption, in lower
case, without most punctuation. The rules below are the part of it that captions and speech
meet: contractions are split, abbreviations keep their full stops, numbers, fractions and
hyphened words stay whole, brackets have names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_DROPPED = re.compile(r"""'|"|''|`|``|[?!,:;-]|--|\.+|\ufffd|[\U00010000-\U0010ffff]""")
_BRACKETS = {"(": "-lrb-", ")": "-rrb-", "[": "-lsb-", "]": "-rsb-", "{": "-lcb-", "}": "-rcb-"}
_PLAIN = str.maketrans(
    {"’": "'", "‘": "'", "“": '"', "”": '"', "…": "...", "–": "--", "—": "--", "\u00ad": ""}
)
_JOINED = {
    "cannot": ("can", "not"),
    "gimme": ("gim", "me"),
    "gonna": ("gon", "na"),
    "gotta": ("got", "ta"),
    "lemme": ("lem", "me"),
    "wanna": ("wan", "na"),
}
_ABBREVIATIONS = re.findall(
    r"\S+",
    """
    mr mrs ms dr drs prof sr jr st mt ft gen col capt lt sgt maj adm gov sen rep rev hon pres jan
    feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thurs fri inc co corp ltd bros
    etc vs al cf ave blvd rd dept est approx assn ph ph.d
    """,
)
_TOKEN = re.compile(
    rf"""
    (?P<link>(?:https?://|www\.)[^\s<>"]*[^\s<>".,;:!?')\]])
  | (?P<mail>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)
  | (?P<tag></?[a-z][a-z0-9]*(?:\s[^<>]*)?/?>)
  | (?P<short>\b(?:{"|".join(map(re.escape, _ABBREVIATIONS))})\.(?!\w)
    | \bno\.(?=\s*\d) | \b(?:[a-z]\.)+(?!\w))
  | (?P<number>\d+(?:[.,:]\d+)+(?=[a-z]) | (?:(?<![\w.])[-+])?(?:\d+(?:[.,:/-]\d+)*|\.\d+)(?![\w-]))
  | (?P<clipped>y'(?=all\b) | \bol' | (?<!\w)'n'(?!\w))
  | (?P<word>[^\W_]+(?:[-_/.&]?[^\W_]+)*(?:'[^\W_]+)*)
  | (?P<start>'(?:tis|twas)\b | '\d\ds\b | '(?:s|m|d|re|ve|ll|em|til|cause)\b)
  | (?P<mark>[?!]{{2,}}|\.\.+|--+|(?P<sign>[*#])(?P=sign)+|\S)
    """,
    re.VERBOSE,
)
_CLITIC = re.compile(r"(?<=.)(n't|'(?:s|m|d|re|ve|ll))$")


def caption_tokens(caption: str) -> list[str]:
    """Return the lower-case tokens of a caption, punctuation left out."""
    text = caption.translate(_PLAIN).lower()
    return [
        token for match in _TOKEN.finditer(text) for token in _split(match) if not _DROPPED.fullmatch(token)
    ]


def _split(match: re.Match[str]) -> Iterator[str]:
    token = match.group()
    if match.lastgroup == "word":
        yield from _words(token)
    elif token in ("'tis", "'twas"):
        yield from ("'t", token[2:])
    else:
        yield _BRACKETS.get(token, token)


def _words(token: str) -> Iterator[str]:
    if token in _JOINED:
        yield from _JOINED[token]
        return
    endings: list[str] = []
    while found := _CLITIC.search(token):
        endings.append(found.group())
        token = token[: found.start()]
    yield from (token, *reversed(endings))
