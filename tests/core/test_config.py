"""What a recipe says arrives; what it must not say is refused with the nearest key."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.core.config import changed, read_recipe, to_toml, with_flags
from sayso.core.errors import SaysoError


@dataclass(frozen=True)
class Recipe:
    steps: int = 10
    lr: float = 1e-3
    flip: bool = True
    pool: Literal["max", "mean"] = "max"
    words: str | None = None
    sizes: tuple[float, ...] = (1.0, 2.0)


def test_a_file_and_flags_change_what_they_name(tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text('steps = 20\nlr = 1\nwords = "learned"\nsizes = [0.7, 1]\n')
    recipe = read_recipe(Recipe(), path)
    assert recipe == Recipe(steps=20, lr=1.0, words="learned", sizes=(0.7, 1))
    assert isinstance(recipe.lr, float)
    assert with_flags(recipe, ["pool=mean", "lr=3e-4", "flip=false", 'words="a=b"']) == Recipe(
        20, 3e-4, False, "mean", "a=b", (0.7, 1)
    )


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"step": 3}, "here has the unknown key 'step'; did you mean 'steps'?"),
        ({"zzz": 3}, "here has the unknown key 'zzz'; known keys are steps, lr, flip, pool, words, sizes"),
        ({"steps": 3.5}, "here: steps must be a whole number; got 3.5"),
        ({"steps": True}, "here: steps must be a whole number; got True"),
        ({"lr": "fast"}, "here: lr must be a number; got 'fast'"),
        ({"flip": 1}, "here: flip must be true or false; got 1"),
        ({"pool": "sum"}, "here: pool must be one of 'max', 'mean'; got 'sum'"),
        ({"words": 1}, "here: words must be a text; got 1"),
        ({"sizes": ["a"]}, "here: sizes must be a list, each item a number; got ['a']"),
    ],
)
def test_refuses_in_one_sentence(said, sentence):
    with pytest.raises(SaysoError) as caught:
        changed(Recipe(), said, where="here")
    assert str(caught.value) == sentence


def test_refuses_files_and_flags_that_are_none(tmp_path):
    (tmp_path / "bad.toml").write_text("steps = = 3")
    for path in (tmp_path / "bad.toml", tmp_path / "none.toml"):
        with pytest.raises(SaysoError, match=f"recipe .*{path.name} cannot be read"):
            read_recipe(Recipe(), path)
    with pytest.raises(SaysoError, match="--set takes key=value; got 'steps'"):
        with_flags(Recipe(), ["steps"])


@given(
    st.builds(
        Recipe,
        steps=st.integers(-(2**60), 2**60),
        lr=st.floats(allow_nan=False),
        words=st.none() | st.text(),
        sizes=st.lists(st.floats(allow_nan=False)).map(tuple),
    )
)
def test_what_is_written_reads_the_same(recipe):
    assert changed(Recipe(), tomllib.loads(to_toml(recipe)), where="here") == recipe
