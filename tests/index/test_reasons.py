"""What LanceDB says of a store or a table becomes words for people."""

from __future__ import annotations

import pytest

from sayso.index.reasons import reason_of

S3 = "lance error: LanceError(IO): Generic S3 error: "


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (f"{S3}Failed to resolve region for bucket 'b', /build/x/aws.rs:319:13", "no such bucket"),
        (
            f"{S3}Server returned 403 Forbidden: <Error><Code>AccessDenied</Code>",
            "access is denied; set AWS_",
        ),
        (f"{S3}the credential provider was not enabled", "access is denied; set AWS_"),
        (f"{S3}error sending request for url (http://localhost:1/b)", "the store does not answer"),
        (
            "lance error: Invalid input, Tail is outside, /build/.cargo/a-1/src/v2/reader.rs:12:7",
            "Invalid input, Tail",
        ),
    ],
)
def test_reasons(said, reason):
    found = reason_of(RuntimeError(said))
    assert reason in found
    assert ".rs" not in found and "\n" not in found and len(found) <= 200
