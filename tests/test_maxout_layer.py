"""The maxout layer: against einsum, its gradients against differences, ties, NaN, memory, and what is refused."""

from __future__ import annotations

import math
import pickle
import tracemalloc
from typing import Any

import numpy as np
import pytest
from conftest import same_bits

import actc
from actc import _maxout_layer as layer

Array = np.ndarray


def operands(d: int, m: int, k: int, *leading: int, seed: int = 0) -> list[Array]:
    """Small integers, so that float32 sums are exact in whatever order, and ties abound."""
    rng = np.random.default_rng(seed)
    return [rng.integers(-3, 4, shape).astype(np.float32) for shape in ((*leading, d), (d, m, k), (m, k))]


def expected(x: Array, W: Array, b: Array) -> Array:
    return np.asarray((np.einsum("...d,dmk->...mk", x, W) + b).max(-1))


def expected_gradients(g: Array, x: Array, W: Array, b: Array) -> tuple[Array, Array, Array]:
    z = np.einsum("...d,dmk->...mk", x, W) + b
    gz = np.where(np.arange(z.shape[-1]) == z.argmax(-1)[..., None], g[..., None], 0)
    leading = tuple(range(x.ndim - 1))
    flat = x.reshape(math.prod(x.shape[:-1]), x.shape[-1])
    return (
        np.einsum("...mk,dmk->...d", gz, W),
        np.einsum("nd,nmk->dmk", flat, gz.reshape(len(flat), *z.shape[-2:])),
        gz.sum(leading),
    )


SHAPES = [
    (5, 3, 2), (5, 3, 2, 7), (4, 1, 1, 6), (1, 4, 3, 2, 5), (6, 5, 33, 9),
    (8, 6, 4, 3, 0, 2), (0, 3, 2, 4), (3, 0, 2, 4),
]  # fmt: skip


