"""A screenplay and subtitles of one film: who says what when, and what happens when.

    python examples/align_script.py FOLDER

The three lines that ``sayso align film.txt film.srt --out film`` stands for, on a film of two speeches.
"""

from __future__ import annotations

import sys
from pathlib import Path

from sayso.systems import align_script

SCRIPT = """
INT. KITCHEN - DAY

BOB
Did you see the garden this morning, my dear?

Alice opens the window.

ALICE
No. I was asleep until eleven o'clock.
"""
SUBTITLES = """1
00:00:10,000 --> 00:00:12,000
Did you see the garden this morning, dear?

2
00:00:15,000 --> 00:00:18,000
No. I was asleep till 11 o'clock.
"""


def main() -> None:
    """Run the example in a folder."""
    if len(sys.argv) != 2:
        sys.exit("name a folder: python examples/align_script.py FOLDER")
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "film.txt").write_text(SCRIPT)
    (folder / "film.srt").write_text(SUBTITLES)

    result = align_script.run(folder / "film.txt", folder / "film.srt")
    result.write(folder / "film.aligned")
    print("\n".join(result.table()))


if __name__ == "__main__":
    main()
