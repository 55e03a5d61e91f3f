"""What is missing is named, with the command that brings it."""

from __future__ import annotations

import pytest

from sayso.core.device import resolve_device
from sayso.core.errors import MissingExtra, SaysoError
from sayso.core.lazy import exports, need


def test_a_missing_package_is_one_sentence_with_the_command():
    with pytest.raises(MissingExtra, match=r"pip install .*\[hub\]'") as caught:
        need("no_such_package.part", "hub")
    assert caught.value.exit_code == 4
    assert caught.value.package == "no_such_package"


def test_names_are_imported_when_first_asked_for():
    lookup = exports("here", {"dumps": "json", "decoder": "json.decoder"})
    assert lookup("dumps")([1]) == "[1]"
    assert lookup("decoder").__name__ == "json.decoder"
    assert exports("here", {"glob": "glob"})("glob")("nothing like this") == []  # the function of the module
    with pytest.raises(AttributeError, match="'here' has no attribute 'other'"):
        lookup("other")


def test_a_device_that_is_not_there_is_told():
    pytest.importorskip("torch")
    assert resolve_device("cpu").type == "cpu"
    assert resolve_device().type in ("cpu", "cuda", "mps")
    with pytest.raises(SaysoError, match="'nonsense' cannot be used"):
        resolve_device("nonsense")
