"""TFRecord files of YouTube-8M's form, written by the protobuf and crc32c packages."""

from __future__ import annotations

import struct
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

crc = pytest.importorskip("google_crc32c")
pb = pytest.importorskip("google.protobuf.descriptor_pb2")


@cache
def message_class() -> Any:
    """SequenceExample as TensorFlow declares it, built at run time."""
    from google.protobuf import descriptor_pool, message_factory

    file = pb.FileDescriptorProto(name="example.proto", package="t", syntax="proto3")
    kinds = pb.FieldDescriptorProto

    def message(name: str, *fields: tuple[str, int, int, str | None, bool]) -> None:
        made = file.message_type.add(name=name)
        for label, number, kind, of, repeated in fields:
            made.field.add(name=label, number=number, type=kind, type_name=of, label=3 if repeated else 1)

    message("BytesList", ("value", 1, kinds.TYPE_BYTES, None, True))
    message("FloatList", ("value", 1, kinds.TYPE_FLOAT, None, True))
    message("Int64List", ("value", 1, kinds.TYPE_INT64, None, True))
    lists = [("bytes_list", "BytesList"), ("float_list", "FloatList"), ("int64_list", "Int64List")]
    fields = [(name, k + 1, kinds.TYPE_MESSAGE, f".t.{of}", False) for k, (name, of) in enumerate(lists)]
    message("Feature", *fields)
    message("FeatureList", ("feature", 1, kinds.TYPE_MESSAGE, ".t.Feature", True))
    for outer, inner, name in (
        ("Features", "Feature", "feature"),
        ("FeatureLists", "FeatureList", "feature_list"),
    ):
        entry = "".join(part.capitalize() for part in name.split("_")) + "Entry"
        made = file.message_type.add(name=outer)
        nested = made.nested_type.add(name=entry)
        nested.options.map_entry = True
        nested.field.add(name="key", number=1, type=kinds.TYPE_STRING, label=1)
        nested.field.add(name="value", number=2, type=kinds.TYPE_MESSAGE, type_name=f".t.{inner}", label=1)
        made.field.add(name=name, number=1, type=kinds.TYPE_MESSAGE, type_name=f".t.{outer}.{entry}", label=3)
    message(
        "SequenceExample",
        ("context", 1, kinds.TYPE_MESSAGE, ".t.Features", False),
        ("feature_lists", 2, kinds.TYPE_MESSAGE, ".t.FeatureLists", False),
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("t.SequenceExample"))


def record(id_: str, ratings: list[tuple[int, int, float]], rgb: np.ndarray, audio: np.ndarray) -> bytes:
    example = message_class()()
    context = example.context.feature
    context["id"].bytes_list.value.append(id_.encode())
    context["labels"].int64_list.value.extend([3, -1, 2**40])
    context["segment_start_times"].int64_list.value.extend(start for start, _, _ in ratings)
    context["segment_end_times"].int64_list.value.extend(start + 5 for start, _, _ in ratings)
    context["segment_labels"].int64_list.value.extend(label for _, label, _ in ratings)
    context["segment_scores"].float_list.value.extend(score for _, _, score in ratings)
    for name, rows in (("rgb", rgb), ("audio", audio)):
        for row in rows:
            example.feature_lists.feature_list[name].feature.add().bytes_list.value.append(row.tobytes())
    return bytes(example.SerializeToString())


def masked(data: bytes) -> bytes:
    value = crc.value(data)
    return struct.pack("<I", ((value >> 15 | value << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def write_records(path: Path, *records: bytes) -> Path:
    with path.open("wb") as file:
        for one in records:
            length = struct.pack("<Q", len(one))
            file.write(length + masked(length) + one + masked(one))
    return path
