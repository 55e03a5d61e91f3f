from __future__ import annotations

import itertools

import av
import numpy as np
import pytest

from sayso.core.errors import MediaError
from sayso.core.types import Span
from sayso.people import find_shots
from sayso.people.shots import find_cuts, frame_signature


def scene(number, frames, pan=0):
    """A textured picture of colours of its own, moving sideways by ``pan`` pixels a frame."""
    rng = np.random.default_rng(number)
    wide = np.kron(rng.integers(0, 256, (6, 40, 3)), np.ones((16, 16, 1))).astype(np.uint8)
    return [wide[:, k * pan : k * pan + 128] for k in range(frames)]


def video(path, frames, fps=25):
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=fps, options={"crf": "20"})
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        for frame in frames:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")))
        file.mux(stream.encode())
    return path


def test_cuts_are_found_to_the_frame_and_pans_are_none(tmp_path):
    lengths, pans = [30, 7, 40, 25], [0, 2, 3, 1]
    frames = [f for k, (n, pan) in enumerate(zip(lengths, pans, strict=True)) for f in scene(k, n, pan)]
    shots = find_shots(video(tmp_path / "a.mp4", frames)).spans
    edges = [0, *np.cumsum(lengths) / 25]
    assert [shot.start for shot in shots] == pytest.approx(edges[:-1], abs=1e-3)
    assert all(a.end == b.start for a, b in itertools.pairwise(shots))
    assert shots[-1].end == pytest.approx(edges[-1], abs=0.05)


def test_a_flash_and_a_fade_are_no_cuts():
    still = scene(1, 40)
    still[20] = np.full_like(still[20], 255)
    assert find_cuts(map(frame_signature, still)) == []
    fade = [(frame * (1 - k / 40)).astype(np.uint8) for k, frame in enumerate(scene(2, 40))]
    assert find_cuts(map(frame_signature, fade)) == []


def test_noise_and_nothing_are_no_cuts():
    rng = np.random.default_rng(0)
    assert find_cuts([]) == find_cuts([frame_signature(scene(1, 1)[0])]) == []
    noisy = [frame_signature(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)) for _ in range(30)]
    assert find_cuts(noisy) == []


def test_the_signature_is_plain_means_and_a_plain_histogram():
    frame = np.random.default_rng(0).integers(0, 256, (16, 24, 3), dtype=np.uint8)
    small, counts = frame_signature(frame)
    assert (small[1, 2] == frame[2:4, 6:9].reshape(-1, 3).mean(0).astype(np.uint8)).all()
    plain = np.zeros(64)
    for r, g, b in frame.reshape(-1, 3) // 64:
        plain[16 * r + 4 * g + b] += 1 / (16 * 24)
    assert counts == pytest.approx(plain)


def test_joined_real_videos_are_cut_where_they_were_joined(shared_data):
    """Where one real video follows another there is a cut, and no other within a second of it."""
    from sayso.media import stream_frames

    pieces = []
    for path in sorted((shared_data / "videos").glob("*")):
        try:
            frames = stream_frames(path, fps=25, size=64, crop="squash")
            pieces.append([frame_signature(frame) for _, frame in itertools.islice(frames, 30)])
        except MediaError:
            continue
    pieces = [piece for piece in pieces if len(piece) == 30]
    assert len(pieces) >= 8
    found = find_cuts([row for piece in pieces for row in piece])
    joins = {30 * k for k in range(1, len(pieces))}
    assert len(joins & set(found)) >= 0.9 * len(joins)
    assert len(set(found) - joins) <= 0.1 * len(joins) + 1


def test_damage_is_logged_and_what_was_read_is_kept(tmp_path, shared_data, caplog):
    path = shared_data / "videos" / "corrupted.mp4"
    shots = find_shots(path)
    assert len(shots.problems) == 1 and "damaged" in str(shots.problems[0])
    assert shots.spans and isinstance(shots.spans[0], Span)
    assert "damaged" in caplog.text and "are not found" in caplog.text
    with pytest.raises(MediaError):
        find_shots(tmp_path / "none.mp4")
