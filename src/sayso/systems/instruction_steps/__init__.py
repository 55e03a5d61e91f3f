"""Many people show the same task and narrate it: find its steps, their names, and when they happen.

Stage 1 aligns the narrations. Verbs with their objects ("loosen nut") that many narrations
mention in the same order are the steps; their commonest phrases are the names.

Stage 2 finds each step in each video by discriminative clustering: a linear classifier for
each step, and one time for each step in each video, in order and within its narration window,
such that the classifiers explain the times best. The classifiers find the steps in a new video.

    script.py        stage 1: the steps, from the narrations
    localization.py  stage 2: when they happen, from features and narrations
    lag.py           how long after its word a step is seen
    recipe.py        what can be chosen
    discover.py      both, and the steps of another video
    folder.py        a folder of narrated videos
    result.py        what was found, as rows and as files
    pipeline.py      from a folder to a result: ``run`` and ``apply``

Differs from the published method: half-alike phrases share a slot at half the gain (the narrations of the
task decide which are, see ``sayso.text.language.phrases``), slots that a swap split are joined, the
regression has a free bias, and the relaxed times are improved by alternating minimisation with the
regression (``alternations=0`` leaves that out). Narration windows, unless given, follow from the videos.

Source
    Alayrac, Bojanowski, Agrawal, Sivic, Laptev, Lacoste-Julien, "Unsupervised Learning from Narrated
    Instruction Videos", CVPR 2016. https://arxiv.org/abs/1506.09215
"""

from typing import TYPE_CHECKING

from sayso.core.lazy import exports

if TYPE_CHECKING:
    from sayso.systems.instruction_steps.discover import (
        Discovery,
        NarratedVideo,
        StepLocation,
        StepModel,
        discover_steps,
    )
    from sayso.systems.instruction_steps.localization import localize_steps
    from sayso.systems.instruction_steps.pipeline import StepsOptions, apply, run
    from sayso.systems.instruction_steps.recipe import StepsRecipe
    from sayso.systems.instruction_steps.result import StepsResult
    from sayso.systems.instruction_steps.script import discover_script
else:
    __getattr__ = exports(
        __name__,
        {
            "Discovery": "sayso.systems.instruction_steps.discover",
            "NarratedVideo": "sayso.systems.instruction_steps.discover",
            "StepLocation": "sayso.systems.instruction_steps.discover",
            "StepModel": "sayso.systems.instruction_steps.discover",
            "StepsOptions": "sayso.systems.instruction_steps.pipeline",
            "StepsRecipe": "sayso.systems.instruction_steps.recipe",
            "StepsResult": "sayso.systems.instruction_steps.result",
            "apply": "sayso.systems.instruction_steps.pipeline",
            "discover_script": "sayso.systems.instruction_steps.script",
            "discover_steps": "sayso.systems.instruction_steps.discover",
            "localize_steps": "sayso.systems.instruction_steps.localization",
            "run": "sayso.systems.instruction_steps.pipeline",
        },
    )

__all__ = [
    "Discovery",
    "NarratedVideo",
    "StepLocation",
    "StepModel",
    "StepsOptions",
    "StepsRecipe",
    "StepsResult",
    "apply",
    "discover_script",
    "discover_steps",
    "localize_steps",
    "run",
]
