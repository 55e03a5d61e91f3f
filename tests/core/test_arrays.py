"""Files of arrays: what is damaged, pickled or no array is one sentence, without advice to run it."""

from __future__ import annotations

import contextlib
import pickle
import random

import numpy as np
import pytest

from sayso.core.arrays import read_array, read_arrays
from sayso.core.errors import SaysoError
from sayso.hub.restricted_pickle import read_tensors

ADVICE = ("allow_pickle", "weights_only", "safe_globals", "trust")


class _Runs:
    def __reduce__(self):
        return print, ("a pickle ran",)


@pytest.mark.parametrize("mapped", [False, True])
def test_what_is_read_is_what_was_written(tmp_path, mapped):
    for k, array in enumerate((np.arange(6.0).reshape(2, 3), np.zeros((0, 4)), np.array(["a", "bc"]))):
        np.save(tmp_path / f"{k}.npy", array)
        found = read_array(tmp_path / f"{k}.npy", "it", mapped=mapped)
        assert found.dtype == array.dtype and found.tolist() == array.tolist()
    np.savez(tmp_path / "x.npz", a=np.ones(3), b=np.zeros(2))
    assert {name: array.sum() for name, array in read_arrays(tmp_path / "x.npz", "it").items()} == {
        "a": 3,
        "b": 0,
    }


READERS = [read_array, lambda *given: read_array(*given, mapped=True), read_arrays]


@pytest.mark.parametrize("read", [*READERS, read_tensors])
def test_pickles_are_refused_without_advice_to_run_them(tmp_path, read, capfd):
    np.save(tmp_path / "objects", np.array([_Runs()], object), allow_pickle=True)
    np.savez(tmp_path / "archive", a=np.array([_Runs()], object))
    (tmp_path / "pickle").write_bytes(pickle.dumps(_Runs()))
    for name in ("objects.npy", "archive.npz", "pickle"):
        with pytest.raises(SaysoError, match=rf"^the weights .*{name} cannot be read: [^\n]*$") as caught:
            read(tmp_path / name, "the weights")
        assert not any(word in str(caught.value) for word in ADVICE)
    assert "ran" not in capfd.readouterr().out


def test_what_torch_was_asked_for_is_named(tmp_path):
    import torch

    torch.save({"a": print}, tmp_path / "x.pt")
    with pytest.raises(SaysoError, match="it wants print, and only tensors, containers and strings are read"):
        read_tensors(tmp_path / "x.pt", "the checkpoint")


def test_every_damage_is_a_sentence_or_an_array(tmp_path):
    rng = random.Random(0)
    np.save(tmp_path / "a.npy", np.arange(60.0).reshape(6, 10))
    np.savez(tmp_path / "b.npz", a=np.arange(5), b=np.ones((3, 3)))
    for name in ("a.npy", "b.npz"):
        whole = (tmp_path / name).read_bytes()
        for k in range(300):
            content = bytearray(whole[: rng.randrange(len(whole))] if k % 3 == 0 else whole)
            for _ in range(rng.randint(1, 4)):
                if content:
                    content[rng.randrange(len(content))] = rng.randrange(256)
            (tmp_path / "x").write_bytes(content)
            for read in READERS:
                with contextlib.suppress(SaysoError):
                    read(tmp_path / "x", "it")
