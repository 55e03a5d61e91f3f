"""What is found by name, here and in packages outside."""

from __future__ import annotations

import sys

import pytest

from sayso.core.errors import SaysoError
from sayso.core.registry import Registry

SHAPES = {"span": "sayso.core.types:Span", "box": "sayso.core.types:Box"}


@pytest.fixture
def outside(tmp_path, monkeypatch):
    """A package outside that declares two shapes, one of which cannot be loaded."""
    (tmp_path / "circles.py").write_text("class Circle:\n    radius = 3\n")
    info = tmp_path / "circles-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: circles\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[sayso.shapes]\ncircle = circles:Circle\nbroken = circles:Square\nbox = circles:Circle\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    sys.modules.pop("circles", None)


def test_its_own_are_imported_when_they_are_asked_for():
    from sayso.core.types import Span

    registry: Registry[type] = Registry("shape", "sayso.shapes", SHAPES)
    assert registry["span"] is Span
    assert list(registry) == ["span", "box"]
    assert "span" in registry and "circle" not in registry


def test_those_of_other_packages_are_found_by_entry_point_and_never_hide_its_own(outside):
    from sayso.core.types import Box

    registry: Registry[type] = Registry("shape", "sayso.shapes", SHAPES)
    assert registry["circle"].radius == 3
    assert list(registry) == ["span", "box", "broken", "circle"]
    assert registry["box"] is Box


def test_an_unknown_name_and_a_broken_package_are_one_sentence(outside):
    registry: Registry[type] = Registry("shape", "sayso.shapes", SHAPES)
    with pytest.raises(SaysoError, match="there is no shape 'spam'; did you mean 'span'"):
        registry["spam"]
    with pytest.raises(SaysoError, match="there is no shape 'zzz'; there are span, box, broken, circle"):
        registry["zzz"]
    with pytest.raises(SaysoError, match="the shape 'broken' cannot be loaded from circles:Square"):
        registry["broken"]
