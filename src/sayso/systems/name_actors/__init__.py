"""Faces get names, and then actions, from nothing but subtitles and a script.

Subtitles with speakers (``systems.align_script``) say who speaks when, so that each line names somebody
among the faces then on screen: a bag. Discriminative clustering [1, 2] finds, for all
bags at once, names that a linear rule on the faces' descriptors can tell apart; a face whose
lips move in the line needs no bag [3]. What the lips say, who speaks nearby, and that
nobody is on screen twice then refine each face's name; corrections by hand are never broken.

    speech.py    what lips that move or rest tell of each face's name
    context.py   who is to be expected on screen, and which faces cannot be one person
    bags.py      the demands that lines, descriptions and corrections put on the names
    name.py      the names: clustering, refinement, confidence
    actions.py   the actions, once the names are fixed
    motion.py    what of the film and its script tells of actions

Sources
    [1] Bojanowski et al., ICCV 2013. [2] Miech et al., ICCV 2017.
    [3] Everingham, Sivic, Zisserman, BMVC 2006.
"""

from sayso.core.lazy import exports

__getattr__ = exports(
    __name__,
    {
        "Described": "sayso.systems.name_actors.motion",
        "Naming": "sayso.systems.name_actors.name",
        "Said": "sayso.systems.name_actors.speech",
        "Told": "sayso.systems.name_actors.actions",
        "cast_of": "sayso.systems.name_actors.bags",
        "mentions": "sayso.systems.name_actors.bags",
        "motion_features": "sayso.systems.name_actors.motion",
        "name_actions": "sayso.systems.name_actors.actions",
        "name_actors": "sayso.systems.name_actors.name",
        "speaking_faces": "sayso.systems.name_actors.name",
        "told_of": "sayso.systems.name_actors.motion",
    },
)

__all__ = [
    "Described",
    "Naming",
    "Said",
    "Told",
    "cast_of",
    "mentions",
    "motion_features",
    "name_actions",
    "name_actors",
    "speaking_faces",
    "told_of",
]
