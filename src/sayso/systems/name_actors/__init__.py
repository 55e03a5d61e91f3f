"""Faces get names, and then actions, from nothing but subtitles and a script.

Subtitles that an aligned script gave speakers (``sayso.alignment``) say who speaks when, so that each
line names somebody among the faces then on screen: a bag. Discriminative clustering [1, 2] finds, for all
bags at once, names that a linear rule on the faces' descriptors can tell apart; a face whose
lips move in the line needs no bag [3]. The evidence of the lips, who speaks nearby, and that
nobody is on screen twice then refine each face's name; corrections by hand are never broken.

    lips.py           the evidence of moving lips for each face's name
    context.py        the prior of who speaks nearby
    joint.py          faces that cannot be one person, and faces that likely are
    constraints.py    lines, descriptions and corrections as constraints on the names
    name.py           the names: clustering, refinement, probabilities
    actions.py        the actions, once the names are fixed
    action_inputs.py  features of motion, and the bags that descriptions make
    pipeline.py       from a film, a script and subtitles to a result: ``run``

Sources
    [1] Bojanowski et al., ICCV 2013. [2] Miech et al., ICCV 2017.
    [3] Everingham, Sivic, Zisserman, BMVC 2006.
"""

from typing import TYPE_CHECKING

from sayso.core.lazy import exports

if TYPE_CHECKING:
    from sayso.systems.name_actors.action_inputs import action_bags, motion_features
    from sayso.systems.name_actors.actions import ActionBag, name_actions
    from sayso.systems.name_actors.constraints import Description, cast_of, named_in
    from sayso.systems.name_actors.lips import NamedSpan
    from sayso.systems.name_actors.name import Naming, name_actors, speaking_faces
    from sayso.systems.name_actors.pipeline import NameOptions, NamingResult, run
else:
    __getattr__ = exports(
        __name__,
        {
            "ActionBag": "sayso.systems.name_actors.actions",
            "Description": "sayso.systems.name_actors.constraints",
            "NameOptions": "sayso.systems.name_actors.pipeline",
            "NamedSpan": "sayso.systems.name_actors.lips",
            "Naming": "sayso.systems.name_actors.name",
            "NamingResult": "sayso.systems.name_actors.pipeline",
            "action_bags": "sayso.systems.name_actors.action_inputs",
            "cast_of": "sayso.systems.name_actors.constraints",
            "motion_features": "sayso.systems.name_actors.action_inputs",
            "name_actions": "sayso.systems.name_actors.actions",
            "name_actors": "sayso.systems.name_actors.name",
            "named_in": "sayso.systems.name_actors.constraints",
            "run": "sayso.systems.name_actors.pipeline",
            "speaking_faces": "sayso.systems.name_actors.name",
        },
    )

__all__ = [
    "ActionBag",
    "Description",
    "NameOptions",
    "NamedSpan",
    "Naming",
    "NamingResult",
    "action_bags",
    "cast_of",
    "motion_features",
    "name_actions",
    "name_actors",
    "named_in",
    "run",
    "speaking_faces",
]
