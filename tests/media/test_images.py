from __future__ import annotations

import io
import struct
import subprocess
import sys
import threading
import warnings
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from sayso.core.errors import MediaError, SaysoError
from sayso.media import read_image, thumbnail


def photo(width=80, height=60):
    """A picture with no two corners alike, smooth enough for JPEG."""
    x, y = np.linspace(0, 1, width), np.linspace(0, 1, height)[:, None]
    rgb = np.stack([255 * x + 0 * y, 255 * y + 0 * x, 120 + 0 * x * y], -1)
    return Image.fromarray(rgb.astype(np.uint8))


def difference(a, b):
    """Return how far two pictures are apart on average."""
    return np.abs(np.asarray(a, int) - np.asarray(b, int)).mean()


LOSSLESS = "PNG GIF BMP TIFF WEBP PPM TGA PCX SGI DIB MSP XBM ICO DDS QOI JPEG2000".split()  # noqa: SIM905


@pytest.mark.parametrize("format_", [*LOSSLESS, "JPEG", "AVIF", "MPO"])
def test_every_format(tmp_path, format_):
    Image.init()
    if format_ not in Image.SAVE:
        pytest.skip("this Pillow does not write it")
    mode = "1" if format_ in ("XBM", "MSP") else "RGB"
    picture = photo(64, 64).convert(mode)
    options = {"lossless": True} if format_ == "WEBP" else {}
    picture.save(tmp_path / "any.thing", format_, **options)
    image = read_image(tmp_path / "any.thing")
    assert (image.mode, image.size) == ("RGB", (64, 64))
    assert difference(image, picture.convert("RGB")) < (
        12 if format_ in ("GIF", "JPEG", "AVIF", "MPO") else 0.01
    )


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_format_that_pillow_will_drop(tmp_path):
    photo().save(tmp_path / "old.im")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert difference(read_image(tmp_path / "old.im"), photo()) == 0


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_turned_as_exif_says(tmp_path, orientation, format_):
    """Against the definition: row 0 and column 0 of the stored picture lie on these visual sides."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = photo()
    stored.save(tmp_path / "turned", format_, exif=exif, **({"lossless": True} if format_ == "WEBP" else {}))
    sides = {
        1: "top left",
        2: "top right",
        3: "bottom right",
        4: "bottom left",
        5: "left top",
        6: "right top",
        7: "right bottom",
        8: "left bottom",
    }
    row_side, column_side = sides[orientation].split()
    shown = np.asarray(read_image(tmp_path / "turned"))
    expected = np.asarray(stored)
    if row_side in ("left", "right"):
        expected = expected.transpose(1, 0, 2)
    if "bottom" in (row_side, column_side):
        expected = expected[::-1]
    if "right" in (row_side, column_side):
        expected = expected[:, ::-1]
    assert shown.shape == expected.shape
    assert difference(shown, expected) < 3


def test_damaged_exif_says_nothing(tmp_path):
    photo().save(tmp_path / "a.jpg", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    photo().save(tmp_path / "b.jpg", exif=b"Exif\0\0garbage of another kind")
    for name in ("a.jpg", "b.jpg"):
        assert difference(read_image(tmp_path / name), photo()) < 3


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparent_pixels_lie_on_white(tmp_path, mode):
    alpha = Image.new("L", (80, 60), 255)
    alpha.paste(0, (0, 0, 40, 60))
    picture = photo()
    picture.putalpha(alpha)
    picture = picture.quantize(200) if mode == "P" else picture.convert(mode)
    picture.save(tmp_path / "alpha.png")
    shown = np.asarray(read_image(tmp_path / "alpha.png"))
    assert (shown[:, :40] == 255).all()
    wanted = photo().convert("L").convert("RGB") if mode == "LA" else photo()
    assert difference(shown[:, 40:], np.asarray(wanted)[:, 40:]) < 6


def test_half_transparent_pixels_are_mixed_with_white(tmp_path):
    Image.new("RGBA", (4, 4), (200, 0, 100, 51)).save(tmp_path / "a.png")
    assert np.asarray(read_image(tmp_path / "a.png"))[0, 0].tolist() == pytest.approx([244, 204, 224], abs=1)


def test_a_transparent_colour_of_a_picture_without_alpha(tmp_path):
    picture = Image.new("RGB", (4, 4), (10, 20, 30))
    picture.putpixel((0, 0), (1, 2, 3))
    picture.save(tmp_path / "key.png", transparency=(1, 2, 3))
    shown = np.asarray(read_image(tmp_path / "key.png"))
    assert shown[0, 0].tolist() == [255, 255, 255]
    assert shown[1, 1].tolist() == [10, 20, 30]


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        (np.array([[0, 257 * 100, 65535]], np.uint16), [0, 100, 255]),
        (np.array([[0.0, 0.5, 1.0]], np.float32), [0, 128, 255]),
        (np.array([[0.0, 100.0, 255.0]], np.float32), [0, 100, 255]),
        (np.array([[-1.0, 0.0, 3.0]], np.float32), [0, 64, 255]),
        (np.array([[np.nan, 0.0, 1.0]], np.float32), [0, 0, 255]),
        (np.array([[0, 257 * 100, 65535]], np.int32), [0, 100, 255]),
        (np.array([[0, 500_000, 1_000_000]], np.int32), [0, 128, 255]),
    ],
)
def test_deep_pixels_are_scaled_not_clipped(tmp_path, values, shown):
    Image.fromarray(values).save(tmp_path / "deep.tif")
    assert np.asarray(read_image(tmp_path / "deep.tif"))[0, :, 0].tolist() == pytest.approx(shown, abs=1)


def test_a_16_bit_png(tmp_path):
    Image.fromarray(np.array([[0, 25700, 65535]], np.uint16)).save(tmp_path / "deep.png")
    assert np.asarray(read_image(tmp_path / "deep.png"))[0, :, 1].tolist() == [0, 100, 255]


def test_other_colour_spaces(tmp_path):
    photo().convert("CMYK").save(tmp_path / "cmyk.jpg", quality=95)
    to_lab = ImageCms.buildTransform(
        ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
    )
    ImageCms.applyTransform(photo(), to_lab).save(tmp_path / "lab.tif")
    for name, far in [("cmyk.jpg", 3), ("lab.tif", 4)]:
        assert difference(read_image(tmp_path / name), photo()) < far, name


@pytest.mark.parametrize("format_", ["GIF", "WEBP", "PNG", "TIFF"])
def test_of_an_animation_the_first_frame(tmp_path, format_):
    frames = [Image.new("RGB", (20, 10), colour) for colour in ("red", "green", "blue")]
    options = {"lossless": True} if format_ == "WEBP" else {}
    frames[0].save(tmp_path / "moving", format_, save_all=True, append_images=frames[1:], **options)
    assert difference(read_image(tmp_path / "moving"), frames[0]) < 1


def test_a_large_jpeg_is_decoded_small_but_never_too_small(tmp_path):
    photo(1600, 1000).save(tmp_path / "large.jpg")
    for size, expected in [
        (100, (200, 125)),
        (125, (200, 125)),
        (126, (400, 250)),
        (500, (800, 500)),
        (999, (1600, 1000)),
    ]:
        image = read_image(tmp_path / "large.jpg", size=size)
        assert image.size == expected
        assert difference(image, photo(1600, 1000).resize(expected)) < 3
    assert read_image(tmp_path / "large.jpg").size == (1600, 1000)
    assert read_image(tmp_path / "large.jpg", size=5000).size == (1600, 1000)


def test_a_small_decode_is_turned_too(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    photo(1600, 1000).save(tmp_path / "large.jpg", exif=exif)
    assert read_image(tmp_path / "large.jpg", size=125).size == (125, 200)


def png_header(width, height):
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("size", "says"),
    [
        ((9000, 9000), "9000 x 9000"),
        ((12000, 12000), "12000 x 12000|144 million"),
        ((60000, 60000), "3.6e.03 million"),
    ],
)
def test_refuses_a_picture_above_the_limit_before_decoding_it(tmp_path, size, says):
    (tmp_path / "huge.png").write_bytes(png_header(*size))
    message = rf"huge.png has ({says}) pixels, above the limit of 67.1 million; make a smaller copy"
    with pytest.raises(MediaError, match=message):
        read_image(tmp_path / "huge.png")


def test_the_limit_can_be_moved(tmp_path):
    photo().save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png", max_pixels=4800).size == (80, 60)
    with pytest.raises(MediaError, match=r"80 x 60 pixels, above the limit of 0.0048 million"):
        read_image(tmp_path / "a.png", max_pixels=4799 + 0)


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "JPEG2000"])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9])
def test_an_incomplete_picture_is_an_error(tmp_path, format_, share):
    buffer = io.BytesIO()
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (60, 80, 3), np.uint8))
    noise.save(buffer, format_)
    content = buffer.getvalue()[: 1 + int(share * len(buffer.getvalue()))]
    (tmp_path / "cut").write_bytes(content)
    with pytest.raises(MediaError, match=r"cut (is not a picture|is a damaged or incomplete picture)"):
        read_image(tmp_path / "cut")


@pytest.mark.parametrize(
    "head", [b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", b"\xc5\xd0\xd3\xc6" + bytes(40)]
)
def test_postscript_is_not_run(tmp_path, head, monkeypatch):
    monkeypatch.setattr(subprocess, "Popen", None)
    (tmp_path / "drawing.jpg").write_bytes(head)
    with pytest.raises(
        MediaError, match=r"drawing.jpg is PostScript, a program, which is not run; convert it to PNG"
    ):
        read_image(tmp_path / "drawing.jpg")


def test_a_heic_picture_says_what_it_needs(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    (tmp_path / "phone.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(100))
    with pytest.raises(
        MediaError, match=r"phone.heic is a HEIC picture; to read it run: pip install pillow-heif"
    ):
        read_image(tmp_path / "phone.heic")


def test_a_heic_picture(tmp_path):
    heif = pytest.importorskip("pillow_heif")
    heif.from_pillow(photo()).save(tmp_path / "phone.heic", quality=95)
    assert difference(read_image(tmp_path / "phone.heic"), photo()) < 6


@pytest.mark.parametrize("content", [b"text", b"\x00" * 100, b"GIF89a", b"BM", b"II*\0"])
def test_what_is_no_picture_is_an_error(tmp_path, content):
    (tmp_path / "file.png").write_bytes(content)
    with pytest.raises(MediaError, match=r"file.png is (not a picture|a damaged)"):
        read_image(tmp_path / "file.png")


def test_pillow_is_silent_but_others_are_not(tmp_path):
    exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x0e\x01\x02\0\xff\xff\xff\0\xff\xff\xff\0\0\0\0\0"
    photo().save(tmp_path / "a.jpg", exif=exif)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        read_image(tmp_path / "a.jpg")
        count = len(warnings.filters)
        read_image(tmp_path / "a.jpg")
        assert len(warnings.filters) == count
        warnings.warn("heard", UserWarning, stacklevel=1)
    assert [str(entry.message) for entry in caught] == ["heard"]


def test_nothing_is_printed(tmp_path):
    """A TIFF that claims 2,051 samples per pixel makes Pillow log an error, which Python would print."""
    photo().save(tmp_path / "a.tif")
    data = (tmp_path / "a.tif").read_bytes()
    samples = struct.pack("<HHIH", 277, 3, 1, 3)
    assert samples in data
    (tmp_path / "a.tif").write_bytes(data.replace(samples, struct.pack("<HHIH", 277, 3, 1, 2051)))
    code = (
        "import sys\nfrom sayso.media import read_image\n"
        "try:\n    read_image(sys.argv[1])\nexcept Exception as error:\n    print(error)"
    )
    command = [sys.executable, "-c", code, tmp_path / "a.tif"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "a.tif is not a picture" in done.stdout
    assert done.stderr == ""


def test_in_threads(tmp_path):
    photo(400, 300).save(tmp_path / "a.jpg")
    sizes = []
    threads = [
        threading.Thread(target=lambda: sizes.extend(read_image(tmp_path / "a.jpg").size for _ in range(20)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sizes == [(400, 300)] * 80


def test_real_pictures(shared_data):
    for path in sorted((shared_data / "coco" / "images").iterdir())[:40]:
        with Image.open(path) as image:
            profile = image.info.get("icc_profile", b"")
            same = np.array_equal(np.asarray(read_image(path)), np.asarray(image.convert("RGB")))
            assert same == (b"Adobe RGB" not in profile), path.name


@settings(max_examples=60, deadline=None)
@given(width=st.integers(1, 700), height=st.integers(1, 700), side=st.integers(1, 400))
def test_a_thumbnail_fits(width, height, side):
    small = Image.open(io.BytesIO(thumbnail(np.zeros((height, width, 3), np.uint8), side)))
    assert small.format == "JPEG"
    assert max(small.size) == min(side, max(width, height))
    scale = max(small.size) / max(width, height)
    assert small.size == (max(1, round(width * scale)), max(1, round(height * scale)))


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "CMYK", "I;16", "F", "1"])
def test_a_thumbnail_of_any_picture(mode):
    picture = photo(600, 400)
    deep = Image.fromarray(np.asarray(picture.convert("L"), np.uint16) * 257) if mode == "I;16" else None
    small = Image.open(io.BytesIO(thumbnail(deep or picture.convert(mode))))
    assert small.size == (256, 171)
    grey = picture.resize((256, 171)).convert("L")
    assert difference(small.convert("L"), grey) < (60 if mode == "1" else 4)


def test_a_thumbnail_of_a_frame_and_its_picture_are_alike():
    assert thumbnail(np.asarray(photo(600, 400))) == thumbnail(photo(600, 400))
    assert thumbnail(np.asarray(photo(600, 400))[:, ::-1]) == thumbnail(
        photo(600, 400).transpose(Image.Transpose(0))
    )
    assert len(thumbnail(photo(1920, 1080))) < 20_000


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3)),
        np.zeros((0, 4, 3), np.uint8),
    ],
)
def test_says_what_a_frame_must_be(array):
    with pytest.raises(SaysoError, match=r"a frame must be \(H, W, 3\) uint8; got \("):
        thumbnail(array)
