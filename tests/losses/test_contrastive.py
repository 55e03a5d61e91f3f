"""The contrastive losses are their formulas: torch's own losses, and loops over all pairs."""

from __future__ import annotations

import importlib
import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode

from sayso.losses import contrastive, score_tables, sigmoid_pairs
from sayso.losses.pair_targets import PairTargets

MODULE = importlib.import_module("sayso.losses.contrastive")  # the package's name is the function
LABELS = torch.tensor([3, 8, 3, 5, 8, 3, 1])


def draw(B, D=4, size=1.0, seed=0, dtype=torch.float64):
    """Embeddings of norm ``size``, some alike."""
    generator = torch.Generator().manual_seed(seed)
    pair = [torch.randn(B, D, generator=generator, dtype=torch.float64) for _ in "xy"]
    return [(size * F.normalize(e, dim=1)).to(dtype).requires_grad_() for e in pair]


def log_scale(scale, dtype=torch.float64):
    return torch.tensor(math.log(scale), dtype=dtype, requires_grad=True)


def plain(x, y, t, *, bias=None, kind="softmax", smoothing=0.0, labels=None):
    """Write the formulas down with all pairs at once; autograd does the rest."""
    B, s = len(x), t.exp() * x @ y.T
    labels = torch.arange(B) if labels is None else labels
    right = (labels[:, None] == labels).to(s.dtype)
    if kind == "sigmoid":
        s = s if bias is None else s + bias
        return -F.logsigmoid((2 * right - 1) * s).sum() / B
    P = (1 - smoothing) * right / right.sum(1, keepdim=True) + smoothing / B
    return -(P * (s.log_softmax(1) + s.log_softmax(0))).sum() / (2 * B)


def gradients(loss, *inputs):
    return torch.autograd.grad(loss, inputs)


@pytest.fixture
def small_tables(monkeypatch):
    """Few rows at a time, so that a small batch takes several turns, the last one shorter."""
    monkeypatch.setattr(score_tables, "_ROWS", 3)
    monkeypatch.setattr(score_tables, "_TABLE", 1)


@pytest.fixture
def exact(monkeypatch):
    """How often rows and columns got exponentials of their own."""
    calls, inner = [], MODULE._log_z
    monkeypatch.setattr(MODULE, "_log_z", lambda *a: calls.append(1) or inner(*a))
    return calls


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("scale", [1.0, 14.3, 100.0])
def test_is_torchs_cross_entropy_both_ways(scale, smoothing):
    x, y = draw(50)
    t, own = log_scale(scale), torch.arange(50)
    ours = contrastive(x, y, t, smoothing=smoothing)
    s = t.exp() * x @ y.T
    forth, back = (F.cross_entropy(m, own, label_smoothing=smoothing) for m in (s, s.T))
    theirs = (forth + back) / 2
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-13)
    for a, b in zip(gradients(ours, x, y, t), gradients(theirs, x, y, t), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-13)


def test_labels_are_the_mean_over_the_right_texts_pair_by_pair():
    x, y = draw(7)
    s = (9.0 * x @ y.T).tolist()
    total = 0.0
    for i in range(7):
        right = [j for j in range(7) if LABELS[j] == LABELS[i]]
        row = math.log(sum(math.exp(s[i][j]) for j in range(7)))
        column = math.log(sum(math.exp(s[j][i]) for j in range(7)))
        total -= sum(s[i][j] - row + s[j][i] - column for j in right) / len(right)
    assert contrastive(x, y, log_scale(9.0), labels=LABELS).item() == pytest.approx(total / 14, abs=1e-12)


