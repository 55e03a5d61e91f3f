"""Which verbs say opposites: "lift" and "lower", "screw" and "unscrew", "turn on" and "turn off".

Two steps with opposite verbs are two, however alike the words are used: an embedding holds opposites to be
near, and hardly anybody says both of one thing in the same words.
"""

from __future__ import annotations

from itertools import permutations

DIRECTIONS = {"up": "down", "down": "up", "on": "off", "off": "on", "in": "out", "out": "in"}
_SIDES = tuple(
    (frozenset(one.split()), frozenset(other.split()))
    for one, other in (
        ("raise lift jack hoist elevate", "lower drop sink"),
        ("lift raise pick", "put set place lay"),
        ("open unseal uncap", "close shut seal cap"),
        (
            "put place set add insert attach install mount fit connect plug fix fasten apply load hang",
            "remove take pull withdraw detach extract disconnect uninstall dismount unload",
        ),
        ("tighten screw fasten", "loosen loose unscrew slacken unfasten"),
        ("fill", "empty drain"),
        ("start", "stop"),
        ("inflate pump", "deflate"),
        ("heat warm", "cool chill freeze"),
        ("freeze", "thaw defrost melt"),
        ("assemble build", "disassemble dismantle"),
        ("push", "pull"),
        ("press hold squeeze clamp grip", "release"),
        ("dry", "wet soak moisten"),
        ("join", "separate cut"),
        ("increase", "decrease reduce"),
        ("hide cover", "show expose"),
    )
)
_REVERSING = ("un", "dis", "de")  # before a verb of at least three letters


def opposite(one: str, other: str) -> bool:
    """Tell whether two verbs say opposites; a particle may follow each ("turn on", "turn off")."""
    (verb, _, particle), (against, _, other_particle) = one.partition(" "), other.partition(" ")
    if verb == against:
        return bool(particle) and DIRECTIONS.get(particle) == other_particle
    if any(verb in a and against in b for sides in _SIDES for a, b in permutations(sides)):
        return True
    short, long = sorted((verb, against), key=len)
    return len(short) > 2 and any(long == before + short for before in _REVERSING)
