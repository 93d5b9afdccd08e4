"""Philox against its published vectors; RReLU's slopes, their distribution, and that they come again."""

from __future__ import annotations

import ctypes
import pickle
from typing import Any

import numpy as np
import pytest
from conftest import DTYPES, bits, is_nan, same_bits

import actc
from actc import _others

TIERS = {"default": actc.rrelu, "exact": actc.exact.rrelu}

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture(params=actc.isas())
def isa(request: Any) -> Any:
    before = actc.use_isa(request.param)
    yield request.param
    actc.use_isa(before)


def little(words: str) -> int:
    """The number of which these are the 32-bit words, the least significant first."""
    return sum(int(w, 16) << 32 * i for i, w in enumerate(words.split()))


# kat_vectors of Random123: counter, key, result
KNOWN = [
    ("0 0 0 0", "0 0", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
]


@pytest.mark.parametrize(("counter", "key", "words"), KNOWN)
def test_philox_known_answers(counter: str, key: str, words: str, isa: str) -> None:
    found = _others.philox(little(counter), little(key), 1)
    assert [f"{w:08x}" for w in found[0]] == words.split()


def reference(counter: int, key: int) -> list[int]:
    """Philox 4x32-10 as its paper writes it, one counter at a time."""
    c = [counter >> 32 * i & 0xFFFFFFFF for i in range(4)]
    k = [key >> 32 * i & 0xFFFFFFFF for i in range(2)]
    for _ in range(10):
        p, q = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(q >> 32) ^ c[1] ^ k[0], q & 0xFFFFFFFF, (p >> 32) ^ c[3] ^ k[1], p & 0xFFFFFFFF]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