@pytest.mark.parametrize("labels", [None, LABELS])
def test_sigmoid_asks_of_each_pair_whether_it_is_one(labels):
    x, y = draw(7)
    same = torch.arange(7) if labels is None else labels
    total = 0.0
    for i in range(7):
        for j in range(7):
            z = 1 if same[i] == same[j] else -1
            total += math.log1p(math.exp(-z * (9.0 * float(x[i].detach() @ y[j].detach()) - 2.0)))
    bias = torch.tensor(-2.0, dtype=torch.float64)
    ours = contrastive(x, y, log_scale(9.0), kind="sigmoid", bias=bias, labels=labels)
    assert ours.item() == pytest.approx(total / 7, abs=1e-12)


@pytest.mark.parametrize("labels", [None, LABELS])
@pytest.mark.parametrize("bias", [-31.0, -29.0, -10.0, 0.0, 29.0, 31.0])
@pytest.mark.parametrize("scale", [5.0, 59.0, 61.0, 200.0])
def test_no_bias_and_no_scale_changes_how_exact_the_sigmoid_is(scale, bias, labels):
    """Also where e^s and e^-b are numbers no longer, and b is added to the scores."""
    x, y = draw(7)
    found = []
    for loss in (contrastive, plain):
        t, b = log_scale(scale), torch.tensor(bias, dtype=torch.float64, requires_grad=True)
        value = loss(x, y, t, kind="sigmoid", bias=b, labels=labels)
        found.append((value, *torch.autograd.grad(3 * value, (x, y, t, b))))
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-11, atol=1e-11)


WAYS = [
    {},
    {"keep_bytes": 0},
    {"smoothing": 0.3},
    {"labels": LABELS},
    {"labels": LABELS, "smoothing": 0.3, "keep_bytes": 0},
    {"kind": "sigmoid"},
    {"kind": "sigmoid", "labels": LABELS},
]


