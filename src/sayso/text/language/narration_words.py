"""The words by which the rules for narration find verbs of instructions and their objects."""

from __future__ import annotations

LEADS = frozenset(
    """
    to gonna wanna can could will would should must may might just please i we you they i'll we'll
    you'll they'll i'm we're you're they're let's lets don't i've we've you've be i'd you'd we'd
    """.split()  # noqa: SIM905
)
OPENINGS = frozenset(
    """
    , . : ; - ! ? now next then first second third finally lastly and so here afterwards again okay ok
    well also
    """.split()  # noqa: SIM905
)
PARTICLES = frozenset(["up", "down", "out", "off", "on", "over", "away", "back", "in", "apart", "together"])
BEFORE_VERBS = frozenset(["and", "then", "up", "off", "on", "out", "down", "back", "in", "is", "was", "not"])
QUANTITIES = frozenset(
    """
    all both each every few several more some any two three four five six seven eight nine ten of
    """.split()  # noqa: SIM905
)
MEASURES = frozenset(
    """
    bit bunch couple cup drop end handful kind lot layer part piece pinch pair rest side slice sort
    spoon spoonful tablespoon teaspoon
    """.split()  # noqa: SIM905
)
LATE = frozenset(
    """
    counterclockwise clockwise inside outside first last once twice well far away tight like per
    until till because since once please okay ok right left i'm you're we're it's that's there's
    always never really actually basically probably usually often even almost simply maybe hey hi hello
    guys folks yeah yes no kind sort going ahead already
    """.split()  # noqa: SIM905
)
# What is neither done nor seen: speaking, thinking, having, and the verbs of "do it", "let me".
UNSEEN = frozenset(
    """
    be have do want need like love know think see mean say tell let try hope guess feel believe
    understand remember forget learn wonder ask talk speak call thank subscribe watch look enjoy
    happen become seem start begin keep help show explain notice recommend suggest prefer use make
    get go come give take bring find lead allow cause require contain include involve wish hear read
    play live work own cost charge regret worry welcome listen
    """.split()  # noqa: SIM905
)
WEAK = frozenset(
    ["use", "make", "get", "give", "take", "bring", "find", "keep", "start", "begin", "let", "play", "call"]
)
VAGUE = frozenset(
    """
    it this that these those them thing something anything everything nothing one way time bit lot
    stuff kind sort step video channel guy everybody everyone somebody someone i you we they he she
    me us him her what who which idea problem question care sure mistake hour minute second day year
    week part rest job advantage look place reason
    """.split()  # noqa: SIM905
)
# "Baking powder" is nothing that is done.
THINGS = frozenset(
    """
    board bowl dish form fork knife oil pan paper plate platter pot powder rack sheet soda spoon spray stick
    tape tray wine wire
    """.split()  # noqa: SIM905
)
PLURALS = {
    "knives": "knife", "leaves": "leaf", "halves": "half", "loaves": "loaf", "teeth": "tooth",
    "feet": "foot", "children": "child", "men": "man", "women": "woman", "shelves": "shelf",
    "pliers": "pliers", "scissors": "scissors", "gas": "gas", "lens": "lens", "tongs": "tongs",
    "cookies": "cookie", "pies": "pie", "ties": "tie", "shoes": "shoe",
}  # fmt: skip
