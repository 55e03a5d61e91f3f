"""Videos in plain colours that say what they show: real files with captions beside them."""

from __future__ import annotations

import numpy as np

from sayso.core.types import Caption, Span
from sayso.text import write_vtt
from toy import COLOURS, make_video

SHOWN = ["red", "green", "blue"]


def narrate(folder, name, colours=SHOWN, seconds_each=4.0):
    """Write a video that says what colour it shows; captions last three of four seconds."""
    video = make_video(folder / f"{name}.mp4", colours, seconds_each)
    said = [
        Caption(Span(seconds_each * i, seconds_each * (i + 0.75)), f"{name} {colour}")
        for i, colour in enumerate(colours)
    ]
    video.with_suffix(".vtt").write_text(write_vtt(said), encoding="utf-8")
    return video


def colour_of(frames):
    """Return the name of the colour that frames (..., 3) show on average."""
    mean = np.asarray(frames, np.float64).reshape(-1, 3).mean(0)
    return min(COLOURS, key=lambda name: np.abs(mean - COLOURS[name]).sum())
