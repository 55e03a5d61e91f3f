"""Embedded colour profiles are applied."""

from __future__ import annotations

import io
import struct
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from sayso.media import read_image
from sayso.media.colours import to_rgb

P3 = [[0.51512, 0.2412, -0.00105], [0.29198, 0.69225, 0.04189], [0.1571, 0.06657, 0.78407]]
SRGB = [[0.43607, 0.22249, 0.01392], [0.38515, 0.71687, 0.09708], [0.14307, 0.06061, 0.7141]]


def fixed(value: float) -> bytes:
    return struct.pack(">i", round(value * 65536))


def profile(primaries, gamma=2.2) -> bytes:
    """Return an ICC profile (version 2) of three primaries in XYZ (D50) and a gamma."""
    points = {
        name: b"XYZ " + bytes(4) + b"".join(map(fixed, xyz))
        for name, xyz in zip("rgb", primaries, strict=True)
    }
    tags = {f"{name}XYZ": data for name, data in points.items()}
    tags["wtpt"] = b"XYZ " + bytes(4) + b"".join(map(fixed, (0.9642, 1.0, 0.8249)))
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    tags |= {f"{name}TRC": curve for name in "rgb"}
    tags["desc"] = b"desc" + bytes(4) + struct.pack(">I", 5) + b"test\0" + bytes(78)
    tags["cprt"] = b"text" + bytes(4) + b"none\0" + bytes(3)
    table, body, at = b"", b"", 132 + 12 * len(tags)
    for name, raw in tags.items():
        data = raw + bytes(-len(raw) % 4)
        table += name.encode() + struct.pack(">II", at + len(body), len(data))
        body += data
    head = struct.pack(">I4sI4s4s4s", at + len(body), b"\0\0\0\0", 0x02400000, b"mntr", b"RGB ", b"XYZ ")
    head += bytes(12) + b"acsp" + bytes(28) + b"".join(map(fixed, (0.9642, 1.0, 0.8249)))
    return head + bytes(128 - len(head)) + struct.pack(">I", len(tags)) + table + body


def meant(colour, primaries) -> np.ndarray:
    """Return what a colour of these primaries, gamma 2.2, is in sRGB."""
    linear = (np.array(colour) / 255) ** 2.2 @ np.array(primaries) @ np.linalg.inv(SRGB)
    linear = np.clip(linear, 0, 1)
    return 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP"])
@pytest.mark.parametrize("primaries", [P3, SRGB[::-1]])
def test_a_profile_is_applied(tmp_path, kind, primaries):
    for colour in ((200, 60, 40), (40, 180, 70), (128, 128, 128), (255, 255, 255)):
        options = {"quality": 100, "lossless": True} if kind == "WEBP" else {"quality": 100}
        path = tmp_path / "photo"
        Image.new("RGB", (32, 24), colour).save(path, kind, icc_profile=profile(primaries), **options)
        found = read_image(path).getpixel((10, 10))
        assert found == pytest.approx(meant(colour, primaries), abs=4)


def test_a_profile_beside_transparency(tmp_path):
    image = Image.new("RGBA", (32, 24), (200, 60, 40, 255))
    image.paste((0, 0, 0, 0), (16, 0, 32, 24))
    image.save(tmp_path / "photo.png", icc_profile=profile(P3))
    read = read_image(tmp_path / "photo.png")
    assert read.getpixel((4, 4)) == pytest.approx(meant((200, 60, 40), P3), abs=3)
    assert read.getpixel((28, 4)) == (255, 255, 255)


def test_a_profile_that_is_damaged_or_for_other_colours_says_nothing(tmp_path):
    for k, (mode, data) in enumerate((("RGB", b"no profile"), ("L", profile(P3)), ("CMYK", profile(P3)))):
        plain, other = io.BytesIO(), tmp_path / f"{k}.tiff"
        image = Image.new(mode, (8, 8), 90 if mode == "L" else (90, 10, 20) + (0,) * (mode == "CMYK"))
        image.save(plain, "TIFF")
        image.save(other, "TIFF", icc_profile=data)
        assert read_image(other).getpixel((4, 4)) == image.convert("RGB").getpixel((4, 4))


