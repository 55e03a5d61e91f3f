"""HDR video comes out as the colours that were put in, in BT.709."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from media import films
from sayso.core.errors import MediaError
from sayso.media import read_clip, stream_frames

BARS = np.array([[255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255], [190, 140, 110], [64, 64, 64]])
TO_BT2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
TAGS = {"pq": "smpte2084", "hlg": "arib-std-b67", "sdr": "bt2020-10"}


def signal(colours: np.ndarray, transfer: str) -> np.ndarray:
    """Return the signal, 0 to 1, of SDR colours whose white has 203 cd/m2."""
    light = np.clip((colours / 255) ** 2.4 @ TO_BT2020.T, 0, None) * 203
    if transfer == "sdr":
        return (light / 203) ** (1 / 2.4)
    if transfer == "hlg":
        scene = (light / 1000) ** (1 / 1.2)
        high = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
        return np.where(scene <= 1 / 12, np.sqrt(3 * scene), high)
    power = (light / 10_000) ** (2610 / 16384)
    return ((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32)


def bars(path, transfer: str, *, primaries="bt2020"):
    """Write two frames of six bars, 10 bit."""
    r, g, b = signal(BARS, transfer).T
    y = 0.2627 * r + 0.678 * g + 0.0593 * b
    planes = [64 + 876 * y, 512 + 896 * (b - y) / 1.8814, 512 + 896 * (r - y) / 1.4746]
    params = f"colorprim={primaries}:transfer={TAGS[transfer]}:colormatrix=bt2020nc"
    with av.open(str(path), "w") as out:
        options = {"x264-params": params, "crf": "2"}
        stream = out.add_stream("libx264", rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = 384, 128, "yuv444p10le"
        for _ in range(2):
            frame = av.VideoFrame(384, 128, "yuv444p10le")
            for plane, values in zip(frame.planes, planes, strict=True):
                row = np.rint(np.repeat(values, 64)).astype(np.uint16)
                whole = np.zeros((128, plane.line_size // 2), np.uint16)
                whole[:, :384] = row
                plane.update(whole.tobytes())
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    return path


@pytest.mark.parametrize("transfer", ["pq", "hlg", "sdr"])
@pytest.mark.parametrize("size", [None, 64])
def test_bars_of_high_dynamic_range(tmp_path, transfer, size):
    path = bars(tmp_path / f"{transfer}.mp4", transfer)
    frame = read_clip(path, 0, 0.04, frames=1, size=size).frames[0]
    middles = frame[frame.shape[0] // 2, (2 * np.arange(6) + 1) * frame.shape[1] // 12]
    assert np.abs(middles.astype(int) - BARS).max() <= 30  # ten bits are coarse near black
    assert np.abs(middles[[0, 4, 5]].astype(int) - BARS[[0, 4, 5]]).max() <= 3
    (_, streamed), *_ = stream_frames(path, fps=25, size=size, exact=False)
    assert np.abs(streamed.astype(int) - frame).max() <= 40


def test_what_is_no_hdr_stays_as_it_is(tmp_path):
    path = films.make(tmp_path / "plain.mp4", 3)
    frame = read_clip(path, 0, 0.03, frames=1).frames[0]
    assert np.abs(frame.astype(int) - films.draw(0)).mean() < 8


@pytest.mark.parametrize(("transfer", "readable"), [("unknown", False), ("pq", True)])
def test_colours_that_only_dolby_vision_knows_are_refused(tmp_path, transfer, readable):
    path = tmp_path / "phone.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx265", rate=25, options={"x265-params": "log-level=none:bframes=0"})
        stream.width, stream.height, stream.pix_fmt = 128, 128, "yuv420p10le"
        if transfer == "pq":
            stream.codec_context.color_trc = 16
        for k in range(2):
            frame = av.VideoFrame(128, 128, "yuv420p10le")
            for plane in frame.planes:
                plane.update(bytes(plane.buffer_size))
            frame.pts, frame.time_base = k, Fraction(1, 25)
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    path.write_bytes(path.read_bytes().replace(b"hev1", b"dvh1"))  # as files of profile 5 are marked
    if readable:  # the base of profile 8 is HDR10
        assert read_clip(path, 0, 0.04, frames=1).frames.shape == (1, 128, 128, 3)
    else:
        with pytest.raises(MediaError, match=r"phone\.mp4: .* Dolby Vision's profile 5"):
            read_clip(path, 0, 0.04, frames=1)


@pytest.mark.parametrize("name", ["hdr10.mp4", "hlg.mp4"])
def test_the_reports(shared_data, name):
    path = shared_data / "reports" / "hdr_video" / name
    if not path.exists():
        pytest.skip("no reports here")
    frame = read_clip(path, 0, 0.04, frames=1).frames[0]
    middles = frame[64, 32::64].astype(int)
    assert np.abs(middles - BARS).max() <= 30
    assert np.abs(middles[[0, 4, 5]] - BARS[[0, 4, 5]]).max() <= 2
