"""One rule says whether connections are allowed."""

from __future__ import annotations

import pytest

from sayso.core.offline import NAMES, offline


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("value", "forbidden"), [("1", True), ("TRUE", True), (" yes ", True), ("on", True)])
def test_each_variable_forbids(monkeypatch, name, value, forbidden):
    monkeypatch.setenv(name, value)
    assert offline() is forbidden


@pytest.mark.parametrize("value", ["", "0", "no", "nope", "false"])
def test_other_words_forbid_nothing(monkeypatch, value):
    for name in NAMES:
        monkeypatch.setenv(name, value)
    assert not offline()
