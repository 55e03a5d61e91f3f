"""LanceDB is imported without the classes of a client that no index needs; they are there once asked for."""

from __future__ import annotations

import subprocess

from command import python
from waiting import PATIENCE_S

CODE = """
import sys
from sayso.index.lance import CLIENT, import_lancedb

lancedb = import_lancedb()
assert import_lancedb() is lancedb
assert not [name for name in sys.modules if name.startswith(CLIENT)], "the client is loaded"
assert not sys.meta_path[0].__class__.__module__.startswith("sayso")

import lance_namespace
from lance_namespace import CreateTableRequest
made = CreateTableRequest(id=["a", "b"])

from lance_namespace_urllib3_client.models import CreateTableRequest as Real
assert type(made) is Real and made.id == ["a", "b"]
assert isinstance(made, CreateTableRequest) and not isinstance(3, CreateTableRequest)
assert CreateTableRequest.from_dict({"id": ["c"]}).id == ["c"]
assert CreateTableRequest.model_fields.keys() == Real.model_fields.keys()

import overrides
class Above:
    def method(self): return 1
try:
    class Below(Above):
        @overrides.override
        def missing(self): return 2
except TypeError:
    print("as ever")
"""


def test_classes_of_the_client_are_loaded_when_they_are_used():
    done = subprocess.run(python(CODE), capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert (done.stdout, done.returncode) == ("as ever\n", 0), done.stderr
