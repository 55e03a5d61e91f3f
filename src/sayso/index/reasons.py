"""What went wrong below LanceDB, in words for people: no places in its source, and what to do of a store."""

from __future__ import annotations

import re

_SOURCE = re.compile(r",? ?\S*/[\w.-]+\.rs:\d+(:\d+)?")
_BUCKET = re.compile(r"resolve region|NoSuchBucket|bucket does not exist", re.IGNORECASE)
_DENIED = re.compile(
    r"AccessDenied|Forbidden|\b403\b|credential|SignatureDoesNotMatch|InvalidAccessKey", re.IGNORECASE
)
_SILENT = re.compile(r"\bdns\b|connect|timed? ?out|error sending request", re.IGNORECASE)
_STORE = re.compile(r"Generic \w+ error|object.?store|NoSuchBucket|AccessDenied", re.IGNORECASE)
_SAYS = (
    (_BUCKET, "there is no such bucket, or its region cannot be found; look at its name"),
    (_DENIED, "access is denied; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
    (_SILENT, "the store does not answer; look at the network and at AWS_ENDPOINT"),
)


def reason_of(error: BaseException) -> str:
    """Return why an index cannot be read or written, without an end."""
    said = " ".join(str(error).split())
    if _STORE.search(said):
        for pattern, sentence in _SAYS:
            if pattern.search(said):
                return sentence
    return _SOURCE.sub("", said)[:200].removeprefix("lance error: ").rstrip(" .,")
