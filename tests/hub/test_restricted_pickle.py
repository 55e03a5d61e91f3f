"""Arrays, tensors, containers and strings come out as they went in; nothing else is ever called."""

from __future__ import annotations

import os
import pickle
from collections import OrderedDict

import numpy as np
import pytest
import torch

from sayso.core.errors import SaysoError
from sayso.hub.restricted_pickle import read_numbers, read_tensors


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_numbers_come_back(tmp_path, protocol):
    rows = [{"2d": np.arange(6, dtype=np.float32) * k, "id": f"v{k}", "n": np.float64(k)} for k in range(3)]
    held = OrderedDict(rows=rows, t=torch.arange(3.0), e=np.asfortranarray(np.eye(3)), b=b"\xff", s={1, 2})
    path = tmp_path / "some.pkl"
    path.write_bytes(pickle.dumps(held, protocol))
    found = read_numbers(path)
    assert list(found) == list(held)
    for one, other in zip(found["rows"], rows, strict=True):
        assert (one["2d"] == other["2d"]).all() and (one["id"], one["n"]) == (other["id"], other["n"])
    assert (found["e"] == held["e"]).all() and torch.equal(found["t"], held["t"])
    assert (found["b"], found["s"]) == (b"\xff", {1, 2})


class _Call:
    def __init__(self, *call):
        self.call = call

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    "wanted",
    [
        _Call(os.system, ("touch {}",)),
        _Call(eval, ("open('{}', 'w')",)),
        _Call(np.load, ("{}",)),
        _Call(np.memmap, ("{}", "uint8", "w+", 0, (8,))),
        _Call(torch.load, ("{}",)),
        _Call(getattr, (np, "load")),
    ],
)
def test_nothing_else_is_called(tmp_path, wanted):
    path, mark = tmp_path / "bad.pkl", tmp_path / "mark"
    function, arguments = wanted.call
    texts = tuple(one.format(mark) if isinstance(one, str) else one for one in arguments)
    harmful = _Call(function, texts) if function is not getattr else _Call(getattr, (np.dtype, "type"))
    for content in (harmful, [{"2d": harmful}], np.array([harmful], dtype=object)):
        path.write_bytes(pickle.dumps(content))
        with pytest.raises(SaysoError, match="only arrays, tensors, containers and strings"):
            read_numbers(path)
    assert not mark.exists()


def test_a_tensor_cannot_smuggle_a_program(tmp_path):
    """A tensor's storage is a file of torch's, whose own pickle is read with weights_only."""
    mark, path, inner = tmp_path / "mark", tmp_path / "bad.pkl", tmp_path / "inner.pt"
    torch.save({"x": _Call(os.mkdir, (str(mark),))}, inner)
    path.write_bytes(pickle.dumps(_Call(torch.storage._load_from_bytes, (inner.read_bytes(),))))
    with pytest.raises(SaysoError, match=r"cannot be read|damaged"):
        read_numbers(path)
    assert not mark.exists()


def test_says_what_is_wrong(tmp_path):
    with pytest.raises(SaysoError, match=r"none\.pkl cannot be read: No such file"):
        read_numbers(tmp_path / "none.pkl")
    whole = pickle.dumps([np.arange(9)])
    (tmp_path / "cut.pkl").write_bytes(whole[:-9])
    with pytest.raises(SaysoError, match=r"cut\.pkl (are damaged|cannot be read)"):
        read_numbers(tmp_path / "cut.pkl")


class _Made:
    """Pickled as a call, and a state."""

    def __init__(self, *parts):
        self.parts = parts

    def __reduce__(self):
        return self.parts


FIELDS = _Made(np.dtype, ("V8", False, True), (3, "|", None, ("a",), {"a": (np.dtype("O"), 0)}, 8, 1, 0))
OBJECTS = np.dtype("O")


@pytest.mark.parametrize(
    "content",
    [
        _Made(np.ndarray(0).__reduce_ex__(5)[0], (b"A" * 8, FIELDS, (1,), "C")),
        _Made(np.ndarray(0).__reduce_ex__(5)[0], (b"A" * 8, OBJECTS, (1,), "C")),
        _Made(np.float64(0).__reduce__()[0], (OBJECTS, b"A" * 8)),
        _Made(np.dtype, ("i4,O", False, True)),
        _Made(np.dtype, ([("a", "O")],)),
    ],
)
def test_bytes_never_become_objects(content, tmp_path):
    """Eight bytes of a file, taken as a pointer, would be followed."""
    path = tmp_path / "evil.pkl"
    path.write_bytes(pickle.dumps(content))
    with pytest.raises(SaysoError, match=r"cannot be read|damaged"):
        read_numbers(path)


def test_nothing_but_arrays_is_changed(tmp_path):
    named = b"c_codecs\nencode\n"
    path = tmp_path / "evil.pkl"
    path.write_bytes(b"\x80\x02" + named + b"N}U\x0c__defaults__Ns\x86b.")
    with pytest.raises(SaysoError, match="no array"):
        read_numbers(path)


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_types_of_numpy_stay_as_they_are_and_byte_orders_are_kept(protocol, tmp_path):
    path = tmp_path / "numbers.pkl"
    told = {
        "big": np.arange(3, dtype=">f4"),
        "text": np.array(["a", "bc"]),
        "any": np.array([{"x": 1}], object),
    }
    path.write_bytes(pickle.dumps(told, protocol=protocol))
    found = read_numbers(path)
    assert found["big"].tolist() == [0, 1, 2]
    assert found["big"].dtype == pickle.loads(path.read_bytes())["big"].dtype
    assert found["text"].tolist() == ["a", "bc"] and found["any"][0] == {"x": 1}
    assert np.dtype("f4") == np.float32 and np.dtype("f4").isnative


def test_a_device_that_is_full_says_nothing_of_the_file(tmp_path, monkeypatch):
    torch.save({"a": torch.ones(2)}, tmp_path / "state.pt")

    def full(*_, **__):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(torch, "load", full)
    with pytest.raises(torch.cuda.OutOfMemoryError):
        read_tensors(tmp_path / "state.pt")
