"""Tiny random dual encoders in folders as the hub's; a cache that holds them; a hub that serves them."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote

WORDS = [
    "a",
    "photo",
    "of",
    "the",
    "cat",
    "dog",
    "red",
    "blue",
    "ball",
    "car",
    "on",
    "and",
    "two",
    "small",
    ".",
]
COMMIT = "c" * 40
KINDS = ("clip", "siglip", "siglip2")
SIDE = 32


def tokenizer(length: int):
    """Return a tokeniser of whole lower-case words; A and a differ, so that lower-casing shows."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    special = ["<pad>", "<unk>", "<s>", "</s>"]
    words = {word: i for i, word in enumerate([*special, *WORDS])}
    made = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 2), ("</s>", 3)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token="<pad>",
        unk_token="<unk>",
        bos_token="<s>",
        eos_token="</s>",
        model_max_length=length,
    )


def save_tiny(folder: Path, kind: str, seed: int = 0) -> Path:
    """Write a model folder of one of ``KINDS`` with random weights."""
    import torch
    import transformers as tf
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
    from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil
    from transformers.models.siglip2.image_processing_pil_siglip2 import Siglip2ImageProcessorPil

    tf.utils.logging.set_verbosity_error()
    tf.utils.logging.disable_progress_bar()
    torch.manual_seed(seed)
    layers = {"intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "hidden_size": 32}
    ends = {"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3}
    text = {**layers, **ends, "vocab_size": 4 + len(WORDS), "max_position_embeddings": 12}
    vision = {**layers, "image_size": SIDE, "patch_size": 8}
    if kind == "clip":
        config = tf.CLIPConfig(
            text_config=text, vision_config={**vision, "hidden_size": 48}, projection_dim=24
        )
        model = tf.CLIPModel(config)
        pictures = CLIPImageProcessorPil(
            size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE}
        )
    elif kind == "siglip":
        config = tf.SiglipConfig(text_config={**text, "projection_size": 32}, vision_config=vision)
        model = tf.SiglipModel(config)
        pictures = SiglipImageProcessorPil(size={"height": SIDE, "width": SIDE})
    else:
        del vision["image_size"]
        config = tf.Siglip2Config(
            text_config={**text, "projection_size": 32}, vision_config={**vision, "num_patches": 16}
        )
        model = tf.Siglip2Model(config)
        pictures = Siglip2ImageProcessorPil(patch_size=8, max_num_patches=16)
    model.save_pretrained(folder)
    tokenizer(12).save_pretrained(folder)
    pictures.save_pretrained(folder)
    return folder


def into_cache(folder: Path, cache: Path, name: str, revision: str = "main") -> Path:
    """Lay a model folder out as the hub's client does: blobs by hash, a snapshot of links, a reference."""
    repository = cache / f"models--{name.replace('/', '--')}"
    snapshot = repository / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    (repository / "blobs").mkdir()
    for file in folder.iterdir():
        blob = repository / "blobs" / hashlib.sha256(file.read_bytes()).hexdigest()
        shutil.copy(file, blob)
        (snapshot / file.name).symlink_to(blob)
    reference = repository / "refs" / revision
    reference.parent.mkdir(parents=True, exist_ok=True)
    reference.write_text(COMMIT)
    return snapshot


def describe(name: str, folder: Path) -> dict:
    """Return what the hub says about a model, and about its files."""
    files = sorted(folder.iterdir())
    return {
        "revision": {
            "id": name,
            "sha": COMMIT,
            "private": False,
            "siblings": [{"rfilename": f.name} for f in files],
        },
        "tree": [{"type": "file", "path": f.name, "size": f.stat().st_size, "oid": "0" * 40} for f in files],
    }


@contextmanager
def serve_hub(models: dict[tuple[str, str], Path], asked: list[str]) -> Iterator[str]:
    """Serve model folders, keyed by name and revision, as the hub does; yield its address."""

    class Hub(BaseHTTPRequestHandler):
        def log_message(self, *args):
            """Say nothing."""

        def do_HEAD(self):
            self.do_GET()

        def do_GET(self):
            asked.append(unquote(self.path))
            _, first, *rest = unquote(self.path).partition("?")[0].split("/")
            if first == "api":  # api/models/<org>/<name>/{revision,tree}/<revision>
                name, what, revision = "/".join(rest[1:3]), rest[3], "/".join(rest[4:])
                known = (
                    models if revision != COMMIT else {(n, COMMIT): where for (n, _), where in models.items()}
                )
                folder = known.get((name, revision))
                return self._answer(folder and json.dumps(describe(name, folder)[what]).encode())
            name, file = f"{first}/{rest[0]}", rest[3]
            folder = next((where for (known, _), where in models.items() if known == name), None)
            return self._answer(
                (folder / file).read_bytes() if folder and (folder / file).is_file() else None
            )

        def _answer(self, body: bytes | None):
            self.send_response(200 if body is not None else 404)
            if body is None:
                self.send_header("X-Error-Code", "RepoNotFound")
            self.send_header("ETag", f'"{hashlib.sha256(body or b"").hexdigest()}"')
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            if self.command == "GET" and body:
                self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
