"""Flamingo's block next to OpenFlamingo's with the same weights, and a training step next to the plain one.

    pip install --no-deps open-flamingo==2.0.1 einops einops-exts
    python benchmarks/flamingo.py [--rounds 9] [--out FILE]

Per generated token: one token after N pictures of 64 latents. OpenFlamingo makes keys and values of all
pictures anew; here they were made once, and the last picture's 64 suffice. What is left is reading the
feed-forward part's weights, the same for both: the ratio is at most theirs over that part alone. In bfloat16
half as much is read. Kept for backward: bytes of the distinct tensors that autograd saves in the attention,
parameters aside. Training step: a LLaMA of SmolLM2-135M's shape, random weights, 32 captions of 12 tokens,
blocks before layers 20, 24, 28. The plain step trains the mark's embedding, so that all layers keep a graph,
and makes all logits; ours is the recipe's, whose texts went through the lower layers before. Times are CPU
seconds (the machine may be busy), the median of rounds in which both take turns.
"""

from __future__ import annotations

import argparse
import copy
import importlib.util
import json
import statistics
import sys
import time
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from sayso.evaluation.record import commit
from sayso.generators.conditioning import FlamingoNet, FlamingoShape
from sayso.generators.language import LanguageModel
from sayso.models.gated_cross_attention import (
    GatedCrossAttention,
    MediaMask,
    media_mask,
    picture_numbers,
)

D, R, PROMPT = 1024, 64, 64


