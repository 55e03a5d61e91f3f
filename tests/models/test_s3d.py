"""S3D is the published network: its keys, its shapes, and the numbers of a restatement."""

from __future__ import annotations

import plain_s3d
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sayso.models import S3D, FastS3D
from sayso.models.s3d import MaxPool, to_depth


@pytest.fixture(scope="module", params=[True, False], ids=["depth", "plain stem"])
def pair(request):
    weights = plain_s3d.weights(plain_s3d.shapes(depth=request.param))
    net = S3D(space_to_depth=request.param).eval()
    net.load_state_dict(weights)
    return net, weights


def clips(*shape, seed=1):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("depth", [True, False])
def test_keys_and_shapes_are_the_published_ones(depth):
    found = {key: tuple(value.shape) for key, value in S3D(space_to_depth=depth).state_dict().items()}
    assert found == plain_s3d.shapes(depth=depth)


def sizes(quick, *slow):
    return [*quick, *(pytest.param(size, marks=pytest.mark.slow) for size in slow)]


@pytest.mark.parametrize("size", sizes([(6, 50, 42)], (8, 56, 48), (2, 32, 34)))
def test_equals_the_restatement(pair, size):
    net, weights = pair
    video = clips(2, 3, *size)
    with torch.no_grad():
        torch.testing.assert_close(net(video), plain_s3d.s3d(weights, video), rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(
            net.features(video), plain_s3d.features(weights, video), rtol=1e-4, atol=1e-5
        )


@pytest.mark.parametrize("size", sizes([(6, 50, 42), (2, 32, 34)], (8, 56, 48), (10, 36, 100)))
def test_fast_equals_plain_in_float32(pair, size):
    net, weights = pair
    video = clips(2, 3, *size)
    fast = FastS3D(net)
    with torch.no_grad():
        torch.testing.assert_close(fast(video), plain_s3d.s3d(weights, video), rtol=1e-3, atol=1e-4)
        torch.testing.assert_close(fast.features(video), net.features(video), rtol=1e-3, atol=1e-4)


def test_fast_in_bfloat16_points_the_same_way(pair):
    net, weights = pair
    video = clips(2, 3, 8, 64, 64)
    cosine = torch.cosine_similarity(FastS3D(net, torch.bfloat16)(video), plain_s3d.s3d(weights, video))
    assert cosine.min() >= 0.999


@pytest.mark.parametrize(
    "options", [{"gating": False}, {"width": 0.25}, {"width": 0.1, "space_to_depth": False}]
)
def test_fast_follows_the_variants(options):
    torch.manual_seed(0)
    net, video = plain_s3d.settle(S3D(16, **options), clips(4, 3, 8, 64, 64)), clips(2, 3, 4, 64, 66)
    with torch.no_grad():
        found, expected = FastS3D(net).features(video), net.features(video)
    assert expected.std(0).max() > 0.01
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)


def test_width_scales_features_and_parameters():
    net = S3D(32, width=0.25)
    assert net.feature_dim == 256
    assert net.eval()(clips(1, 3, 4, 32, 32)).shape == (1, 32)
    assert sum(p.numel() for p in net.parameters()) < sum(p.numel() for p in S3D(32).parameters()) / 10


def test_all_parameters_learn():
    net = S3D(8, width=0.125)
    net(clips(4, 3, 8, 64, 64)).square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters())


def test_depth_takes_neighbours_in_the_published_order():
    video = clips(2, 3, 4, 6, 8)
    torch.testing.assert_close(to_depth(video), plain_s3d.depth(video), rtol=0, atol=0)


@pytest.mark.parametrize("shape", [(1, 3, 3, 32, 32), (1, 3, 4, 33, 32)])
def test_depth_refuses_odd_sizes(shape):
    with pytest.raises(ValueError, match="even"):
        S3D(width=0.1)(torch.zeros(shape))


@pytest.mark.parametrize("shape", [(1, 4, 4, 32, 32), (3, 4, 32, 32)])
def test_says_the_shape_it_needs(shape):
    net = S3D(width=0.1).eval()
    for call in (net, FastS3D(net)):
        with pytest.raises(ValueError, match=r"\(B, 3, T, H, W\); got"):
            call(torch.zeros(shape))


@settings(deadline=None, max_examples=30)
@given(
    st.tuples(*[st.integers(2, 9)] * 3),
    st.sampled_from(
        [((1, 3, 3), (1, 2, 2)), ((3, 3, 3), (2, 2, 2)), ((2, 2, 2), (2, 2, 2)), ((3, 3, 3), (1, 1, 1))]
    ),
)
def test_pooling_window_by_window(size, layer):
    kernel, stride = layer
    x = clips(1, 2, *size)
    found = MaxPool(kernel, stride)(x)
    assert found.shape[2:] == tuple(-(-n // s) for n, s in zip(size, stride, strict=True))
    for t, h, w in torch.cartesian_prod(*(torch.arange(n) for n in found.shape[2:])).tolist():
        starts = [i * s - max(k - s, 0) // 2 for i, k, s in zip((t, h, w), kernel, stride, strict=True)]
        window = x[0][(slice(None), *(slice(max(a, 0), a + k) for a, k in zip(starts, kernel, strict=True)))]
        assert torch.equal(found[0, :, t, h, w], window.amax((1, 2, 3)))


def test_bfloat16_goes_also_where_the_processor_does_not_compute_in_it(pair, monkeypatch):
    net, weights = pair
    monkeypatch.setattr("sayso.models.convolution.native_bfloat16", lambda device: False)
    monkeypatch.setattr("sayso.models.s3d_inference.convolve", None)  # oneDNN refuses it there
    video = clips(2, 3, 4, 64, 64)
    cosine = torch.cosine_similarity(FastS3D(net, torch.bfloat16)(video), plain_s3d.s3d(weights, video))
    assert cosine.min() >= 0.999