@pytest.mark.parametrize("counter", [0, 1, 2**32 - 3, 2**64 - 40, 2**96 - 1, 2**128 - 5])
def test_philox_counts_in_128_bits(counter: int, isa: str) -> None:
    for count in (1, 2, 31, 32, 33, 100):
        found = _others.philox(counter, 0x0123456789ABCDEF, count)
        for j in {0, 1, count // 2, count - 1} & {*range(count)}:
            assert [*found[j]] == reference((counter + j) % 2**128, 0x0123456789ABCDEF)


def slopes(n: int, key: int, lower: float = 0.0, upper: float = 1.0, first: int = 0) -> np.ndarray:
    return actc.rrelu.derivative(-np.ones(n), lower, upper, training=True, rng=key, first=first)


def test_slopes_are_words_of_philox(isa: str) -> None:
    words = _others.philox(0, 77, 300).ravel() / 2**32
    same_bits(slopes(1200, 77), words)
    same_bits(slopes(1200, 77, 0.125, 0.5), 0.125 + 0.375 * words)
    far = 2**63 + 5  # elements; the counter is a quarter
    same_bits(slopes(50, 77, first=far), _others.philox(far // 4, 77, 20).ravel()[far % 4 :][:50] / 2**32)


@pytest.mark.parametrize("key", [0, 1, 2**64 - 1])
def test_slopes_are_uniform(key: int) -> None:
    """Kolmogorov-Smirnov, moments, and no correlation between neighbours, keys or rows; the seeds are fixed."""
    n = 1 << 20
    u = slopes(n, key)
    assert u.min() >= 0
    assert u.max() < 1
    ordered = np.sort(u)
    i = np.arange(n)
    distance = max((ordered - i / n).max(), ((i + 1) / n - ordered).max())
    assert distance * np.sqrt(n) < 1.95  # 1 in 1000 by chance
    assert abs(u.mean() - 0.5) < 4 / np.sqrt(12 * n)
    assert abs(u.var() - 1 / 12) < 4 / np.sqrt(180 * n)
    for lag in (1, 2, 3, 4, 128, 512):
        assert abs(np.corrcoef(u[lag:], u[:-lag])[0, 1]) < 5 / np.sqrt(n)
    assert abs(np.corrcoef(u, slopes(n, key ^ 1))[0, 1]) < 5 / np.sqrt(n)


@pytest.mark.parametrize(("lower", "upper"), [(1 / 8, 1 / 3), (-0.5, 0.25), (0.3, 0.3), (0, 0), (-1e300, 1e300)])
def test_bounds_hold(lower: float, upper: float) -> None:
    a = slopes(100000, 5, lower, upper)
    assert a.min() >= lower
    assert a.max() < upper or (lower == upper == a.max())


def arrays(dtype: Any, n: int = 5000) -> tuple[np.ndarray, np.ndarray]:
    x, g = np.random.default_rng(3).standard_normal((2, n)) * 4
    x[:6] = [0.0, -0.0, np.nan, np.inf, -np.inf, -1e-6]
    return g.astype(dtype), x.astype(dtype)


def test_training(dtype: Any, tier: str) -> None:
    """A leaky ReLU with the slopes that `derivative` shows: bit for bit exact.leaky_relu's own, in both tiers."""
    f, leaky = TIERS[tier], actc.exact.leaky_relu
    g, x = arrays(dtype)
    a = slopes(len(x), 9, 1 / 8, 1 / 3)
    y = f(x, training=True, rng=9)
    assert y.dtype == dtype
    same_bits(y, leaky(x, a))
    same_bits(f.derivative(x, training=True, rng=9), leaky.derivative(x, a))
    same_bits(f.backward(g, x, training=True, rng=9), leaky.backward(g, x, a))
    assert is_nan(y[2])
    assert is_nan(f.backward(g, x, training=True, rng=9)[2])
    assert np.signbit(y[1])
    assert y[0] == y[1] == 0
    assert y[4] == -np.inf
    d = f.derivative(x, training=True, rng=9)
    np.testing.assert_array_equal(d[:2], a[:2].astype(dtype))  # at 0 the slope, as in torch
    assert d[3] == 1


def test_evaluation(dtype: Any, tier: str) -> None:
    f = TIERS[tier]
    leaky = (actc if tier == "default" else actc.exact).leaky_relu
    g, x = arrays(dtype)
    for bounds in ((), (0.25, 0.75)):
        slope = sum(bounds or (1 / 8, 1 / 3)) / 2
        same_bits(f(x, *bounds), leaky(x, slope))
        same_bits(f.derivative(x, *bounds), leaky.derivative(x, slope))
        same_bits(f.backward(g, x, *bounds), leaky.backward(g, x, slope))


def test_same_bits_everywhere(dtype: Any) -> None:
    """On every instruction set, in chunks of any size, in any memory layout, in place."""
    g, x = arrays(dtype)
    y, gx = actc.rrelu(x, training=True, rng=11), actc.rrelu.backward(g, x, training=True, rng=11)
    before = actc.isa()
    try:
        for isa in actc.isas():
            actc.use_isa(isa)
            same_bits(actc.rrelu(x, training=True, rng=11), y)
            same_bits(actc.rrelu.backward(g, x, training=True, rng=11), gx)
    finally:
        actc.use_isa(before)
    for size in (1, 3, 127, 512, 1000):
        pieces = [(i, slice(i, i + size)) for i in range(0, 2000, size)]
        done = [actc.rrelu(x[s], training=True, rng=11, first=i) for i, s in pieces]
        same_bits(np.concatenate(done)[:2000], y[:2000])
        done = [actc.rrelu.backward(g[s], x[s], training=True, rng=11, first=i) for i, s in pieces]
        same_bits(np.concatenate(done)[:2000], gx[:2000])
    same_bits(actc.rrelu(np.repeat(x, 2)[::2], training=True, rng=11), y)
    same_bits(actc.rrelu(x.reshape(50, 100), training=True, rng=11), y.reshape(50, 100))
    same_bits(actc.rrelu(np.asfortranarray(x.reshape(50, 100)), training=True, rng=11), y.reshape(50, 100))
    for target in (x.copy(), np.empty_like(x), np.empty(2 * len(x), dtype)[::2]):
        target[...] = x
        assert actc.rrelu(target, training=True, rng=11, out=target) is target
        same_bits(target, y)
    overlapping = np.concatenate([x[:1], x])
    actc.rrelu(overlapping[1:], training=True, rng=11, out=overlapping[:-1])
    same_bits(overlapping[:-1], y)
    copies = g.copy(), x.copy()
    same_bits(actc.rrelu.backward(*copies, training=True, rng=11, out=copies[1]), gx)


def test_bits_are_pinned() -> None:
    """A later version must replay what an earlier one drew."""
    y = actc.rrelu(-np.ones(5, np.float32), training=True, rng=2024)
    words = [reference(i // 4, 2024)[i % 4] for i in range(5)]
    np.testing.assert_array_equal(y, -np.float32([0.125 + (1 / 3 - 0.125) * (w / 2**32) for w in words]))
    assert [f"{v:08x}" for v in bits(y)] == ["be8064c2", "be394b23", "bea9061c", "be11d575", "be49dfbc"]


def test_keys() -> None:
    key = actc.rrelu.key
    assert key(5) == key(np.int32(5)) == 5
    assert key(2**64 - 1) == 2**64 - 1
    sequence = np.random.SeedSequence(7)
    assert key(sequence) == key(sequence) == key(np.random.SeedSequence(7)) != key(np.random.SeedSequence(8))
    assert key(np.random.default_rng(3)) == key(np.random.default_rng(3)) == key(np.random.PCG64(3))
    rng = np.random.default_rng(3)
    assert key(rng) != key(rng)
    assert key() != key()
    assert 0 <= key() < 2**64


def test_replay() -> None:
    g, x = arrays(np.float32)
    x = -np.abs(np.nan_to_num(x)) - 1
    sequence, key = np.random.SeedSequence(1), actc.rrelu.key(np.random.default_rng(1))
    for rng in (12, sequence, key):
        a = actc.rrelu.derivative(x, training=True, rng=rng)
        np.testing.assert_allclose(actc.rrelu(x, training=True, rng=rng), a * x, rtol=1e-6)
        np.testing.assert_allclose(actc.rrelu.backward(g, x, training=True, rng=rng), a * g, rtol=1e-6)
    rng = np.random.default_rng(1)
    first, second = actc.rrelu(x, training=True, rng=rng), actc.rrelu(x, training=True, rng=rng)
    same_bits(first, actc.rrelu(x, training=True, rng=key))
    assert not np.array_equal(first, second)
    assert not np.array_equal(actc.rrelu(x, training=True), actc.rrelu(x, training=True))


def test_types() -> None:
    assert actc.rrelu(-1.0, training=True, rng=1).dtype == np.float64
    assert isinstance(actc.rrelu(-1.0), np.float64)
    assert actc.rrelu([-1, 2], training=True, rng=1).dtype == np.float64
    assert actc.rrelu(np.int8([-1]), training=True, rng=1).dtype == np.float32
    assert actc.rrelu.backward(np.float64([1]), np.float32([-1]), training=True, rng=1).dtype == np.float64
    assert actc.rrelu(np.empty((0, 3)), training=True, rng=1).shape == (0, 3)
    out = np.empty(3)
    assert actc.rrelu(np.float32([-1, -2, 3]), training=True, rng=1, out=out) is out
    for f in TIERS.values():
        assert pickle.loads(pickle.dumps(f)) is f
        assert "Xu, Wang" in f.__doc__


X = np.full(4, -1.0)


@pytest.mark.parametrize(
    ("error", "match", "call"),
    [
        (ValueError, r"lower=0\.5, upper=0\.25", lambda f: f(X, 0.5, 0.25)),
        (ValueError, r"lower=0\.5, upper=0\.25", lambda f: f(X, 0.5, 0.25, training=True, rng=1)),
        (ValueError, "finite", lambda f: f(X, 0, np.inf, training=True, rng=1)),
        (ValueError, "finite", lambda f: f(X, np.nan, 1)),
        (ValueError, "finite", lambda f: f(X, -1e308, 1e308, training=True, rng=1)),
        (ValueError, "sum must be finite", lambda f: f(X, 1e308, 1.5e308)),
        (ValueError, "not be -1", lambda f: f(X, training=True, rng=-1)),
        (ValueError, r"2\*\*64 - 1", lambda f: f(X, training=True, rng=2**64)),
        (ValueError, "first", lambda f: f(X, training=True, rng=1, first=-1)),
        (TypeError, "not float", lambda f: f(X, training=True, rng=1.0)),
        (TypeError, "not bool", lambda f: f(X, training=True, rng=True)),
        (TypeError, "not RandomState", lambda f: f(X, training=True, rng=np.random.RandomState(1))),
        (TypeError, r"key = rrelu\.key", lambda f: f.backward(X, X, training=True, rng=np.random.default_rng(1))),
        (TypeError, "NoneType", lambda f: f.backward(X, X, training=True)),
        (TypeError, "not PCG64", lambda f: f.derivative(X, training=True, rng=np.random.PCG64(1))),
        (ValueError, r"g has shape \(3,\), x \(4,\)", lambda f: f.backward(X[:3], X, training=True, rng=1)),
        (ValueError, r"g has shape \(3,\), x \(4,\)", lambda f: f.backward(X[:3], X)),
        (ValueError, "out has shape", lambda f: f(X, training=True, rng=1, out=np.empty(3))),
        (TypeError, "cannot cast", lambda f: f(X, training=True, rng=1, out=np.empty(4, int))),
        (TypeError, "out must be an array", lambda f: f(X, training=True, rng=1, out=[0, 0, 0, 0])),
        (TypeError, "loop", lambda f: f(X * 1j, training=True, rng=1)),
        (TypeError, "loop", lambda f: f("text", training=True, rng=1)),
        (TypeError, "lower must be a number", lambda f: f(X, np.zeros((), "V4"))),
    ],
)
def test_bad_input(error: Any, match: str, call: Any) -> None:
    for f in TIERS.values():
        with pytest.raises(error, match=match):
            call(f)


def test_read_only_out() -> None:
    out = np.empty(4)
    out.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        actc.rrelu(X, training=True, rng=1, out=out)


def test_c_symbols() -> None:
    """actc_rrelu_f32 and the like, with an index of the first element."""
    library = ctypes.CDLL(actc.get_library())
    for suffix, dtype in (("f32", DTYPES["float32"]), ("f64", DTYPES["float64"]), ("f16", DTYPES["float16"])):
        g, x = arrays(dtype, 700)
        for tier, f in TIERS.items():
            prefix = "actc_" + ("exact_" if tier == "exact" else "") + "rrelu"
            tail = (ctypes.c_double(0.125), ctypes.c_double(0.5), ctypes.c_uint64(13), ctypes.c_uint64(2**40 + 3))
            options: dict[str, Any] = dict(training=True, rng=13, first=2**40 + 3)
            for name, inputs, wanted in (
                ("", [x], f(x, 0.125, 0.5, **options)),
                ("_derivative", [x], f.derivative(x, 0.125, 0.5, **options)),
                ("_backward", [g, x], f.backward(g, x, 0.125, 0.5, **options)),
            ):
                result = np.empty_like(x)
                pointers = [ctypes.c_void_p(v.ctypes.data) for v in (*inputs, result)]
                getattr(library, f"{prefix}{name}_{suffix}")(*pointers, ctypes.c_size_t(len(x)), *tail)
                same_bits(result, wanted)


def test_torch() -> None:
    """Evaluation as torch computes it, and the same support and convention at 0 in training."""
    torch = pytest.importorskip("torch", reason="torch is not installed here")
    x = np.random.default_rng(1).standard_normal(1000)
    x[0] = 0
    t = torch.tensor(x, requires_grad=True)
    y = torch.nn.functional.rrelu(t, training=False)
    y.sum().backward()
    np.testing.assert_allclose(actc.rrelu(x), y.detach().numpy(), rtol=1e-15)
    np.testing.assert_allclose(actc.rrelu.derivative(x), t.grad.numpy(), rtol=1e-15)
    t = torch.tensor(x, requires_grad=True)
    torch.nn.functional.rrelu(t, training=True).sum().backward()
    ours = actc.rrelu.derivative(x, training=True, rng=1)
    for d in (t.grad.numpy(), ours):
        assert ((d == 1) == (x > 0)).all()
        assert d.min() >= 1 / 8
        assert d[x <= 0].max() < 1 / 3
