"""A toy world: narrated how-to videos of which everything is known, drawn in seconds.

Things have names and looks, actions are seen only as motion, tasks are ordered steps, and
a narrator names them too early or too late, between chatter. For tests, tutorials and
claims about methods that need truth; nothing is downloaded. It is a test bench, no
replacement for real data.
"""

from typing import TYPE_CHECKING

from sayso.core.lazy import exports

if TYPE_CHECKING:
    from sayso.toyworld.captioned import write_captioned
    from sayso.toyworld.howto import HowTo, Narration, held_out_videos, training_video
    from sayso.toyworld.sample import write_sample
    from sayso.toyworld.scenes import write_scenes
    from sayso.toyworld.write import render, write_corpus
else:
    __getattr__ = exports(
        __name__,
        {
            "HowTo": "sayso.toyworld.howto",
            "Narration": "sayso.toyworld.howto",
            "held_out_videos": "sayso.toyworld.howto",
            "render": "sayso.toyworld.write",
            "training_video": "sayso.toyworld.howto",
            "write_captioned": "sayso.toyworld.captioned",
            "write_corpus": "sayso.toyworld.write",
            "write_sample": "sayso.toyworld.sample",
            "write_scenes": "sayso.toyworld.scenes",
        },
    )


__all__ = [
    "HowTo",
    "Narration",
    "held_out_videos",
    "render",
    "training_video",
    "write_captioned",
    "write_corpus",
    "write_sample",
    "write_scenes",
]
