"""What a file is: by its name, or by its first bytes when the name lies."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from sayso.core.errors import MediaError
from sayso.media.animation import moves
from sayso.media.files import open_regular, printable_path

Kind = Literal["video", "picture", "sound"]

_VIDEO = (
    ".3g2 .3gp .asf .avi .divx .dv .f4v .flv .gxf .h264 .hevc .ivf .m1v .m2p .m2t .m2ts .m2v .m4v .mk3d "
    ".mkv .mod .mov .mp4 .mpe .mpeg .mpg .mpv .mts .mxf .nut .ogm .ogv .qt .rm .rmvb .tod .ts .vob .vro "
    ".webm .wmv .wtv .y4m"
)
_PICTURE = (
    ".apng .avif .avifs .blp .bmp .bw .cur .dcx .dds .dib .flc .fli .gbr .gif .heic .heif .hif "
    ".icns .ico .im .j2c .j2k .jfif .jp2 .jpc .jpe .jpeg .jpf .jpg .jpx .mpo .pbm .pcd .pcx .pfm .pgm .png "
    ".pnm .ppm .psd .qoi .ras .rgb .rgba .sgi .tga .tif .tiff .vda .vst .webp .xbm .xpm"
)
_SOUND = (
    ".aac .ac3 .aif .aiff .amr .ape .au .caf .flac .m4a .m4b .mka .mp3 .oga .ogg .opus .tta .wav .wma .wv"
)
SOUND_SUFFIXES = frozenset(_SOUND.split())
VIDEO_SUFFIXES = frozenset(_VIDEO.split())
PICTURE_SUFFIXES = frozenset(_PICTURE.split())
_HEAD = 4096
_PICTURE_HEADS = (
    b"\xff\xd8\xff",
    b"\x89PNG\r\n\x1a\n",
    b"GIF87a",
    b"GIF89a",
    b"II*\x00",
    b"MM\x00*",
    b"II+\x00",
    b"MM\x00+",
    b"8BPS",
    b"\x00\x00\x00\x0cjP  ",
    b"\xff\x4f\xff\x51",
    b"DDS ",
    b"qoif",
    b"icns",
    b"%!PS",
    b"\xc5\xd0\xd3\xc6",
)
_VIDEO_HEADS = (
    b"\x1aE\xdf\xa3",  # Matroska, WebM
    b"0&\xb2u\x8ef\xcf\x11",  # ASF, WMV
    b"FLV\x01",
    b"\x00\x00\x01\xba",  # MPEG program stream
    b"\x00\x00\x01\xb3",  # MPEG video
    b".RMF",
    b"\x06\x0e+4\x02\x05\x01\x01",  # MXF
    b"DKIF",
    b"YUV4MPEG2",
    b"nut/multimedia",
    b"\xb7\xd8\x00 7I\xdaM",  # WTV
)
_PICTURE_BRANDS = (b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_SOUND_BRANDS = (b"M4A ", b"M4B ", b"M4P ")
_BOXES = (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
_SOUND_HEADS = (b"ID3", b"fLaC", b".snd", b"FORM", b"MAC ", b"wvpk", b"\xff\xfb", b"\xff\xf3", b"\xff\xf1")


RESOURCE_FORK = "._"  # begins the name of such a file


def kind_of(path: str | os.PathLike[str]) -> Kind | None:
    """Return what the file's extension says it is; None if it is neither a video nor a picture.

    ``._talk.mp4`` is what macOS notes about ``talk.mp4`` on other file systems.
    """
    path = Path(path)
    suffix = "" if path.name.startswith(RESOURCE_FORK) else path.suffix.lower()
    if suffix in VIDEO_SUFFIXES:
        return "video"
    return "picture" if suffix in PICTURE_SUFFIXES else None


def names_sound(path: str | os.PathLike[str]) -> bool:
    """Tell whether the file's extension says that it holds only sound."""
    return Path(path).suffix.lower() in SOUND_SUFFIXES


def is_sound_file(path: str | os.PathLike[str]) -> bool:
    """Tell whether a file holds only sound: by its name, but for Ogg, which may hold pictures too.

    Raises:
        MediaError: if the file is missing, unreadable, empty, or not a regular file.
    """
    ogg = Path(path).suffix.lower() in (".ogg", ".oga")
    return names_sound(path) and not (ogg and sniff(path) == "video")


def sniff(path: str | os.PathLike[str]) -> Kind | None:
    """Return what the first bytes of the file say it is, whatever its name; an animation is a video.

    Returns:
        None if they do not tell: not every format begins in a way of its own.

    Raises:
        MediaError: if the file is missing, unreadable, empty, or not a regular file.
    """
    with open_regular(path) as descriptor:
        head = read_head(descriptor, path)
        kind = kind_from(head)
        return "video" if kind == "picture" and moves(descriptor, head) else kind


def read_head(descriptor: int, path: str | os.PathLike[str]) -> bytes:
    """Return the first bytes of an open file.

    Raises:
        MediaError: if reading fails.
    """
    try:
        os.lseek(descriptor, 0, os.SEEK_SET)
        return os.read(descriptor, _HEAD)
    except OSError as error:
        raise MediaError(f"{printable_path(path)}: {error.strerror or error}") from error


def kind_from(head: bytes) -> Kind | None:
    """Return what a file is that begins with these bytes; None if they do not tell."""
    if _is_picture(head):
        return "picture"
    return "video" if _is_video(head) else None


def is_sound(head: bytes) -> bool:
    """Tell whether a file that begins with these bytes holds only sound."""
    wave = head[:4] == b"RIFF" and head[8:12] == b"WAVE"
    return wave or head.startswith(_SOUND_HEADS) or (head[4:8] == b"ftyp" and head[8:12] in _SOUND_BRANDS)


def _is_picture(head: bytes) -> bool:
    if head.startswith(_PICTURE_HEADS):
        return True
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return True
    if head[4:8] == b"ftyp":
        return head[8:12] in _PICTURE_BRANDS
    bitmap = head[:2] == b"BM" and head[6:10] == bytes(4) and len(head) > 26
    netpbm = head[:1] == b"P" and head[1:2] in b"1234567fF" and head[2:3] in b" \t\r\n" and len(head) > 2
    icon = head[:4] in (b"\x00\x00\x01\x00", b"\x00\x00\x02\x00") and head[4:6] not in (b"", b"\x00\x00")
    return bitmap or netpbm or icon


def _is_video(head: bytes) -> bool:
    avi = head[:4] in (b"RIFF", b"ON2 ") and head[8:11] == b"AVI"
    if avi or head.startswith(_VIDEO_HEADS):
        return True
    if head[4:8] == b"ftyp":
        return head[8:12] not in _SOUND_BRANDS
    if head[4:8] in _BOXES:
        return True
    if head[:4] == b"OggS":
        return b"\x80theora" in head or b"OVP80" in head or b"BBCD" in head or b"\x01video" in head
    return _is_transport_stream(head)


def _is_transport_stream(head: bytes) -> bool:
    """Find the synchronisation byte at the start of at least five packets (188 or, with times, 192 bytes)."""
    return any(
        len(head) > 5 * size and all(head[first + k * size] == 0x47 for k in range(5))
        for first, size in ((0, 188), (4, 192), (0, 204))
    )
