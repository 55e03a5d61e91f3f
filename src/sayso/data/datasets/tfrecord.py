"""TFRecord files of SequenceExamples, read without TensorFlow.

A record is its length (8 bytes, little-endian), a checksum of those, its bytes and a checksum of them. Its
content is a protocol buffer: ``context`` maps names to lists of numbers or bytes, ``feature_lists`` maps
names to sequences of such lists. Only the five messages that this takes are known here.

Source
    https://www.tensorflow.org/tutorials/load_data/tfrecord; example.proto and feature.proto of TensorFlow
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sayso.core.errors import SaysoError
from sayso.core.lazy import need

Values = list[Any]  # bytes, floats or integers
_LARGEST = 1 << 30  # a longer record is a damaged length
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


@dataclass(frozen=True, slots=True)
class SequenceExample:
    """What a record holds: lists of values by name, and sequences of them by name."""

    context: dict[str, Values]
    sequences: dict[str, list[Values]]


def read_records(path: Path) -> Iterator[bytes]:
    """Yield the records of a file.

    Raises:
        SaysoError: where it is cut off or damaged; what comes before has been yielded.
        MissingExtra: if google-crc32c is not installed.
    """
    crc: Any = need("google_crc32c", "evaluate")

    def checked(data: bytes, checksum: bytes) -> bool:
        if len(checksum) < 4:
            return False
        value = crc.value(data)
        masked = (((value >> 15) | (value << 17)) + 0xA282EAD8) & 0xFFFFFFFF
        return bool(masked == struct.unpack("<I", checksum)[0])

    with path.open("rb") as file:
        while head := file.read(8):
            (length,) = struct.unpack("<Q", head) if len(head) == 8 else (0,)
            if not checked(head, file.read(4)) or length > _LARGEST:
                raise SaysoError(f"{path} is no TFRecord file, or damaged; fetch it again")
            record = file.read(length)
            if len(record) < length or not checked(record, file.read(4)):
                raise SaysoError(f"{path} is cut off or damaged at byte {file.tell():,}; fetch it again")
            yield record


def parse_sequence_example(record: bytes) -> SequenceExample:
    """Return the content of a record.

    Raises:
        ValueError: if it is no SequenceExample.
    """
    context: dict[str, Values] = {}
    sequences: dict[str, list[Values]] = {}
    for number, part in _fields(record):
        if number == 1:
            context |= {name: _values(value) for name, value in _entries(part)}
        elif number == 2:
            for name, value in _entries(part):
                sequences[name] = [_values(one) for field, one in _fields(value) if field == 1]
    return SequenceExample(context, sequences)


def _entries(message: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the keys and values of a map."""
    for field, entry in _fields(message):
        if field == 1:
            parts = dict(_fields(entry))
            yield parts.get(1, b"").decode(), parts.get(2, b"")


def _values(feature: bytes) -> Values:
    """Return the list of a Feature: of bytes (1), of floats (2) or of integers (3)."""
    for kind, content in _fields(feature):
        parts = [value for field, value in _fields(content) if field == 1]
        if kind == 1:
            return parts
        if kind == 2:
            return [number for part in parts for (number,) in struct.iter_unpack("<f", part)]
        if kind == 3:
            return [number for part in parts for number in _varints(part)]
    return []


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield number and content of each field of a message; numbers by their bytes.

    Raises:
        ValueError: if it is cut off, or of no known form.
    """
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        kind = tag & 7
        if kind == _BYTES:
            length, at = _varint(message, at)
        elif kind == _VARINT:
            length = _varint(message, at)[1] - at
        elif kind in (_FIXED64, _FIXED32):
            length = 8 if kind == _FIXED64 else 4
        else:
            raise ValueError(f"no field has the form {kind}")
        if at + length > len(message):
            raise ValueError("a field is longer than its message")
        yield tag >> 3, message[at : at + length]
        at += length


def _varints(packed: bytes) -> Iterator[int]:
    at = 0
    while at < len(packed):
        number, at = _varint(packed, at)
        yield number - (1 << 64) if number >> 63 else number


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """Return the number that begins at a byte, and where it ends."""
    number = shift = 0
    while at < len(message) and shift < 70:
        byte = message[at]
        number, shift, at = number | (byte & 0x7F) << shift, shift + 7, at + 1
        if byte < 0x80:
            return number, at
    raise ValueError("a number is cut off")
