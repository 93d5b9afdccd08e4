"""Initialisers: the distribution of each, fans, reproducibility, and what is refused."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from conftest import run_python, same_bits

import actc
from actc import _draw, init

SHAPE = (300, 200)  # torch's (out, in)
COUNT = math.prod(SHAPE)
FAMILIES = {"xavier": ("fan_avg", 1.0), "he": ("fan_in", math.sqrt(2)), "lecun": ("fan_in", 1.0)}
FANS = {"fan_in": 200.0, "fan_out": 300.0, "fan_avg": 250.0, "fan_geo_avg": math.sqrt(200 * 300)}


def phi(z: float) -> float:
    return math.exp(-z * z / 2) / math.sqrt(2 * math.pi)


def Phi(z: np.ndarray) -> np.ndarray:
    return np.array([math.erfc(-v / math.sqrt(2)) / 2 for v in z])


def normal_cdf(std: float, mean: float = 0.0) -> Callable[[np.ndarray], np.ndarray]:
    return lambda w: Phi((w - mean) / std)


def uniform_cdf(low: float, high: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda w: np.clip((w - low) / (high - low), 0, 1)


def truncated_cdf(std: float, bound: float = 2.0, mean: float = 0.0) -> Callable[[np.ndarray], np.ndarray]:
    """Written down anew: the variance by the closed form at any bound (in mpmath, where it cancels)."""
    from mpmath import mp, mpf

    with mp.workdps(50):
        b = mpf(bound)
        inside = mp.erf(b / mp.sqrt(2))
        kept = float(mp.sqrt(1 - 2 * b * mp.npdf(b) / inside))
    tail = float((1 - inside) / 2)
    return lambda w: np.clip((Phi((w - mean) / std * kept) - tail) / float(inside), 0, 1)


def check(w: np.ndarray, cdf: Callable[[np.ndarray], np.ndarray], mean: float, std: float) -> None:
    """Mean and variance within five standard errors; Kolmogorov and Smirnov at a level of 1e-6; neighbours, rows and
    columns are not correlated."""
    values = w.astype(np.float64)
    n = values.size
    fourth = ((values - values.mean()) ** 4).mean()
    assert abs(values.mean() - mean) < 5 * std / math.sqrt(n)
    assert abs(values.var() - std**2) < 5 * math.sqrt((fourth - std**4) / n)
    ordered = np.sort(values.ravel())
    steps = np.arange(n + 1) / n
    there = cdf(ordered)
    distance = max((there - steps[:-1]).max(), (steps[1:] - there).max())
    assert distance < math.sqrt(math.log(2 / 1e-6) / (2 * n))
    z = (values - mean) / std
    for a, b in ((z[1:], z[:-1]), (z[:, 1:], z[:, :-1])) if z.ndim == 2 else ((z[1:], z[:-1]),):
        assert abs((a * b).mean()) < 5 / math.sqrt(a.size)


def test_check_can_fail() -> None:
    """A deviation of the sampler by two in a hundred shows, and so does the wrong distribution."""
    w = np.random.default_rng(0).standard_normal(SHAPE)
    check(w, normal_cdf(1), 0, 1)
    for bad in (1.02 * w, w + 0.03, np.clip(w, -2, 2), np.sort(w)):
        with pytest.raises(AssertionError):
            check(bad, normal_cdf(1), 0, 1)
    with pytest.raises(AssertionError):
        check(w, uniform_cdf(-math.sqrt(3), math.sqrt(3)), 0, 1)


# ---- distributions ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("real", [np.float32, np.float64])
@pytest.mark.parametrize(("mean", "std"), [(0.0, 1.0), (2.5, 0.01), (-1.0, 30.0)])
def test_plain(real: Any, mean: float, std: float) -> None:
    check(init.normal(SHAPE, mean, std, rng=1, dtype=real), normal_cdf(std, mean), mean, std)
    half = math.sqrt(3) * std
    w = init.uniform(SHAPE, mean - half, mean + half, rng=2, dtype=real)
    check(w, uniform_cdf(mean - half, mean + half), mean, std)
    check(init.truncated_normal(SHAPE, mean, std, rng=3, dtype=real), truncated_cdf(std, mean=mean), mean, std)


@pytest.mark.parametrize("bound", [1e-4, 0.00999, 0.01001, 0.3, 1.2, 1.3, 2.0, 4.0, 40.0])
def test_truncated_at(bound: float) -> None:
    """`std` is that of the result wherever the cut is; narrow ones are nearly uniform, wide ones normal."""
    w = init.truncated_normal(SHAPE, std=0.7, bound=bound, rng=4, dtype=np.float64)
    check(w, truncated_cdf(0.7, bound), 0, 0.7)
    if bound <= 2:
        limit = bound * 0.7 / _draw.deviation_within(bound)
        assert 0.99 * limit < np.abs(w).max() <= limit * (1 + 1e-15)


def test_defaults_are_those_of_torch() -> None:
    check(init.normal(SHAPE, rng=0), normal_cdf(1), 0, 1)
    check(init.uniform(SHAPE, rng=0), uniform_cdf(0, 1), 0.5, math.sqrt(1 / 12))
    w = init.uniform(SHAPE, rng=0)
    assert w.min() >= 0 and w.max() <= 1 and w.dtype == np.float32


@pytest.mark.parametrize("layout", ["torch", "keras", (0, 1)], ids=str)
@pytest.mark.parametrize("mode", FANS)
@pytest.mark.parametrize("family", FAMILIES)
def test_families(family: str, mode: str, layout: Any) -> None:
    shape = SHAPE if layout == "torch" else SHAPE[::-1]
    std = FAMILIES[family][1] / math.sqrt(FANS[mode])
    options = {"mode": mode, "layout": layout, "rng": 5}
    check(getattr(init, f"{family}_normal")(shape, **options), normal_cdf(std), 0, std)
    half = math.sqrt(3) * std
    check(getattr(init, f"{family}_uniform")(shape, **options), uniform_cdf(-half, half), 0, std)
    check(getattr(init, f"{family}_truncated_normal")(shape, **options), truncated_cdf(std), 0, std)


@pytest.mark.parametrize("family", FAMILIES)
def test_families_by_default(family: str) -> None:
    mode, gain = FAMILIES[family]
    for distribution in init.DISTRIBUTIONS:
        function = getattr(init, f"{family}_{distribution}")
        same_bits(function(SHAPE, rng=6), init.variance_scaling(SHAPE, distribution, mode, gain, rng=6))
        assert function.__name__ in init.__all__ and "References" in function.__doc__


def test_gain_by_name() -> None:
    for gain in ("gelu", actc.gelu, actc.exact.gelu, actc.gelu.info["gain"]):
        same_bits(init.he_normal(SHAPE, gain, rng=7), init.lecun_normal(SHAPE, actc.gelu.info["gain"], rng=7))
    same_bits(init.orthogonal((5, 5), "tanh", rng=8), init.orthogonal((5, 5), init.gain("tanh"), rng=8))


def test_signal_keeps_its_size(row: Any) -> None:
    """Which is what a gain is for: normal inputs, the function, weights at its gain, and their moment is 1 again."""
    f, rng = actc.elementwise[row.name], np.random.default_rng(row.index)
    y = f(rng.standard_normal((256, 1024))) @ init.he_normal((1024, 1024), f, layout="keras", rng=rng)
    assert (y**2).mean() == pytest.approx(1, abs=0.2)


# ---- matrices --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", ["torch", "keras"])
@pytest.mark.parametrize("shape", [(7, 7), (30, 4), (4, 30), (1, 5), (5, 1), (6, 3, 3, 2), (2, 3, 5, 40)], ids=str)
def test_orthogonal(shape: tuple[int, ...], layout: str) -> None:
    w = init.orthogonal(shape, 1.5, layout=layout, rng=9, dtype=np.float64)
    assert w.shape == shape
    matrix = w.reshape(shape[0], -1) if layout == "torch" else w.reshape(-1, shape[-1]).T
    product = matrix @ matrix.T if len(matrix) <= matrix.shape[1] else matrix.T @ matrix
    np.testing.assert_allclose(product, 1.5**2 * np.eye(len(product)), atol=1e-14)


def test_orthogonal_is_uniformly_distributed() -> None:
    """Without the correction of signs the diagonal of Q would be of one sign."""
    rng = np.random.default_rng(10)
    many = np.array([init.orthogonal((2, 2), rng=rng, dtype=np.float64) for _ in range(4000)])
    assert abs(many.mean(0)).max() < 5 * math.sqrt(0.5 / 4000)
    angle = np.arctan2(many[:, 1, 0], many[:, 0, 0]) / (2 * math.pi) + 0.5
    ordered = np.sort(angle)
    assert np.abs(ordered - np.arange(4000) / 4000).max() < math.sqrt(math.log(2 / 1e-6) / 8000)
    assert 1700 < (np.linalg.det(many) > 0).sum() < 2300


@pytest.mark.parametrize("layout", ["torch", "keras"])
def test_sparse(layout: str) -> None:
    w = init.sparse((400, 300), 0.85, 0.2, layout=layout, rng=11, dtype=np.float64)
    inputs = 1 if layout == "torch" else 0
    np.testing.assert_array_equal((w == 0).sum(inputs), math.ceil(0.85 * w.shape[inputs]))
    check(w[w != 0], normal_cdf(0.2), 0, 0.2)
    chosen = (w != 0).sum(1 - inputs)  # how often each input is used: binomial
    assert abs(chosen - 0.15 * w.shape[1 - inputs]).max() < 6 * math.sqrt(0.15 * 0.85 * w.shape[1 - inputs])
    assert (init.sparse((1, 100), 0.07, rng=0) == 0).sum() == 7, "though 0.07*100 is 7.000000000000001"
    assert (init.sparse((5, 6), 0.0, rng=0) != 0).all() and (init.sparse((5, 6), 1.0, rng=0) == 0).all()


@pytest.mark.parametrize("layout", ["torch", "keras"])
def test_identity(layout: str) -> None:
    same_bits(init.identity((4, 4), layout=layout), np.eye(4, dtype=np.float32))
    same_bits(init.identity((3, 5), 2.0, layout=layout, dtype=np.float64), 2 * np.eye(3, 5))
    shape = (2, 3, 3, 5) if layout == "torch" else (3, 5, 3, 2)
    kernel = init.identity(shape, layout=layout)
    assert kernel.sum() == 2
    for i in range(2):
        assert (kernel[i, i, 1, 2] if layout == "torch" else kernel[1, 2, i, i]) == 1


# ---- fans ------------------------------------------------------------------------------------------------------------


def test_fans() -> None:
    assert init.fans((30, 20)) == (20, 30)
    assert init.fans((30, 20), "keras") == (30, 20)
    assert init.fans((16, 8, 3, 5)) == (8 * 15, 16 * 15)
    assert init.fans((3, 5, 8, 16), "keras") == (8 * 15, 16 * 15)
    assert init.fans((8, 3, 16), (0, 2)) == (24, 48) == init.fans((8, 3, 16), (0, -1))


# ---- what all have in common -----------------------------------------------------------------------------------------

ALL: dict[str, Callable[..., np.ndarray]] = {
    name: getattr(init, name) for name in init.__all__ if "dtype" in inspect.signature(getattr(init, name)).parameters
}
RANDOM = {name: f for name, f in ALL.items() if "rng" in inspect.signature(f).parameters}
SCALED = {name: f for name, f in ALL.items() if "mode" in inspect.signature(f).parameters}


def test_loaded_when_asked_for() -> None:
    names = ("init", "diagnostics", "_maxout_layer", "_gain", "_draw")
    run_python(f"import actc, sys; assert not {{'actc.' + n for n in {names}}} & set(sys.modules)")
    run_python("import actc; actc.init.normal(3); actc.diagnostics.sparsity(0); actc.maxout_layer.backward")
    run_python("from actc import *; init.normal(3); diagnostics.sparsity(0); maxout_layer([1], [[[2]]], [[3]])")


def test_there_are_some() -> None:
    assert len(ALL) == 22 and set(ALL) - set(RANDOM) == {"identity"}
    assert init.glorot_normal is init.xavier_normal and init.kaiming_uniform is init.he_uniform


@pytest.mark.parametrize("name", RANDOM)
def test_rng(name: str) -> None:
    f, seed = RANDOM[name], np.random.SeedSequence(12)
    first = f((30, 25), rng=12)
    for same in (12, np.int64(12), seed, np.random.default_rng(12), np.random.PCG64(12)):
        same_bits(f((30, 25), rng=same), first)
    generator = np.random.default_rng(12)
    same_bits(f((30, 25), rng=generator), first)
    assert (f((30, 25), rng=generator) != first).any(), "a Generator goes on"
    assert (f((30, 25), rng=13) != first).any()
    assert (f((30, 25)) != f((30, 25))).any(), "None draws afresh"


@pytest.mark.parametrize("name", ALL)
def test_dtypes_and_out(name: str, dtype: Any) -> None:
    f = ALL[name]
    options = {"rng": 14} if name in RANDOM else {}
    wide = f((6, 5), dtype=np.float64, **options)
    w = f((6, 5), dtype=dtype, **options)
    assert w.dtype == dtype and w.shape == (6, 5)
    same_bits(w, wide.astype(dtype))
    same_bits(f((6, 5), dtype=dtype.name, **options), w)
    out = np.full((12, 10), 7, dtype)[::2, ::-2]
    assert f((6, 5), out=out, **options) is out
    same_bits(out, w)
    assert (out.base.astype(float) == 7).sum() == 120 - 30
    assert f((6, 5), **options).dtype == np.float32


def test_a_half_that_overflows_warns_not() -> None:
    assert np.isinf(init.normal(100, std=1e9, rng=0, dtype=np.float16)).any()
    assert init.normal(3, rng=0).shape == (3,) and init.normal((), rng=0).shape == ()
    assert init.normal((0, 3), rng=0).shape == (0, 3) == init.truncated_normal((0, 3), rng=0).shape


@pytest.mark.parametrize("name", ALL)
def test_bad_targets(name: str) -> None:
    f, kept = ALL[name], np.full((3, 4), 7, np.float32)
    frozen = kept.copy()
    frozen.flags.writeable = False
    for error, words, arguments in (
        (ValueError, r"shape \(3, 4\), not of the wanted \(4, 3\)", dict(shape=(4, 3), out=kept)),
        (ValueError, "read-only", dict(shape=(3, 4), out=frozen)),
        (ValueError, "must not be negative", dict(shape=(3, -4))),
        (TypeError, "shape must be an int or a tuple", dict(shape=(3, 4.0))),
        (TypeError, "out is of dtype float32, not of the wanted float64", dict(shape=(3, 4), out=kept, dtype=float)),
        (TypeError, "out must be an ndarray, not list", dict(shape=(3, 4), out=[1.0])),
        (TypeError, "dtype must be one of .*, not int64", dict(shape=(3, 4), dtype=np.int64)),
        (TypeError, "dtype must be one of .*, not complex128", dict(shape=(3, 4), dtype=complex)),
    ):
        with pytest.raises(error, match=words):
            f(**arguments)
    assert (kept == 7).all()


@pytest.mark.parametrize("name", RANDOM)
def test_bad_rng(name: str) -> None:
    kept = np.full((3, 4), 7, np.float32)
    with pytest.raises(TypeError, match=r"rng must be None, an int.*, not float"):
        RANDOM[name]((3, 4), rng=1.5, out=kept)
    with pytest.raises(ValueError, match="rng must not be negative, not -1"):
        RANDOM[name]((3, 4), rng=-1, out=kept)
    assert (kept == 7).all()


@pytest.mark.parametrize("name", SCALED)
def test_bad_fans(name: str) -> None:
    f = SCALED[name]
    for words, arguments in (
        (r"fan_in of shape \(3, 0\): fan_in is 0", dict(shape=(3, 0), mode="fan_in")),
        (r"fan_out of shape \(0, 3\): fan_out is 0", dict(shape=(0, 3), mode="fan_out")),
        (r"fan_geo_avg of shape \(0, 3\): fan_out is 0", dict(shape=(0, 3), mode="fan_geo_avg")),
        (r"fan_avg of shape \(0, 4\): fan_out is 0", dict(shape=(0, 4), mode="fan_avg")),
        (r"fan_avg of shape \(4, 0\): fan_in is 0", dict(shape=(4, 0), mode="fan_avg")),
        (r"at least 2 dimensions; shape is \(3,\)", dict(shape=(3,))),
        ("mode must be one of fan_in, fan_out, fan_avg, fan_geo_avg, not 'in'", dict(shape=(3, 4), mode="in")),
        ("layout must be 'torch', 'keras' or two different axes", dict(shape=(3, 4), layout="jax")),
        ("layout must be .* of 2, not .0, 2.", dict(shape=(3, 4), layout=(0, 2))),
        ("layout must be .*, not .1, -1.", dict(shape=(3, 4), layout=(1, -1))),
        ("gain must be positive and finite, not 0", dict(shape=(3, 4), gain=0)),
        ("gain must be positive and finite, not inf", dict(shape=(3, 4), gain=math.inf)),
        ("unknown activation function 'rellu'", dict(shape=(3, 4), gain="rellu")),
    ):
        with pytest.raises(ValueError, match=words):
            f(**arguments)


def test_bad_parameters() -> None:
    for words, call in (
        ("std must be positive and finite, not 0", lambda: init.normal(3, std=0)),
        ("std must be positive and finite, not -1", lambda: init.normal(3, std=-1)),
        ("std must be positive and finite, not nan", lambda: init.truncated_normal(3, std=math.nan)),
        ("mean must be finite, not inf", lambda: init.normal(3, mean=math.inf)),
        ("bound must be positive and finite, not 0", lambda: init.truncated_normal(3, bound=0)),
        ("low must be less than high, not 1 and 1", lambda: init.uniform(3, 1, 1)),
        ("low must be finite, not -inf", lambda: init.uniform(3, -math.inf, 1)),
        ("distribution must be one of normal, .*, not 'cauchy'", lambda: init.variance_scaling((3, 4), "cauchy")),
        ("sparsity must be from 0 to 1, not 1.5", lambda: init.sparse((3, 4), 1.5)),
        (r"sparse weights are a matrix; shape is \(3, 4, 5\)", lambda: init.sparse((3, 4, 5))),
        (r"needs rows and columns; shape is \(3, 0\)", lambda: init.orthogonal((3, 0))),
        (r"shape is \(0, 3\)", lambda: init.orthogonal((0, 3))),
        (r"at least 2 dimensions; shape is \(3,\)", lambda: init.orthogonal((3,))),
        (r"at least 2 dimensions; shape is \(3,\)", lambda: init.identity((3,))),
    ):
        with pytest.raises(ValueError, match=words):
            call()
