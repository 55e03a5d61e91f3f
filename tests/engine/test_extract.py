"""Files in, embedded clips out: in order, once, whatever the batches, at bounded memory."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import toy
from sayso import Span
from sayso.engine.extract import Finished, extract
from sayso.engine.segment import Job, JobClip, cut_clips


@pytest.fixture(scope="module")
def jobs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("jobs")
    names = sorted(toy.COLOURS)
    videos = [
        toy.make_video(folder / f"{k}.mp4", [names[k % 8], names[(k + 1) % 8]], 3 + k % 3) for k in range(6)
    ]
    picture = toy.make_picture(folder / "p.png", "red", (100, 40))
    broken = folder / "broken.mp4"
    broken.write_bytes(b"nothing")
    made = [Job(str(path), "video", 4.0) for path in (*videos, broken)]
    return [
        *made,
        Job(str(picture), "picture", 4.0),
        Job(str(videos[0]), "video", 4.0, (Span(0.5, 2.0), Span(90, 91))),
    ]


def one_by_one(jobs, encoder):
    """Every clip embedded alone."""
    result = {}
    for number, job in enumerate(jobs):
        result[number] = []
        try:
            for cut in cut_clips(job, encoder.clip):
                result[number].append((cut.span, encoder.encode_video(cut.content[None])[0]))
        except Exception:  # noqa: BLE001
            pass
    return result


@pytest.mark.parametrize(
    ("workers", "batch_frames", "max_bytes"), [(1, 1, 1), (2, 64, 1 << 20), (4, 7, 1 << 30)]
)
def test_the_same_clips_whatever_the_batches(jobs, workers, batch_frames, max_bytes):
    encoder = toy.ColourEncoder()
    expected = one_by_one(jobs, encoder)
    found = {number: [] for number in range(len(jobs))}
    finished = []
    items = extract(jobs, encoder, workers=workers, batch_frames=batch_frames, max_bytes=max_bytes)
    number_of = {id(job): number for number, job in enumerate(jobs)}
    for item in items:
        number = number_of[id(item.job)]
        assert number not in finished, "nothing comes after a job is finished"
        if isinstance(item, JobClip):
            found[number].append((item.span, item.content))
        else:
            finished.append(number)
            assert (item.error is not None) == (number in (6, 8))
    assert sorted(finished) == list(range(len(jobs)))
    for number, clips in expected.items():
        assert [span for span, _ in found[number]] == [span for span, _ in clips]
        for (_, ours), (_, alone) in zip(found[number], clips, strict=True):
            np.testing.assert_allclose(ours, alone, atol=1e-6)


def test_decoding_waits_for_the_encoder(jobs):
    """However many files there are, only so many bytes of frames wait."""
    taken = []

    def source():
        for k in range(200):
            taken.append(k)
            yield jobs[k % 6]

    items = extract(source(), toy.ColourEncoder(), workers=2, batch_frames=1, max_bytes=50_000)
    for _ in range(3):
        next(items)
    assert len(taken) < 20
    items.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("decode")]


def test_how_far_decoding_has_come_is_told_before_what_was_decoded_comes(jobs):
    told, wanted = {}, jobs[:3]
    for item in extract(
        wanted, toy.ColourEncoder(), decoded=lambda job, second: told.update({job.path: second})
    ):
        assert not isinstance(item, JobClip) or told[item.job.path] >= item.span.end
    for job in wanted:
        assert told[job.path] == list(cut_clips(job, toy.ColourEncoder().clip))[-1].span.end


def test_a_failing_encoder_ends_it_with_its_error(jobs):
    class Broken(toy.ColourEncoder):
        def encode_video(self, frames):
            raise RuntimeError("out of order")

    with pytest.raises(RuntimeError, match="out of order"):
        list(extract(jobs, Broken()))


def test_a_failing_source_ends_it_with_its_error(jobs):
    def source():
        yield jobs[0]
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        list(extract(source(), toy.ColourEncoder()))


def test_a_finished_job_says_what_the_file_is(jobs):
    (done,) = [item for item in extract(jobs[:1], toy.ColourEncoder()) if isinstance(item, Finished)]
    assert (done.probe.width, done.probe.height, done.probe.video_codec) == (64, 48, "h264")
