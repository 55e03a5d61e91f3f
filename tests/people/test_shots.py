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


def lit(frame, light, part=slice(None)):
    """Return a frame with light on all or a part of it: 1 is white."""
    bright = frame.astype(float)
    bright[:, part] += (255 - bright[:, part]) * light
    return bright.astype(np.uint8)


@pytest.mark.parametrize("pan", [0, 1])
@pytest.mark.parametrize("light", [1.0, 0.85, 0.6])
@pytest.mark.parametrize("length", range(1, 9))
def test_a_flash_of_up_to_eight_frames_is_no_cut(length, light, pan):
    frames = scene(1, 60, pan)
    frames[30 : 30 + length] = [lit(frame, light) for frame in frames[30 : 30 + length]]
    assert find_cuts(map(frame_signature, frames)) == []


def test_lightning_camera_flashes_and_dropped_frames_are_no_cuts():
    frames = [frame // 4 for frame in scene(3, 80)]
    for k, light in enumerate((0.5, 0.9, 0.1, 0.8, 0.6, 0.4, 0.2)):  # lightning flickers and fades
        frames[30 + k] = lit(frames[30 + k], light)
    assert find_cuts(map(frame_signature, frames)) == []
    crowd = scene(4, 80)
    for k in (10, 11, 17, 18, 19, 33, 34, 35, 36, 50):
        crowd[k] = lit(crowd[k], 1.0, slice(20 * (k % 4), 20 * (k % 4) + 60))
    assert find_cuts(map(frame_signature, crowd)) == []
    frames = scene(5, 60)
    frames[20:25] = [np.zeros_like(frame) for frame in frames[20:25]]
    assert find_cuts(map(frame_signature, frames)) == []


@pytest.mark.parametrize("flash", [1, 3, 6, 8])
@pytest.mark.parametrize("distance", [2, 3, 4])
def test_a_cut_a_few_frames_from_a_flash_is_found(flash, distance):
    for seed in range(3):
        frames = [*scene(2 * seed, 40), *scene(2 * seed + 1, 40)]
        after = [*frames]
        after[40 + distance : 40 + distance + flash] = [lit(frame, 0.9) for frame in after[40 : 40 + flash]]
        assert find_cuts(map(frame_signature, after)) == [40]
        start = 40 - distance - flash
        before = [*frames]
        before[start : start + flash] = [lit(frame, 0.9) for frame in before[start : start + flash]]
        assert find_cuts(map(frame_signature, before)) == [40]


@pytest.mark.parametrize("light", [0.85, 0.6])
@pytest.mark.parametrize("length", [2, 4, 6, 8])
def test_a_flash_right_at_a_cut_makes_no_second_one(length, light):
    for seed in range(3):
        frames = [*scene(2 * seed, 40), *scene(2 * seed + 1, 40)]
        after = [lit(frame, light) if 40 <= k < 40 + length else frame for k, frame in enumerate(frames)]
        before = [lit(frame, light) if 40 - length <= k < 40 else frame for k, frame in enumerate(frames)]
        for flashed in (after, before):
            (cut,) = find_cuts(map(frame_signature, flashed))
            assert cut == 40 if length >= 4 else abs(cut - 40) <= length


@pytest.mark.parametrize("length", [4, 6, 8])
def test_a_short_shot_of_something_else_is_two_cuts(length):
    for seed in range(3):
        frames = scene(2 * seed, 60)
        frames[30 : 30 + length] = scene(2 * seed + 1, length)
        assert find_cuts(map(frame_signature, frames)) == [30, 30 + length]


def test_flashes_of_the_reports_are_no_cuts(shared_data):
    for name in ("flash3.mp4", "flash6.mp4"):
        path = shared_data / "reports" / "flash_of_three_frames" / name
        if not path.exists():
            pytest.skip("no reports here")
        assert len(find_shots(path).spans) == 1


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
