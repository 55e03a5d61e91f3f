"""Many people show the same task and talk about it: find its steps, their names, and when they happen.

Stage 1 aligns what is said. Verbs with their objects ("loosen nut") that many narrations
tell of in the same order are the steps; their commonest phrases are the names.

Stage 2 finds each step in each video by discriminative clustering: a linear classifier for
each step, and one time for each step in each video, in order and near to where it is told of,
such that the classifiers explain the times best. The classifiers find the steps in a new video.

    script.py     stage 1: the steps, from the narrations
    places.py     stage 2: when they happen, from features and narrations
    discover.py   both, and the steps of another video

Differs from the published method: half-alike phrases share a slot at half the gain (the narrations of the
task decide which are, see
``sayso.text.language.phrases``), slots that a swap split are joined, the regression has a free
bias, and the relaxed times are improved in turns with the regression (``turns=0`` leaves that out).

Source
    Alayrac, Bojanowski, Agrawal, Sivic, Laptev, Lacoste-Julien, "Unsupervised Learning from Narrated
    Instruction Videos", CVPR 2016. https://arxiv.org/abs/1506.09215
"""

from sayso.core.lazy import exports

__getattr__ = exports(
    __name__,
    {
        "Discovery": "sayso.systems.instruction_steps.discover",
        "NarratedVideo": "sayso.systems.instruction_steps.discover",
        "Place": "sayso.systems.instruction_steps.discover",
        "Recipe": "sayso.systems.instruction_steps.discover",
        "StepModel": "sayso.systems.instruction_steps.discover",
        "discover_script": "sayso.systems.instruction_steps.script",
        "discover_steps": "sayso.systems.instruction_steps.discover",
        "place_steps": "sayso.systems.instruction_steps.places",
    },
)

__all__ = [
    "Discovery",
    "NarratedVideo",
    "Place",
    "Recipe",
    "StepModel",
    "discover_script",
    "discover_steps",
    "place_steps",
]
