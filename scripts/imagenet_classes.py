"""Write the class names of ImageNet-1k, and their text embeddings, which the offline encoder ships.

The order of the classes is the order of their WordNet ids; the ids come from a
list of synsets (timm's ``timm/data/_info/imagenet_synsets.txt``, one id a line),
the names and glosses from WordNet 3.0 (Debian: ``apt-get install wordnet-base``).

    pip download --no-deps timm && unzip timm-*.whl 'timm/data/_info/imagenet_synsets.txt'
    python scripts/imagenet_classes.py timm/data/_info/imagenet_synsets.txt

It writes ``imagenet_classes.tsv`` (id, name, gloss) and ``imagenet_classes.npy``
((1000, 384) float16, made from the table by the MiniLM tower) into the package.
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sayso.encoders.conse import CLASSES_NPY, CLASSES_TSV, class_texts
from sayso.models.minilm import MiniLM


@dataclass(frozen=True)
class Synset:
    """One noun synset: its names, the ids of the synsets above it, and its gloss."""

    names: list[str]
    parents: list[str]
    gloss: str


def read_wordnet(path: Path) -> dict[str, Synset]:
    """Read WordNet's ``data.noun``: id such as n01440764 -> synset (format: wndb(5WN))."""
    nouns: dict[str, Synset] = {}
    for line in path.read_text(encoding="latin-1").splitlines():
        if line.startswith(" "):  # the licence
            continue
        fields, _, gloss = line.partition("|")
        offset, _, _, count, *rest = fields.split()
        words = 2 * int(count, 16)
        pointers = rest[words + 1 :]
        parents = [f"n{pointers[i + 1]}" for i in range(0, len(pointers), 4) if pointers[i] in {"@", "@i"}]
        nouns[f"n{offset}"] = Synset([w.replace("_", " ") for w in rest[:words:2]], parents, gloss.strip())
    return nouns


def table(ids: list[str], nouns: dict[str, Synset]) -> str:
    """Return the lines ``id <tab> name <tab> gloss``; a name that two classes share gets its parent's."""
    uses = Counter(nouns[i].names[0] for i in ids)
    lines = []
    for i in ids:
        synset = nouns[i]
        name = synset.names[0]
        if uses[name] > 1:
            name = f"{name} ({nouns[synset.parents[0]].names[0]})"
        lines.append(f"{i}\t{name}\t{synset.gloss.split(';')[0].strip()}\n")
    return "".join(lines)


def main() -> None:
    """Write both files."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("synsets", type=Path, help="text file with the 1000 WordNet ids in class order")
    parser.add_argument("--wordnet", type=Path, default=Path("/usr/share/wordnet/data.noun"))
    options = parser.parse_args()
    ids = options.synsets.read_text(encoding="utf-8").split()
    CLASSES_TSV.write_text(table(ids, read_wordnet(options.wordnet)), encoding="utf-8")
    np.save(CLASSES_NPY, MiniLM()(class_texts()).astype(np.float16))


if __name__ == "__main__":
    main()
