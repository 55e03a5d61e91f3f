"""The route that answers questions about a moment, word by word."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, Field

from sayso.core.errors import MediaError
from sayso.generators.media_part import MediaPart
from sayso.generators.prompt import Exchange, Prompt
from sayso.serve.api import PROBLEMS, Shared, find_media
from sayso.serve.body import OnDemand
from sayso.serve.budget import Spent

if TYPE_CHECKING:
    from sayso.generators import Generator
    from sayso.index import Media

LONGEST_S = 60.0  # of a video that is shown with a question
router = APIRouter(
    prefix="/api", responses=PROBLEMS | {503: {"description": "There is no model, or a queue."}}
)


class Said(BaseModel):
    """A question and its answer."""

    question: str = Field(max_length=2000)
    answer: str = Field(max_length=8000)


class Question(BaseModel):
    """What is asked about a picture or a stretch of a video of the index."""

    media_id: str = Field(max_length=200)
    start_s: float = Field(0.0, ge=0, description="Of the stretch; a picture has none.")
    end_s: float = Field(0.0, ge=0)
    question: str = Field(min_length=1, max_length=2000)
    before: list[Said] = Field([], max_length=8, description="What was said, oldest first.")


@router.post("/ask", response_model=None, response_class=OnDemand)
def ask_about(held: Shared, spent: Spent, asked: Question) -> OnDemand:
    """Answer a question about a moment: plain text, sent as it is made, by a model that may be wrong."""
    file = held.place(asked.media_id, "file")
    media = find_media(file)
    before = [Exchange(said.question, (), said.answer) for said in asked.before]
    with spent.decodes.turn():
        pixels = _pixels(media, asked)
    prompt = Prompt.ask(asked.question, [pixels], shots=before)
    answering = file.holdings.answering
    headers = {"content-type": "text/plain; charset=utf-8", "cache-control": "no-store"}
    return OnDemand(answering.answer(prompt), headers=headers | _maker(answering.model))


def _maker(model: Generator) -> dict[str, str]:
    """Return who made an answer, as headers hold it: ASCII alone."""
    named = {"sayso-model": model.name, "sayso-made-by": model.made_by}
    return {key: value.encode("ascii", "replace").decode() for key, value in named.items()}


def _pixels(media: Media, asked: Question) -> Any:
    """Return what is shown, or answer 404 if it cannot be read."""
    path = Path(media.path)
    if media.kind == "picture":
        shown = MediaPart(path)
    elif asked.end_s > asked.start_s:
        shown = MediaPart(path, asked.start_s, min(asked.end_s, asked.start_s + LONGEST_S))
    else:
        shown = MediaPart(path, asked.start_s)
    try:
        return shown.read()
    except MediaError as error:
        raise HTTPException(404, str(error)) from error