@pytest.mark.parametrize("size", [1.0, 900.0])  # the larger needs columns of their own
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.usefixtures("small_tables")
def test_gradients_match_finite_differences(way, size, exact):
    x, y = draw(7)
    y = (y.detach() * torch.logspace(0, math.log10(size), 7)[:, None]).requires_grad_()
    inputs = [x, y, log_scale(2.0)]
    if way.get("kind") == "sigmoid":
        bias = torch.tensor(-1.5, dtype=torch.float64, requires_grad=True)
        assert torch.autograd.gradcheck(lambda *a: contrastive(*a[:3], bias=a[3], **way), [*inputs, bias])
    else:
        assert torch.autograd.gradcheck(lambda *a: contrastive(*a, **way), inputs)
        assert bool(exact) == (size > 1)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 12),
    st.sampled_from(["softmax", "kept", "sigmoid"]),
    st.floats(0, 300),
    st.sampled_from([0.0, 0.1]),
    st.integers(1, 4),
    st.integers(0, 99),
)
def test_has_the_gradient_of_the_formula(B, way, size, smoothing, labels, seed):
    x, y = draw(B, size=size, seed=seed)
    t = log_scale(1.3)
    kind = "sigmoid" if way == "sigmoid" else "softmax"
    options = {"kind": kind, "labels": torch.arange(B) % labels if labels < 4 else None}
    options |= {"smoothing": smoothing} if kind == "softmax" else {}
    ours = contrastive(x, y, t, **options, keep_bytes=1 << 20 if way == "kept" else 0)
    formula = plain(x, y, t, **options)
    torch.testing.assert_close(ours, formula, rtol=1e-9, atol=1e-9)
    for a, b in zip(gradients(ours, x, y, t), gradients(formula, x, y, t), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("keep_bytes", [0, 64 << 20])
@pytest.mark.parametrize("kind", ["softmax", "sigmoid"])
def test_in_float32_scale_100_loses_nothing(kind, keep_bytes, exact):
    """Half of the pairs are learned, the other half are wrong; the reference is float64."""
    x, y = draw(900, 32, seed=3)
    y = F.normalize(torch.cat([x[:450].detach() + 0.1 * y[:450], y[450:]]), dim=1).detach().requires_grad_()
    t = log_scale(100.0)
    single = [v.detach().float().requires_grad_() for v in (x, y, t)]
    want, got = plain(x, y, t, kind=kind), contrastive(*single, kind=kind, keep_bytes=keep_bytes)
    assert got.dtype == torch.float32
    assert got.item() == pytest.approx(want.item(), rel=1e-6)
    for a, b in zip(gradients(got, *single), gradients(want, x, y, t), strict=True):
        assert float((a - b).abs().max() / b.abs().max()) < 2e-5
    assert not exact


@pytest.mark.parametrize("keep_bytes", [0, 64 << 20])
@pytest.mark.parametrize(("least", "alone"), [(-60.0, False), (-80.0, True), (-100.0, True), (-150.0, True)])
@pytest.mark.usefixtures("small_tables")
def test_on_both_sides_of_what_one_exponential_can_do(least, alone, keep_bytes, exact):
    """In float32: texts that all pictures are so far from that e^least is nothing beside e^-least."""
    x, y = (e.detach() for e in draw(40, 8, seed=5))
    x[:, 1:] *= 0.1
    x[:, 0], y[:, 0] = 1.0, 0.0
    y[::7, 0] = least
    inputs = [v.requires_grad_() for v in (x, y, torch.tensor(0.0, dtype=torch.float64))]
    single = [v.detach().float().requires_grad_() for v in inputs]
    got, want = contrastive(*single, keep_bytes=keep_bytes), plain(*inputs)
    assert got.item() == pytest.approx(want.item(), rel=1e-6)
    for a, b in zip(gradients(got, *single), gradients(want, *inputs), strict=True):
        assert float((a - b).abs().max() / b.abs().max()) < 1e-5
    assert bool(exact) == alone


def test_half_precision_embeddings_are_compared_in_float32_also_under_autocast():
    x, y = (e.detach().bfloat16().requires_grad_() for e in draw(60, 16))
    t = log_scale(50.0, torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        half = contrastive(x, y, t)
        grads = gradients(half, x, y, t)
    assert half.dtype == torch.float32
    double = [v.detach().double().requires_grad_() for v in (x, y, t)]
    exact = plain(*double)
    assert half.item() == pytest.approx(exact.item(), rel=1e-6)
    for a, b, v in zip(grads, gradients(exact, *double), (x, y, t), strict=True):
        assert a.dtype == v.dtype
        torch.testing.assert_close(a.double(), b, rtol=1e-2 if v is not t else 1e-5, atol=1e-5)


class Sizes(TorchDispatchMode):
    """What the largest result of an operation has."""

    def __init__(self):
        super().__init__()
        self.largest = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        self.largest = max(self.largest, getattr(result, "nelement", int)())
        return result


@pytest.mark.parametrize("options", [{"keep_bytes": 0}, {"keep_bytes": 2500**2 * 4 - 1}, {"kind": "sigmoid"}])
def test_scores_are_never_whole(options):
    x, y = draw(2500, 2, dtype=torch.float32)
    with Sizes() as seen:
        contrastive(x, y, log_scale(10.0, torch.float32), **options).backward()
    assert seen.largest <= score_tables._MOST_ROWS * 2500
    for most in ({}, {"keep_bytes": 2500**2 * 4}):
        with Sizes() as seen:
            contrastive(x, y, log_scale(10.0, torch.float32), **most).backward()
        assert seen.largest == 2500**2


def test_scores_are_not_kept_for_gradients_that_nobody_asked_for():
    x, y = (e.detach() for e in draw(1500, 2, dtype=torch.float32))
    with Sizes() as seen:
        contrastive(x, y, torch.tensor(2.0))
    assert seen.largest <= score_tables._MOST_ROWS * 1500


@pytest.mark.parametrize("count", [2, 200])
@pytest.mark.parametrize("scale", [1.0, 70.0, 200.0, 1e6])
def test_many_scores_of_the_largest_size_do_not_overflow(count, scale):
    x = torch.ones(count, 1)
    t = torch.tensor(math.log(scale))
    assert contrastive(x, x, t).item() == pytest.approx(math.log(count), rel=1e-3, abs=scale * 1e-6)


@pytest.mark.parametrize(
    ("scale", "bias", "folded"),
    [(60.0, 30.0, True), (60.0, -30.0, True), (60.1, 0.0, False), (45.0, 3.0, True), (9.0, -30.1, False)],
)
def test_the_bias_is_added_to_the_scores_only_where_it_must(monkeypatch, scale, bias, folded):
    passes, inner = [], sigmoid_pairs._slopes
    monkeypatch.setattr(sigmoid_pairs, "_slopes", lambda *a: passes.append(a[3:]) or inner(*a))
    x, y = draw(6)
    number = [torch.tensor(v, dtype=torch.float64) for v in (scale, bias)]
    sigmoid_pairs._pairwise(x.detach(), y.detach(), *number, PairTargets())
    assert passes == [(folded, False)], "once over the scores"


def test_scores_that_are_too_large_are_gone_over_again_and_only_they(monkeypatch):
    passes, inner = [], sigmoid_pairs._pairwise
    monkeypatch.setattr(sigmoid_pairs, "_pairwise", lambda *a, **k: passes.append(k) or inner(*a, **k))
    x, y = draw(6, dtype=torch.float32)
    for scale, most in ((5.0, [{}]), (1000.0, [{}, {"large": True}])):
        passes.clear()
        loss = contrastive(x, y, log_scale(scale, torch.float32), kind="sigmoid")
        loss.backward()
        assert passes == most, "the gradients come with the loss"
        assert loss.isfinite()


def test_a_product_of_eight_has_one_logarithm_and_not_of_sixteen():
    values = torch.full((16, 3), math.exp(10.0))  # to the sixteenth it is too large for float32
    total = sigmoid_pairs._sum_log1p(values.clone(), torch.empty_like(values), 1.0)
    assert total.item() == pytest.approx(48 * math.log1p(math.exp(10.0)), rel=1e-6)
    for rows in (1, 2, 3, 6, 8, 12):
        values = torch.rand(rows, 4, dtype=torch.float64)
        total = sigmoid_pairs._sum_log1p(values.clone(), torch.empty_like(values), 2.0)
        torch.testing.assert_close(total, torch.log1p(2 * values).sum())


def test_a_graph_that_is_kept_can_be_used_twice():
    x, y = draw(30)
    for options in WAYS[:2], WAYS[5:6]:
        loss = contrastive(x, y, log_scale(10.0), **options[0])
        once = torch.autograd.grad(loss, (x, y), retain_graph=True)
        again = torch.autograd.grad(3 * loss, (x, y))
        for a, b in zip(once, again, strict=True):
            torch.testing.assert_close(3 * a, b, rtol=1e-12, atol=1e-15)


def test_equal_scores_leave_chance():
    x = torch.zeros(20, 3)
    assert contrastive(x, x, torch.tensor(4.0)).item() == pytest.approx(math.log(20))
    assert contrastive(x, x, torch.tensor(4.0), kind="sigmoid").item() == pytest.approx(20 * math.log(2))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"kind": "max"}, "kind must be softmax"),
        ({"smoothing": 1.5}, "smoothing from 0 to 1"),
        ({"kind": "sigmoid", "smoothing": 0.1}, "kind must be"),
        ({"bias": torch.tensor(1.0)}, "sigmoid, with a bias"),
        ({"kind": "sigmoid", "smoothing": -0.1}, "kind must be"),
        ({"smoothing": -0.1}, "smoothing from 0 to 1"),
        ({"labels": torch.zeros(3)}, r"labels \(B,\); got \[\(2, 3\), \(2, 3\), \(3,\)\]"),
    ],
)
def test_refuses_what_it_has_no_meaning_for(options, said):
    with pytest.raises(ValueError, match=said):
        contrastive(torch.zeros(2, 3), torch.zeros(2, 3), torch.tensor(0.0), **options)
