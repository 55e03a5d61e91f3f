from __future__ import annotations

import subprocess
import sys

import sayso.media


def test_names_are_sorted_and_there():
    assert sayso.media.__all__ == sorted(sayso.media.__all__)
    assert all(callable(getattr(sayso.media, name)) for name in sayso.media.__all__)


def test_looking_at_a_name_or_a_first_byte_loads_no_decoder(tmp_path):
    (tmp_path / "a.txt").write_text("hello")
    code = (
        "import sys, sayso.media as media\n"
        "assert media.kind_of('x.mp4') == 'video'\n"
        f"assert media.sniff({str(tmp_path / 'a.txt')!r}) is None\n"
        "media.read_clip, media.stream_frames, media.read_image, media.probe\n"
        "print(sorted({'av', 'PIL', 'torch'} & set(sys.modules)))"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
