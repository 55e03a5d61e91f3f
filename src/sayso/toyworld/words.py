"""The words of the toy world: what things, colours and actions are called, and what people say.

Every thing has a name and synonyms. A sentence about an action is imperative ("now
lift the red cup"); chatter shares no word with the names, so that what a line is about
is known. A quarter of the pairs (verb, object) is held out: no training video shows or
names them, whatever its seed, though each verb and each object is seen in other pairs.
"""

from __future__ import annotations

import numpy as np

VERBS: dict[str, tuple[str, ...]] = {
    "slide": ("slide", "push", "drag"),
    "cut": ("cut", "slice", "halve"),
    "lift": ("lift", "raise", "hoist"),
    "rotate": ("rotate", "spin", "twirl"),
    "drop": ("drop", "let fall", "release"),
    "paint": ("paint", "dye", "recolour"),
    "inflate": ("inflate", "enlarge", "blow up"),
    "cover": ("cover", "wrap", "drape"),
    "shake": ("shake", "rattle", "jiggle"),
    "flip": ("flip", "overturn", "invert"),
    "shrink": ("shrink", "deflate", "compress"),
    "hit": ("hit", "hammer", "strike"),
    "wash": ("wash", "rinse", "soap"),
    "pack": ("pack", "store", "bin"),
}

OBJECTS: dict[str, tuple[str, ...]] = {
    "ball": ("ball", "sphere"),
    "brick": ("brick", "block"),
    "ring": ("ring", "hoop", "donut"),
    "star": ("star", "starfish"),
    "heart": ("heart", "valentine"),
    "cup": ("cup", "mug"),
    "bottle": ("bottle", "flask"),
    "moon": ("moon", "crescent"),
    "fish": ("fish", "trout"),
    "mushroom": ("mushroom", "toadstool"),
    "cross": ("cross", "plus"),
    "kite": ("kite", "diamond"),
    "tree": ("tree", "fir"),
    "key": ("key", "latchkey"),
}

COLOURS: dict[str, tuple[str, ...]] = {
    "red": ("red", "scarlet"),
    "orange": ("orange",),
    "yellow": ("yellow", "golden"),
    "green": ("green",),
    "blue": ("blue", "navy"),
    "purple": ("purple", "violet"),
    "white": ("white",),
    "black": ("black",),
}

OPENINGS = (
    "",
    "now",
    "next",
    "then",
    "go ahead and",
    "you want to",
    "and here we",
    "carefully",
    "so we just",
    "first I",
)

CHATTER = (
    "hey guys welcome back to my channel",
    "do not forget to subscribe",
    "this is my favourite part",
    "I learned this from my grandmother",
    "it took me years to figure this out",
    "let me know what you think in the comments",
    "that looks really good already",
    "some people do it another way",
    "we are almost there",
    "do not worry if it looks strange at this point",
    "I had a very long day",
    "thank you so much for watching",
    "you can find everything in the description",
    "all right",
    "it is easier than it seems",
    "my dog is making noise again",
    "take your time with this",
    "I always listen to music while I do this",
    "the weather is lovely today",
    "okay so far so good",
    "a lot of you have asked me about this",
    "be patient",
    "I bought these at the market last week",
    "and that is basically it",
    "sorry about the light in here",
    "you will not regret it",
    "see how easy that was",
    "my sister does not believe me",
    "there is no need to hurry",
    "I will show you in a moment",
)


def held_out(verb: str, thing: str) -> bool:
    """Tell whether a pair is kept for testing: a quarter of the pairs of every verb and object."""
    return (list(VERBS).index(verb) + list(OBJECTS).index(thing)) % 4 == 0


def pairs(*, test: bool) -> list[tuple[str, str]]:
    """Return the pairs (verb, object) of the held-out quarter, or of the rest."""
    return [(verb, thing) for verb in VERBS for thing in OBJECTS if held_out(verb, thing) == test]


def step_name(rng: np.random.Generator, verb: str, colour: str, thing: str) -> str:
    """Return what a step is called, with synonyms at random: ``hoist the red mug``.

    Args:
        rng: of the synonyms.
        verb: a key of ``VERBS``.
        colour: a key of ``COLOURS``.
        thing: a key of ``OBJECTS``.
    """
    return f"{rng.choice(VERBS[verb])} the {rng.choice(COLOURS[colour])} {rng.choice(OBJECTS[thing])}"


def instruction(rng: np.random.Generator, verb: str, colour: str, thing: str) -> str:
    """Return a narrator's sentence about a step; one in four leaves out the colour.

    Args:
        rng: of the synonyms and the sentence.
        verb: a key of ``VERBS``.
        colour: a key of ``COLOURS``.
        thing: a key of ``OBJECTS``.
    """
    said = step_name(rng, verb, colour, thing)
    if rng.random() < 0.25:
        said = f"{rng.choice(VERBS[verb])} the {rng.choice(OBJECTS[thing])}"
    return f"{rng.choice(OPENINGS)} {said}".strip()


def chatter(rng: np.random.Generator) -> str:
    """Return something that is said and cannot be seen."""
    return str(rng.choice(CHATTER))