def published() -> ModuleType:
    """Load OpenFlamingo's modules alone: its package imports open_clip, which needs torchvision."""
    package: ModuleSpec | None = importlib.util.find_spec("open_flamingo")
    if package is None or package.submodule_search_locations is None:
        sys.exit("the peer is missing: pip install --no-deps open-flamingo==2.0.1 einops einops-exts")
    file = Path(package.submodule_search_locations[0], "src", "helpers.py")
    spec = importlib.util.spec_from_file_location("open_flamingo_helpers", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pair(helpers: ModuleType, width: int) -> tuple[nn.Module, GatedCrossAttention]:
    theirs = helpers.GatedCrossAttentionBlock(dim=width, dim_visual=D)
    for gate in (theirs.attn_gate, theirs.ff_gate):
        gate.data.fill_(0.5)
    ours = GatedCrossAttention(width, D)
    ours.load_state_dict(theirs.state_dict())
    return theirs.eval(), ours.eval()


def medians(ways: dict[str, Callable[[], object]], rounds: int, each: int = 1) -> dict[str, float]:
    times: dict[str, list[float]] = {name: [] for name in ways}
    for n in range(rounds + 1):
        for name, run in ways.items():
            began = time.process_time()
            for _ in range(each):
                run()
            if n:  # the first round warms up
                times[name].append((time.process_time() - began) / each)
    return {name: statistics.median(found) for name, found in times.items()}


def generated_token(
    helpers: ModuleType, width: int, pictures: int, rounds: int
) -> dict[str, dict[str, float]]:
    """Return rows: both in float32; ours in bfloat16 beside theirs in float32; both in bfloat16."""
    theirs, ours = pair(helpers, width)
    y, media = torch.randn(1, 1, width), torch.randn(1, pictures, R, D)
    markers = torch.zeros(1, PROMPT, dtype=torch.bool)
    markers[0, :: PROMPT // pictures] = True
    markers[0] &= markers[0].cumsum(0) <= pictures
    half, short = copy.deepcopy(ours).bfloat16(), copy.deepcopy(theirs).bfloat16()
    y16, media16 = y.bfloat16(), media.bfloat16()
    counts, alone = torch.tensor([pictures]), MediaMask(None, None)
    with torch.inference_mode():
        last, last16 = ours.keys(media).last(counts, R), half.keys(media16).last(counts, R)
        ways = {
            "theirs": lambda: theirs(y, media, markers, use_cached_media=True),
            "ours": lambda: ours(y, last, alone),
            "half": lambda: half(y, last16, alone),
            "short": lambda: short(y16, media16, markers, use_cached_media=True),
            "forward": lambda: ours.ff(y),
        }
        found = medians(ways, rounds, each=20)
        exact = ours(y, last, alone)
        apart = {name: float((run() - exact).abs().max()) for name, run in ways.items() if name != "forward"}
    pairs = {"": ("theirs", "ours"), ", ours bfloat16": ("theirs", "half"), ", both": ("short", "half")}
    rows = {
        more: {
            "theirs": found[one],
            "ours": found[other],
            "ratio": found[one] / found[other],
            "apart": apart[other if one == "theirs" and other != "ours" else one],
        }
        for more, (one, other) in pairs.items()
    }
    rows[""]["most"] = found["theirs"] / found["forward"]
    return rows


def kept_bytes(run: Callable[[], Tensor], parameters: set[int]) -> int:
    kept: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in parameters:
            kept[storage.data_ptr()] = storage.nbytes()
        alive.append(tensor)
        return tensor

    alive: list[Tensor] = []
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        out = run()
    del out
    return sum(kept.values())


def kept_for_backward(
    helpers: ModuleType, rows: int, tokens: int, width: int, pictures: int
) -> dict[str, float]:
    theirs, ours = pair(helpers, width)
    y, media = torch.randn(rows, tokens, width, requires_grad=True), torch.randn(rows, pictures, R, D)
    markers = torch.zeros(rows, tokens, dtype=torch.bool)
    markers[:, [n * tokens // pictures for n in range(pictures)]] = True
    own = {id_ for m in (theirs, ours) for p in m.parameters() for id_ in [p.untyped_storage().data_ptr()]}
    mask = media_mask(picture_numbers(markers), pictures, R)
    plain = kept_bytes(lambda: theirs.attn(y, media, media_locations=markers), own)
    fast = kept_bytes(lambda: ours.attn(y, ours.keys(media), mask.keys), own)
    return {"theirs": plain / 1e6, "ours": fast / 1e6, "ratio": plain / fast}


class Plain(nn.Module):
    """OpenFlamingo's blocks before layers, everything with a graph, all logits."""

    def __init__(self, helpers: ModuleType, net: FlamingoNet) -> None:
        super().__init__()
        self.net, self.blocks = net, nn.ModuleList(pair(helpers, 576)[0] for _ in net.blocks)
        for block, own in zip(self.blocks, net.blocks, strict=True):
            block.attn = helpers.MaskedCrossAttention(dim=576, dim_visual=net.shape.dim)
            block.load_state_dict(own.state_dict())
        self.marks = nn.Parameter(torch.randn(576) * 0.02)

    def loss(self, ids: Tensor, markers: Tensor, labels: Tensor, features: Tensor) -> Tensor:
        """Return the mean over the labelled tokens."""
        language, media = self.net.language, self.net.resampler(features)[:, None]
        embedded = language.model.get_input_embeddings()(ids) + self.marks * markers[..., None]

        def block(n: int, y: Tensor) -> Tensor:
            out: Tensor = self.blocks[n](y, media, media_locations=markers)
            return out

        with language.before_layers(self.net.shape.layers, block):
            logits = language.model(inputs_embeds=embedded, use_cache=False).logits
        targets = torch.where(labels, ids, -100)
        return F.cross_entropy(logits[:, :-1].flatten(0, 1).float(), targets[:, 1:].flatten())


def training_step(helpers: ModuleType, rounds: int) -> dict[str, float]:
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=49152, hidden_size=576, intermediate_size=1536, num_hidden_layers=30,
        num_attention_heads=9, num_key_value_heads=3, tie_word_embeddings=True, eos_token_id=2,
    )  # fmt: skip
    language = LanguageModel(LlamaForCausalLM(config), _Words(), "random", lambda: "")
    shape = FlamingoShape(
        dim=256, depth=2, heads=4, latents=16, layers=(20, 24, 28), dim_in=1280, project=True, places=49
    )
    net = FlamingoNet(shape, language)
    for gate in (p for name, p in net.named_parameters() if name.endswith("gate")):
        gate.data.fill_(0.2)
    plain = Plain(helpers, net)
    B, T = 32, 12
    ids = torch.randint(20, 49000, (B, T))
    ids[:, 0] = language.markers.image
    markers, labels = ids == language.markers.image, torch.arange(T) > 2
    labels = labels.expand(B, T)
    features, counts = torch.randn(B, 1, 49, 1280), torch.ones(B, dtype=torch.long)
    below, numbers = language.lower(ids, 20), picture_numbers(markers)

    def ours() -> Tensor:
        net.zero_grad()
        out = net(below[:, :-1], list(features), counts, numbers[:, :-1])
        row, place = labels.nonzero(as_tuple=True)
        loss = F.cross_entropy(language.logits(out[row, place - 1]).float(), ids[row, place])
        loss.backward()
        return loss.detach()

    def theirs() -> Tensor:
        plain.zero_grad()
        loss = plain.loss(ids, markers, labels, features)
        loss.backward()
        return loss.detach()

    with torch.no_grad():
        plain.marks.zero_()
    apart = abs(float(ours() - theirs()))
    found = medians({"theirs": theirs, "ours": ours}, rounds)
    return {**found, "ratio": found["theirs"] / found["ours"], "apart": apart}


class _Words:
    """What a language model asks its tokeniser before it gets a text."""

    bos_token_id, eos_token_id, pad_token = None, 2, None

    def __call__(self, text: str, **options: object) -> object:  # noqa: ARG002
        return type("Encoded", (), {"input_ids": [3]})

    def __len__(self) -> int:
        return 49152

    def get_vocab(self) -> dict[str, int]:
        return {"<file_sep>": 5}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    helpers = published()
    torch.manual_seed(0)
    rows: dict[str, dict[str, float]] = {
        f"a generated token, {pictures} pictures, width {width}{more}, s": row
        for width, pictures in ((576, 6), (2048, 5))
        for more, row in generated_token(helpers, width, pictures, options.rounds).items()
    }
    rows |= {
        "kept for backward, 4 x 256 x 2048, 5 pictures, MB": kept_for_backward(helpers, 4, 256, 2048, 5),
        "kept for backward, 2 x 256 x 576, 6 pictures, MB": kept_for_backward(helpers, 2, 256, 576, 6),
        "a training step, SmolLM2's shape, 32 captions, s": training_step(
            helpers, max(2, options.rounds // 3)
        ),
    }
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, commit {commit()}")
    print(f"{'':60}  {'OpenFlamingo':>12}  {'ours':>10}  {'ratio':>6}  {'apart':>8}  {'at most':>7}")
    for name, row in rows.items():
        apart = f"{row['apart']:8.1e}" if "apart" in row else ""
        most = f"{row['most']:7.2f}" if "most" in row else ""
        numbers = f"{row['theirs']:12.5g}  {row['ours']:10.5g}  {row['ratio']:6.2f}"
        print(f"{name:60}  {numbers}  {apart:8}  {most}")
    if options.out:
        options.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