@pytest.mark.parametrize("block", [1, 7, 40, 1 << 18], ids=lambda b: f"block{b}")
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_against_einsum(shape: tuple[int, ...], block: int, dtype: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(layer, "BLOCK", block)
    x, W, b = operands(*shape)
    y = actc.maxout_layer(x.astype(dtype), W.astype(dtype), b.astype(dtype))
    same_bits(y, (expected(x, W, b) + np.float32(0)).astype(dtype))
    g = np.random.default_rng(1).integers(-2, 3, y.shape).astype(np.float32)
    found = actc.maxout_layer.backward(g.astype(dtype), x.astype(dtype), W.astype(dtype), b.astype(dtype))
    for gradient, wanted, of in zip(found, expected_gradients(g, x, W, b), (x, W, b), strict=True):
        assert gradient.dtype == dtype and gradient.shape == of.shape
        np.testing.assert_array_equal(gradient.astype(np.float32), wanted.astype(dtype).astype(np.float32))


def test_gradients_against_differences() -> None:
    rng = np.random.default_rng(2)
    inputs = [rng.standard_normal(s) for s in ((4, 9, 6), (6, 5, 3), (5, 3))]
    g = rng.standard_normal((4, 9, 5))
    h = 1e-6
    for i, gradient in enumerate(actc.maxout_layer.backward(g, *inputs)):
        direction = rng.standard_normal(inputs[i].shape)
        sides = [
            (g * actc.maxout_layer(*(a + s * h * direction if j == i else a for j, a in enumerate(inputs)))).sum()
            for s in (1, -1)
        ]
        assert (sides[0] - sides[1]) / (2 * h) == pytest.approx((gradient * direction).sum(), rel=1e-7)


def test_random_floats_are_close(monkeypatch: Any) -> None:
    monkeypatch.setattr(layer, "BLOCK", 1000)
    rng = np.random.default_rng(3)
    x, W, b = (rng.standard_normal(s) for s in ((50, 64), (64, 32, 5), (32, 5)))
    exact = expected(x, W, b)
    for dtype, room in ((np.float64, 1e-13), (np.float32, 1e-4), (np.float16, 1e-1)):
        y = actc.maxout_layer(x.astype(dtype), W.astype(dtype), b.astype(dtype))
        np.testing.assert_allclose(y.astype(float), exact, atol=room)


def test_halves_are_rounded_once() -> None:
    """The sum 2048 + 1 + 1 would stay 2048 in float16, and 1 + 70000 - 70000 overflow."""
    x, W = np.ones((1, 3), np.float16), np.array([2048, 1, 1], np.float16).reshape(3, 1, 1)
    b = np.zeros((1, 1), np.float16)
    assert actc.maxout_layer(x, W, b) == 2050
    W = np.array([60000, 60000, -60000], np.float16).reshape(3, 1, 1)
    assert actc.maxout_layer(x, W, b) == np.float16(60000)


@pytest.mark.parametrize("k", [2, 3, 5])
def test_ties_go_to_the_first(k: int) -> None:
    x, W, b = np.ones((2, 3)), np.ones((3, 4, k)), np.zeros((4, k))
    gx, gW, gb = actc.maxout_layer.backward(np.ones((2, 4)), x, W, b)
    assert (gb[:, 0] == 2).all() and (gb[:, 1:] == 0).all()
    assert (gW[..., 0] == 2).all() and (gW[..., 1:] == 0).all() and (gx == 4).all()
    b[:, -1] = 1  # not a tie any more
    assert (actc.maxout_layer.backward(np.ones((2, 4)), x, W, b)[2][:, -1] == 2).all()


def test_zero_has_no_sign() -> None:
    for b in ([[-0.0, 0.0]], [[0.0, -0.0]], [[-0.0, -0.0]]):
        y = actc.maxout_layer(-np.zeros((37, 1)), np.zeros((1, 1, 2)), b)
        assert (y == 0).all() and not np.signbit(y).any()


@pytest.mark.parametrize("at", [0, 1, 2])
def test_nan(at: int, dtype: Any) -> None:
    x, W, b = (a.astype(dtype) for a in operands(4, 6, 3, 5))
    b[2, at] = np.nan
    y = actc.maxout_layer(x, W, b).astype(float)
    assert np.isnan(y[:, 2]).all() and not np.isnan(np.delete(y, 2, 1)).any()
    gb = actc.maxout_layer.backward(np.ones((5, 6), dtype), x, W, b)[2].astype(float)
    np.testing.assert_array_equal(gb[2], 5 * np.eye(3)[at])
    b[2] = np.nan  # all of them: the first
    gb = actc.maxout_layer.backward(np.ones((5, 6), dtype), x, W, b)[2].astype(float)
    np.testing.assert_array_equal(gb[2], [5, 0, 0])


def test_infinities() -> None:
    x, W, b = operands(4, 6, 3, 5)
    b[1], b[2, 1] = -np.inf, np.inf
    y = actc.maxout_layer(x, W, b)
    assert (y[:, 1] == -np.inf).all() and (y[:, 2] == np.inf).all()
    gb = actc.maxout_layer.backward(np.ones((5, 6)), x, W, b)[2]
    np.testing.assert_array_equal(gb[1:3], [[5, 0, 0], [0, 5, 0]])
    x[0, 0] = np.inf  # inf * 0 or inf - inf: NaN without a warning
    assert np.isnan(actc.maxout_layer(x, W * 0, b)[0]).all()


def test_degenerates_to_relu_and_abs() -> None:
    """A piece that is 0 makes a rectifier; two that are opposite make the modulus."""
    x = np.linspace(-3, 3, 61)[:, None]
    for second, wanted in ((0.0, actc.relu(x)), (-1.0, np.abs(x))):
        np.testing.assert_array_equal(actc.maxout_layer(x, np.array([[[1.0, second]]]), np.zeros((1, 2))), wanted)


def test_strides_and_out() -> None:
    x, W, b = operands(6, 4, 3, 5, 7)
    y = actc.maxout_layer(x, W, b)
    wide = np.zeros((10, 14, 12), np.float32)
    wide[::2, ::-2, ::2] = x
    same_bits(actc.maxout_layer(wide[::2, ::-2, ::2], np.asfortranarray(W), np.asfortranarray(b)), y)
    for out in (
        np.empty_like(y),
        np.empty((5, 7, 8), np.float32)[..., ::-2],
        np.empty((7, 5, 4), np.float32).swapaxes(0, 1),
    ):
        assert actc.maxout_layer(x, W, b, out=out) is out
        same_bits(out, y)
    square = operands(6, 6, 3, 5)
    y = actc.maxout_layer(*square)
    same_bits(actc.maxout_layer(*square, out=square[0]), y)


def test_memory() -> None:
    """Of 33.5 million elements of z (256 MiB) no more than a block exists at a time, forward and backward."""
    n, d, m, k = 4096, 8, 64, 128
    rng = np.random.default_rng(4)
    x, W, b = (rng.standard_normal(s) for s in ((n, d), (d, m, k), (m, k)))
    results = 8 * max(n * m, n * d + 2 * d * m * k)
    for call, g in ((actc.maxout_layer, ()), (actc.maxout_layer.backward, (rng.standard_normal((n, m)),))):
        tracemalloc.start()
        call(*g, x, W, b)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < results + 6 * 8 * layer.BLOCK < n * m * k * 8 / 10


def test_a_single_row_is_split_too(monkeypatch: Any) -> None:
    monkeypatch.setattr(layer, "BLOCK", 64)
    x, W, b = operands(3, 1000, 4, 2)
    blocks = [z.size for *_, z in layer._blocks(x, W, b)]
    assert max(blocks) <= 64 and sum(blocks) == 2 * 1000 * 4


def test_dtypes() -> None:
    x, W, b = operands(3, 2, 2, 4)
    assert actc.maxout_layer(x, W.astype(np.float64), b).dtype == np.float64
    assert actc.maxout_layer(x.astype(int), W.astype(int), b.astype(int)).dtype == np.float64
    assert actc.maxout_layer(x > 0, W, b).dtype == np.float32
    assert actc.maxout_layer(x.tolist(), W.tolist(), b.tolist()).dtype == np.float64


def test_halves_overflow_without_a_warning() -> None:
    x = np.full((4, 1), 60000, np.float16)
    with np.errstate(all="raise"):
        gx, gW, gb = actc.maxout_layer.backward(x, x, np.ones((1, 1, 2), np.float16), np.zeros((1, 2), np.float16))
    assert gx.tolist() == x.tolist()
    assert gW.tolist() == [[[np.inf, 0]]]
    assert gb.tolist() == [[np.inf, 0]]


def test_errors() -> None:
    x, W, b = operands(3, 2, 2, 4)
    y = np.full((4, 2), 7, np.float32)
    f, back = actc.maxout_layer, actc.maxout_layer.backward
    for error, words, call in (
        (ValueError, r"x must be of shape \(..., 3\) as W is .* \(3, 2, 2\), not \(4, 2\)", lambda: f(y, W, b, out=y)),
        (ValueError, r"x must be of shape .*, not \(\)", lambda: f(1.0, W, b)),
        (ValueError, r"W must be of shape \(d, m, k\) with k > 0, not \(3, 2\)", lambda: f(x, W[..., 0], b, out=y)),
        (ValueError, r"with k > 0, not \(3, 2, 0\)", lambda: f(x, W[..., :0], b[:, :0])),
        (ValueError, r"b must be of shape \(2, 2\) as W is .*, not \(2,\)", lambda: f(x, W, b[0], out=y)),
        (ValueError, r"out must be writeable and of shape \(4, 2\), not \(2, 4\)", lambda: f(x, W, b, out=y.T)),
        (TypeError, "out must be an ndarray of dtype float32, not float64", lambda: f(x, W, b, out=y.astype(float))),
        (TypeError, "out must be an ndarray of dtype float32, not .*list", lambda: f(x, W, b, out=[])),
        (TypeError, "operands must be real, of up to 64 bits, not complex", lambda: f(x * 1j, W, b, out=y)),
        (TypeError, "not float128|not longdouble", lambda: f(x, W.astype(np.longdouble), b, out=y)),
        (TypeError, "not <U1", lambda: f(x, W, np.full((2, 2), "a"), out=y)),
        (TypeError, "not object", lambda: f(x, W, b.astype(object), out=y)),
        (ValueError, r"g must be of shape \(4, 2\), as the result is, not \(2, 4\)", lambda: back(y.T, x, W, b)),
        (TypeError, "maxout_layer.backward: operands must be real", lambda: back(y * 1j, x, W, b)),
    ):  # fmt: skip
        with pytest.raises(error, match=words):
            call()
    assert (y == 7).all()


def test_pickles_by_name() -> None:
    assert pickle.loads(pickle.dumps(actc.maxout_layer)) is actc.maxout_layer
    assert (
        actc.maxout_layer.__module__ == "actc" and math.prod(actc.maxout_layer([[1.0]], [[[2.0]]], [[1.0]]).shape) == 1
    )
