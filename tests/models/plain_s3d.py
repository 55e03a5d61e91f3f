"""S3D restated from the description of its published file, sharing nothing with sayso."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F

BLOCKS = {
    "3b": (64, 96, 128, 16, 32, 32),
    "3c": (128, 128, 192, 32, 96, 64),
    "4b": (192, 96, 208, 16, 48, 64),
    "4c": (160, 112, 224, 24, 64, 64),
    "4d": (128, 128, 256, 24, 64, 64),
    "4e": (112, 144, 288, 32, 64, 64),
    "4f": (256, 160, 320, 32, 128, 128),
    "5b": (256, 160, 320, 32, 128, 128),
    "5c": (384, 192, 384, 48, 128, 128),
}


def conv_shapes(name, inputs, outputs, kernel, number=1):
    """Return keys and shapes of a convolution and its batch norm."""
    norm = {
        f"{name}.bn{number}.{part}": (outputs,) for part in ("weight", "bias", "running_mean", "running_var")
    }
    return {
        f"{name}.conv{number}.weight": (outputs, inputs, *kernel),
        **norm,
        f"{name}.bn{number}.num_batches_tracked": (),
    }


def separable_shapes(name, inputs, outputs):
    return {
        **conv_shapes(name, inputs, outputs, (1, 3, 3)),
        **conv_shapes(name, outputs, outputs, (3, 1, 1), 2),
    }


def linear_shapes(name, inputs, outputs):
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def shapes(dim=512, depth=True):
    """Return every key of the published file's video network with its shape."""
    stem = (24, (2, 4, 4)) if depth else (3, (3, 7, 7))
    found = conv_shapes("conv1", stem[0], 64, stem[1])
    found |= conv_shapes("conv_2b", 64, 64, (1, 1, 1)) | separable_shapes("conv_2c", 64, 192)
    found |= linear_shapes("gating.fc", 192, 192)
    channels = 192
    for block, (a, b1, b2, c1, c2, e) in BLOCKS.items():
        name = f"mixed_{block}"
        for part, outputs in (("conv_b0", a), ("conv_b1_a", b1), ("conv_b2_a", c1), ("conv_b3_b", e)):
            found |= conv_shapes(f"{name}.{part}", channels, outputs, (1, 1, 1))
        found |= separable_shapes(f"{name}.conv_b1_b", b1, b2) | separable_shapes(f"{name}.conv_b2_b", c1, c2)
        for number, outputs in enumerate((a, b2, c2, e)):
            found |= linear_shapes(f"{name}.gating_b{number}.fc", outputs, outputs)
        channels = a + b2 + c2 + e
    return found | linear_shapes("fc", channels, dim)


def text_shapes(words, dim=512):
    """Return the keys of the published file's text network, for a vocabulary of ``words``."""
    found = {"text_module.word_embd.weight": (words + 1, 300)}
    found |= linear_shapes("text_module.fc1", 300, 2048)
    return found | linear_shapes("text_module.fc2", 2048, dim)


def weights(shapes, seed=0):
    """Return lively weights of those shapes: activations neither die nor grow through the layers."""
    g = torch.Generator().manual_seed(seed)
    made = {}
    for key, shape in shapes.items():
        if key.endswith("num_batches_tracked"):
            made[key] = torch.tensor(7)
        elif key.endswith("running_var") or (".bn" in key and key.endswith("weight")):
            made[key] = torch.rand(shape, generator=g) + 0.5
        elif len(shape) > 1:
            made[key] = torch.randn(shape, generator=g) * (2 / np.prod(shape[1:])) ** 0.5
        else:
            made[key] = 0.2 * torch.randn(shape, generator=g)
    return made


def settle(net, video):
    """Give a network of random weights the batch norms of these clips, so that its activations live."""
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm3d):
            module.momentum = None  # the mean of what is seen, from the first clip on
    with torch.no_grad():
        net.train()(video)
    return net.eval()


def unit(w, x, name, number=1, stride=1, padding=(0, 0, 0)):
    x = F.conv3d(x, w[f"{name}.conv{number}.weight"], stride=stride, padding=padding)
    mean, var, gain, bias = (
        w[f"{name}.bn{number}.{part}"][:, None, None, None]
        for part in ("running_mean", "running_var", "weight", "bias")
    )
    return F.relu((x - mean) / torch.sqrt(var + 1e-5) * gain + bias)


def separable(w, x, name):
    return unit(w, unit(w, x, name, padding=(0, 1, 1)), name, 2, padding=(1, 0, 0))


def gated(w, x, name):
    mean = x.mean(dim=[2, 3, 4])
    gate = torch.sigmoid(mean @ w[f"{name}.fc.weight"].T + w[f"{name}.fc.bias"])
    return torch.einsum("bcthw,bc->bcthw", x, gate)


def pool(x, kernel, stride):
    sides = []
    for k, s in zip(kernel, stride, strict=True):
        extra = max(k - s, 0)
        sides = [extra // 2, extra - extra // 2, *sides]
    return F.max_pool3d(F.pad(x, sides), kernel, stride, ceil_mode=True)


def inception(w, x, name):
    branches = [
        unit(w, x, f"{name}.conv_b0"),
        separable(w, unit(w, x, f"{name}.conv_b1_a"), f"{name}.conv_b1_b"),
        separable(w, unit(w, x, f"{name}.conv_b2_a"), f"{name}.conv_b2_b"),
        unit(w, pool(x, (3, 3, 3), (1, 1, 1)), f"{name}.conv_b3_b"),
    ]
    return torch.cat([gated(w, b, f"{name}.gating_b{i}") for i, b in enumerate(branches)], dim=1)


def depth(video):
    """Space to depth, index by index: channel = ((dt * 2 + dh) * 2 + dw) * 3 + c."""
    planes = [
        video[:, c, dt::2, dh::2, dw::2]
        for dt in range(2)
        for dh in range(2)
        for dw in range(2)
        for c in range(3)
    ]
    return torch.stack(planes, dim=1)


def features(w, video):
    """(B, 3, T, H, W) -> (B, 1024)."""
    if w["conv1.conv1.weight"].shape[1] == 24:
        x = unit(w, depth(video), "conv1", padding=(1, 2, 2))[:, :, 1:, 1:, 1:]
    else:
        x = unit(w, video, "conv1", stride=2, padding=(1, 3, 3))
    x = pool(x, (1, 3, 3), (1, 2, 2))
    x = gated(w, separable(w, unit(w, x, "conv_2b"), "conv_2c"), "gating")
    x = pool(x, (1, 3, 3), (1, 2, 2))
    for block in BLOCKS:
        if block == "4b":
            x = pool(x, (3, 3, 3), (2, 2, 2))
        if block == "5b":
            x = pool(x, (2, 2, 2), (2, 2, 2))
        x = inception(w, x, f"mixed_{block}")
    return x.mean(dim=[2, 3, 4])


def s3d(w, video):
    """(B, 3, T, H, W) -> (B, D)."""
    return features(w, video) @ w["fc.weight"].T + w["fc.bias"]