@pytest.mark.parametrize("turn", [1, 2, 3, 5, 6, 8])
@pytest.mark.parametrize("kind", ["HEIF", "AVIF", "JPEG", "WEBP", "PNG", "TIFF"])
@pytest.mark.parametrize("by_container", [False, True])
def test_pictures_are_upright_whatever_keeps_their_turn(tmp_path, kind, turn, by_container):
    if kind == "HEIF":
        pytest.importorskip("pillow_heif").register_heif_opener()
    quarters = np.zeros((48, 96, 3), np.uint8)
    quarters[:24, :48], quarters[:24, 48:], quarters[24:, :48] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    image = Image.fromarray(quarters)
    exif = image.getexif()
    exif[0x0112] = turn
    image.save(tmp_path / "turned", kind, exif=exif.tobytes() if by_container else exif, quality=95)
    upright = {1: "rgb", 2: "grk", 3: "kbg", 5: "rbg", 6: "brk", 8: "gkr"}[turn]
    read = read_image(tmp_path / "turned")
    assert (read.width > read.height) == (turn < 5)
    corners = [read.getpixel(at) for at in ((3, 3), (read.width - 4, 3), (3, read.height - 4))]
    named = ["rgb"[int(np.argmax(corner))] if max(corner) > 128 else "k" for corner in corners]
    assert "".join(named) == upright


def test_the_report(shared_data):
    path = shared_data / "reports" / "icc_profile" / "icc_swapped.png"
    if not path.exists():
        pytest.skip("no reports here")
    image = read_image(path)
    quarters = [image.getpixel((x * image.width // 4, y * image.height // 4)) for y in (1, 3) for x in (1, 3)]
    expected = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (200, 200, 200)]
    assert np.abs(np.subtract(quarters, expected)).max() <= 6


def any_mode(mode):
    """Return a picture of many colours, of the mode that is asked for."""
    rng = np.random.default_rng(0)
    rgba = Image.fromarray(rng.integers(0, 256, (37, 23, 4), np.uint8), "RGBA")
    if mode in ("I;16", "F", "I"):
        deep = rng.integers(300, 40000, (37, 23))
        return Image.fromarray(deep.astype({"I;16": np.uint16, "F": np.float32, "I": np.int32}[mode]))
    if mode == "P":
        paletted = rgba.convert("RGB").quantize(16)
        paletted.info["transparency"] = 3
        return paletted
    return rgba.convert("RGB").convert(mode) if mode in ("CMYK", "LAB", "1") else rgba.convert(mode)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("icc", [False, True])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "L", "1", "P", "CMYK", "LAB", "I;16", "I", "F"])
def test_bands_are_converted_as_the_whole_is(mode, icc, monkeypatch):
    image = any_mode(mode)
    if icc:
        image.info["icc_profile"] = profile(P3)
    whole = to_rgb(image.copy())
    monkeypatch.setattr("sayso.media.colours._BAND_PIXELS", 23 * 5 + 2)
    bands = to_rgb(image.copy())
    assert (bands.mode, bands.size) == ("RGB", image.size)
    assert np.array_equal(np.asarray(whole), np.asarray(bands))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read as Linux counts it")
@pytest.mark.parametrize("name", ["rgba.png", "la.png", "i16.png", "float.tif", "cmyk.tif", "turned.png"])
def test_a_picture_costs_itself_and_its_result(tmp_path, name):
    side = 4000
    mode = {"rgba": "RGBA", "la": "LA", "i16": "I;16", "float": "F", "cmyk": "CMYK", "turned": "RGBA"}
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / name
    any_mode(mode[path.stem]).resize((side, side), Image.Resampling.NEAREST).save(
        path, **({"exif": exif} if path.stem == "turned" else {})
    )
    any_mode(mode[path.stem]).save(tmp_path / f"small_{name}")
    program = (
        "import resource, sys\nfrom sayso.media.images import read_image\n"
        "def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "read_image(sys.argv[2]); before = peak(); read_image(sys.argv[1]); print(peak() - before)"
    )
    command = [sys.executable, "-c", program, str(path), str(tmp_path / f"small_{name}")]
    taken_kb = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert taken_kb * 1024 <= 8 * side * side + 24e6, f"{taken_kb * 1024 / side**2:.1f} bytes a pixel"
